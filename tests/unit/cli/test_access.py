"""`hatchway access`: tables that name statement and values for people, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatchway.cli.main import main
from hatchway.core.api import POLICY_TEXT
from hatchway.core.errors import Exit
from tests.unit.client.world import NODE, World

pytestmark = pytest.mark.timeout(60)
Capture = pytest.CaptureFixture[str]
JOHN = "arn:aws:iam::000000000000:user/john"
EXPLAIN = ["access", "explain", "--as", JOHN, "--target", NODE]
DENIED = {
    "PrincipalArn": JOHN,
    "Target": NODE,
    "Decision": "ImplicitlyDenied",
    "Checks": [
        {
            "Layer": "execute-api",
            "Action": "execute-api:Invoke",
            "Resource": "arn:aws:execute-api:us-east-1:000000000000:api/local/POST/nodes",
            "Decision": "Allowed",
            "Statements": [
                {
                    "PolicyLayer": "identity",
                    "Source": "user john",
                    "Policy": "HatchwayUser",
                    "Index": 0,
                    "Effect": "Allow",
                    "Result": "Applied",
                    "Mismatches": [],
                }
            ],
        },
        {
            "Layer": "ssm",
            "Action": "ssm:StartSession",
            "Resource": f"arn:aws:ec2:us-east-1:000000000000:instance/{NODE}",
            "Decision": "ImplicitlyDenied",
            "PolicyLayer": "identity",
            "Unknown": ["aws:SourceIdentity"],
            "Statements": [
                {
                    "PolicyLayer": "identity",
                    "Source": "group web",
                    "Policy": "shells\x1b[31m",
                    "Sid": "OnWeb",
                    "Index": 1,
                    "Effect": "Allow",
                    "Result": "NotApplied",
                    "Mismatches": [
                        {
                            "Element": "Condition",
                            "Operator": "StringEquals",
                            "Key": "ssm:resourceTag/team",
                            "Expected": ["web"],
                            "Actual": ["db"],
                            "Presence": "present",
                        },
                        {
                            "Element": "Condition",
                            "Operator": "StringLike",
                            "Key": "aws:userid",
                            "Expected": ["${aws:SourceIdentity}"],
                            "Presence": "unknown",
                            "Unknown": ["aws:SourceIdentity"],
                            "Absent": ["aws:username"],
                        },
                    ],
                }
            ],
        },
    ],
    "Remarks": ["API Gateway's own decision counts."],
}


def test_a_denial_as_tables_with_statement_policy_and_values(world: World, capsys: Capture) -> None:
    world.answers["POST /access/explain"] = (200, DENIED)
    assert main(EXPLAIN) == Exit.FAILURE
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[0] == f"{JOHN} on {NODE}: ImplicitlyDenied"
    (first, second) = [line for line in out.splitlines() if "OnWeb" in line]
    for word in ("group web shells\\x1b[31m", "NotApplied", "StringEquals ssm:resourceTag/team"):
        assert word in first
    assert first.split()[-2:] == ["web", "db"]
    assert "(unknown)" in second
    assert "aws:SourceIdentity aws:username (no value)" in second
    assert any("user john HatchwayUser" in line and "[0]" in line for line in out.splitlines())
    assert out.splitlines()[-1] == "API Gateway's own decision counts."
    assert "\x1b" not in out


def test_the_answer_as_json_is_the_apis(world: World, capsys: Capture) -> None:
    world.answers["POST /access/explain"] = (200, DENIED)
    assert main([*EXPLAIN, "--output", "json"]) == Exit.FAILURE
    assert json.loads(capsys.readouterr().out) == DENIED


def test_allowed_is_the_exit_status_too(world: World, capsys: Capture) -> None:
    allowed = {**DENIED, "Decision": "Allowed", "Checks": [], "Remarks": []}
    world.answers["POST /access/explain"] = (200, allowed)
    assert main(EXPLAIN) == 0
    assert "No statement names the action." in capsys.readouterr().err


def test_a_change_is_sent_to_be_tried(world: World, tmp_path: Path) -> None:
    world.answers["POST /access/explain"] = (200, DENIED)
    policy = tmp_path / "policy.json"
    policy.write_text('{"Statement": []}')
    more = ["--with-policy", str(policy), "--without-policy", "shells", "--document", "Support"]
    context = ["--context", "aws:SourceIp=192.0.2.7", "--context", "aws:SourceIp=192.0.2.8"]
    main([*EXPLAIN, *more, *context])
    assert world.asked[-1].body == {
        "PrincipalArn": JOHN,
        "Target": NODE,
        "DocumentName": "Support",
        "WithPolicies": ['{"Statement": []}'],
        "WithoutPolicies": ["shells"],
        "Context": {"aws:SourceIp": ["192.0.2.7", "192.0.2.8"]},
    }


def test_a_policy_file_that_cannot_be_read_is_refused_before_anything_is_asked(
    world: World, tmp_path: Path, capsys: Capture
) -> None:
    long, binary = tmp_path / "long", tmp_path / "binary"
    long.write_text("x" * (POLICY_TEXT.most + 1))
    binary.write_bytes(b"\xff\xfe")
    for path in (long, binary, tmp_path / "none"):
        assert main([*EXPLAIN, "--with-policy", str(path)]) == Exit.USAGE
        assert "hatchway: ValidationException: " in capsys.readouterr().err
    assert world.asked == []


@pytest.mark.parametrize("context", ["aws:SourceIp", "SourceIp=1"])
def test_context_that_is_none_is_refused(world: World, capsys: Capture, context: str) -> None:
    assert main([*EXPLAIN, "--context", context]) == Exit.USAGE
    assert "--context takes KEY=VALUE" in capsys.readouterr().err


def test_who_can(world: World, capsys: Capture) -> None:
    found: dict[str, list[dict[str, object]]] = {
        "Principals": [
            {"PrincipalArn": JOHN, "Decision": "Allowed"},
            {
                "PrincipalArn": JOHN.replace("john", "mary"),
                "Decision": "Conditional",
                "Unknown": ["aws:SourceIp"],
            },
        ]
    }
    world.answers["POST /access/who-can"] = (200, found)
    assert main(["access", "who-can", "--target", NODE]) == 0
    out = capsys.readouterr().out
    assert [line.split() for line in out.splitlines() if "arn:" in line] == [
        [JOHN, "Allowed"],
        [JOHN.replace("john", "mary"), "Conditional", "aws:SourceIp"],
    ]
    assert main(["access", "who-can", "--target", NODE, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "Principals": [{**found["Principals"][0], "Unknown": []}, found["Principals"][1]]
    }


def test_what_can(world: World, capsys: Capture) -> None:
    found = {"Nodes": [{"NodeId": NODE, "Name": "web-1", "Decision": "Allowed"}]}
    world.answers["POST /access/what-can"] = (200, found)
    assert main(["access", "what-can", "--as", JOHN]) == 0
    out = capsys.readouterr().out
    assert any(line.split() == [NODE, "web-1", "Allowed"] for line in out.splitlines())
    assert main(["access", "what-can", "--as", JOHN, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"Nodes": [{**found["Nodes"][0], "Unknown": []}]}
    world.answers["POST /access/what-can"] = (200, {"Nodes": []})
    assert main(["access", "what-can", "--as", JOHN]) == 0
    assert capsys.readouterr().err == "None.\n"
