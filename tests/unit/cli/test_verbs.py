"""Verbs that answer at once: tables for people, JSON for programs, errors with a status."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hatchway.cli.exits import apart
from hatchway.cli.main import VERBS, main
from hatchway.core.errors import Exit
from tests.unit.client.world import NODE, SESSION, World

pytestmark = pytest.mark.timeout(60)
NODES = {
    "Nodes": [
        {
            "NodeId": NODE,
            "Name": "web\x1b]0;owned\x07",
            "PingStatus": "Online",
            "AgentVersion": "0.1.0",
            "LastPingDateTime": 1_700_000_000,
            "Tags": {"team": "[red]web", "Name": "web"},
        },
        {"NodeId": "i-0123456789abcdef1", "Name": "db", "PingStatus": "ConnectionLost"},
    ]
}
SESSIONS = {
    "Sessions": [
        {
            "SessionId": SESSION,
            "Target": NODE,
            "Status": "Terminated",
            "Owner": "arn:aws:iam::000000000000:user/john",
            "Reason": "look\u202e at it",
            "StartDate": 1_700_000_000,
            "EndDate": 1_700_000_060,
            "EndReason": "exit",
            "ExitCode": 3,
        }
    ]
}
Capture = pytest.CaptureFixture[str]


def test_nodes_as_a_table_with_foreign_fields_escaped(world: World, capsys: Capture) -> None:
    world.answers["GET /nodes"] = (200, NODES)
    assert main(["list-nodes"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    assert "web\\x1b]0;owned\\x07" in out
    assert "team=[red]web" in out
    assert all(word in out for word in (NODE, "Online", "ConnectionLost", "Node", "Status"))


def test_nodes_as_json_with_the_apis_names(world: World, capsys: Capture) -> None:
    world.answers["GET /nodes"] = (200, NODES)
    assert main(["list-nodes", "--output", "json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "\x1b" not in out
    assert json.loads(out)["Nodes"][1] == {
        "NodeId": "i-0123456789abcdef1",
        "Name": "db",
        "PingStatus": "ConnectionLost",
        "AgentVersion": None,
        "LastPingDateTime": None,
        "Tags": {},
    }


def test_an_empty_list_is_said_on_standard_error(world: World, capsys: Capture) -> None:
    world.answers["GET /nodes"] = (200, {"Nodes": []})
    assert main(["list-nodes"]) == 0
    assert capsys.readouterr() == ("", "No node has enrolled.\n")


def test_sessions(world: World, capsys: Capture) -> None:
    world.answers["GET /sessions"] = (200, SESSIONS)
    arguments = ["describe-sessions", "--state", "History", "--filter", "Owner=john"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in (SESSION, "user/john", "exit (exit code 3)", "\\u202e"))
    assert world.asked[0].query == "State=History&Filter=Owner=john"
    assert main([*arguments, "--output", "json"]) == 0
    found = json.loads(capsys.readouterr().out)["Sessions"][0]
    assert found["EndDate"] == "2023-11-14T22:14:20+00:00"
    assert found["ExitCode"] == 3


def test_a_filter_that_is_none_is_refused_before_anything_is_asked(
    world: World, capsys: Capture
) -> None:
    assert main(["describe-sessions", "--filter", "Owner"]) == Exit.USAGE
    assert "hatchway: ValidationException: " in capsys.readouterr().err
    assert world.asked == []


def test_terminating(world: World, capsys: Capture) -> None:
    assert main(["terminate-session", "--session-id", SESSION]) == 0
    assert SESSION in capsys.readouterr().out
    assert main(["terminate-session", "--session-id", SESSION, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"SessionId": SESSION}
    assert [asked.method for asked in world.asked] == ["DELETE", "DELETE"]


ALL = "POST /sessions/terminate"
OWNER = "arn:aws:iam::000000000000:user/john"


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["--owner", OWNER], {"Owner": OWNER}),
        (["--target", NODE], {"Target": NODE}),
        (["--all"], {"All": True}),
    ],
)
def test_terminating_many(
    arguments: list[str], body: dict[str, object], world: World, capsys: Capture
) -> None:
    world.answers[ALL] = (200, {"Terminated": 2, "Refused": 0, "Failed": 0})
    assert main(["terminate-sessions", *arguments]) == 0
    assert capsys.readouterr() == ("Terminated 2 sessions.\n", "")
    assert [asked.body for asked in world.asked] == [body]


@pytest.mark.parametrize("arguments", [[], ["--all", "--target", NODE]])
def test_many_are_terminated_only_by_one_plain_word(
    arguments: list[str], world: World, capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["terminate-sessions", *arguments])
    assert left.value.code == Exit.USAGE
    assert world.asked == []


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"Terminated": 1, "Refused": 1}, Exit.DENIED, "1 session may not be ended by you"),
        ({"Terminated": 1, "Failed": 3}, Exit.CONFLICT, "3 sessions could not be ended"),
        ({"Refused": 1, "Failed": 3}, Exit.CONFLICT, "3 sessions could not be ended"),
    ],
)
def test_a_session_that_goes_on_is_said_and_is_a_failure(
    answer: dict[str, object], status: int, said: str, world: World, capsys: Capture
) -> None:
    world.answers[ALL] = (200, answer)
    assert main(["terminate-sessions", "--all"]) == status
    assert said in capsys.readouterr().err
    assert main(["terminate-sessions", "--all", "--output", "json"]) == status
    whole = {"Terminated": 0, "Refused": 0, "Failed": 0} | answer
    assert json.loads(capsys.readouterr().out) == whole


@pytest.mark.parametrize(
    ("status", "exit_status"), [("connected", Exit.OK), ("notconnected", Exit.NOT_CONNECTED)]
)
def test_connection_status_is_the_exit_status_too(
    status: str, exit_status: int, world: World, capsys: Capture
) -> None:
    world.answers[f"GET /nodes/{NODE}/connection"] = (200, {"Target": NODE, "Status": status})
    assert main(["get-connection-status", "--target", NODE]) == exit_status
    assert capsys.readouterr().out == f"{NODE} {status}\n"
    assert main(["get-connection-status", "--target", NODE, "--output", "json"]) == exit_status
    assert json.loads(capsys.readouterr().out) == {"Target": NODE, "Status": status}


def test_a_name_that_several_nodes_have_is_an_error_that_lists_them(
    world: World, capsys: Capture
) -> None:
    twins = [{"NodeId": f"i-{n:017x}", "Name": "web", "PingStatus": "Online"} for n in (1, 2)]
    world.answers["GET /nodes"] = (200, {"Nodes": twins})
    assert main(["start-session", "--target", "web"]) == apart(Exit.USAGE)
    err = capsys.readouterr().err
    assert err.startswith("hatchway: TargetAmbiguous: 2 nodes have ")
    assert all(str(twin["NodeId"]) in err.splitlines()[0] for twin in twins)
    assert "Name one of them by its id." in err


def test_administration_of_nodes(world: World, capsys: Capture) -> None:
    role = {"RoleId": "AROAEXAMPLEEXAMPLE", "RoleArn": "arn:aws:iam::000000000000:role/web"}
    world.answers["POST /node-roles"] = (200, role)
    world.answers["GET /node-roles"] = (200, {"NodeRoles": [role]})
    world.answers[f"POST /nodes/{NODE}/reset"] = (200, {"NodeId": NODE})
    for arguments in (
        ["nodes", "allow-role", "--role-arn", role["RoleArn"]],
        ["nodes", "list-roles"],
        ["nodes", "remove-role", "--role-id", role["RoleId"]],
        ["nodes", "reset", "--target", NODE],
    ):
        assert main(arguments) == 0
        assert capsys.readouterr().out.strip()
        assert main([*arguments, "--output", "json"]) == 0
        assert json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("members", "said"),
    [({"Connections": "open"}, "still open"), ({"Failed": 2}, "2 of its sessions")],
)
def test_a_reset_that_leaves_something_says_so_and_fails(
    world: World, capsys: Capture, members: dict[str, object], said: str
) -> None:
    world.answers[f"POST /nodes/{NODE}/reset"] = (200, {"NodeId": NODE, **members})
    digest = "0" * 64
    assert main(["nodes", "reset", "--target", NODE, "--enrolment", digest]) == Exit.CONFLICT
    assert said in capsys.readouterr().err
    assert world.asked[-1].body == {"EnrolmentDigest": digest}


@pytest.mark.parametrize(
    ("code", "status", "exit_status"),
    [
        ("AccessDeniedException", 403, Exit.DENIED),
        ("DoesNotExistException", 404, Exit.NOT_FOUND),
        ("ConflictException", 409, Exit.CONFLICT),
    ],
)
def test_an_error_is_one_line_with_code_and_request_id_and_a_next_step(
    code: str, status: int, exit_status: int, world: World, capsys: Capture
) -> None:
    refusal = {"__type": code, "message": "no\x1b[2J,\nnever"}
    world.answers[f"DELETE /sessions/{SESSION}"] = (status, refusal)
    assert main(["terminate-session", "--session-id", SESSION]) == exit_status
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first == f"hatchway: {code}: no\\x1b[2J,\\nnever (request id request-1)"
    assert second.startswith("  ")


def test_without_a_configuration_the_error_says_what_to_write(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: object
) -> None:
    monkeypatch.setenv("HATCHWAY_CONFIG", f"{tmp_path}/gone.toml")
    assert main(["list-nodes"]) == Exit.USAGE
    assert "gone.toml" in capsys.readouterr().err


def test_a_fault_of_the_program_is_one_line_too(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    world.answers["GET /nodes"] = (200, {"Nodes": [3]})
    assert main(["list-nodes"]) == Exit.INTERNAL
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.parametrize("arguments", [["--help"], *([verb.NAME, "--help"] for verb in VERBS)])
def test_help_is_there_for_every_verb(arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    assert "usage: hatchway" in capsys.readouterr().out


def test_help_lists_every_exit_status(capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(f"  {int(status):>3}  " in out for status in Exit)


def test_the_command_line_is_read_before_anything_slow_is_loaded() -> None:
    code = (
        "import sys; from hatchway.cli.main import build_parser; build_parser();"
        "slow = {'botocore', 'rich', 'websockets', 'asyncio', 'ssl'} & set(sys.modules);"
        "sys.exit(repr(slow) if slow else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_reader_that_leaves_is_no_error(world: World) -> None:
    world.answers["GET /nodes"] = (200, {"Nodes": NODES["Nodes"] * 3000})
    command = f"{sys.executable} -m hatchway.cli list-nodes --output json | head -1"
    command += "; exit ${PIPESTATUS[0]}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    assert done.stdout == b"{\n"
    assert done.stderr == b""
    assert done.returncode == 141
