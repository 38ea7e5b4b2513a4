"""docs/from-session-manager.md: what is the same and what differs, statement by statement."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.sessions.world import (
    ACCOUNT,
    EVERYTHING,
    NODE,
    REGION,
    Document,
    Person,
    World,
    allow,
    deny,
)

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "from-session-manager.md").read_text(encoding="utf-8")
SESSIONS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:session"

# The end-user policy of Systems Manager's user guide ("Quickstart default IAM policies for
# Session Manager", session-shell), with this account and Region filled in.
ORIGINAL: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["ssm:StartSession"],
            "Resource": [
                f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{NODE}",
                f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/SSM-SessionManagerRunShell",
            ],
            "Condition": {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}},
        },
        {
            "Effect": "Allow",
            "Action": [
                "ssm:DescribeSessions",
                "ssm:GetConnectionStatus",
                "ssm:DescribeInstanceProperties",
                "ec2:DescribeInstances",
            ],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Action": ["ssm:TerminateSession", "ssm:ResumeSession"],
            "Resource": ["arn:aws:ssm:*:*:session/${aws:userid}-*"],
        },
        {
            "Effect": "Allow",
            "Action": ["ssm:TerminateSession", "ssm:ResumeSession"],
            "Resource": ["arn:aws:ssm:*:*:session/${aws:username}-*"],
        },
    ],
}
NO_MFA = deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
# What the IAM console attaches to a role as AWSRevokeOlderSessions.
REVOKED = deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}})


def test_every_test_that_the_page_names_is_here() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    here = Path(__file__).read_text() + (ROOT / "tests/unit/adapters/test_iam.py").read_text()
    assert named <= set(re.findall(r"^def (test_\w+)", here, flags=re.MULTILINE))


def test_a_policy_for_session_manager_opens_the_same_doors(world: World) -> None:
    john = world.user("john", ORIGINAL)
    session = world.started(john, body={"DocumentName": "SSM-SessionManagerRunShell"})
    assert world.start(john).status == 200
    assert world.start(john, body={"DocumentName": "AWS-StartSSHSession"}).denied
    assert world.resume(john, session.session_id).status == 200
    assert world.terminate(john, session.session_id).status == 200
    assert world.call(john, "GET /sessions", query={"State": ["Active"]}).status == 200
    path = {"nodeId": NODE}
    assert world.call(john, "GET /nodes/{nodeId}/connection", path=path).status == 200
    assert world.call(john, "POST /nodes/{nodeId}/reset", path=path).denied


def test_an_allow_that_needs_mfa_never_applies(world: World) -> None:
    needs = allow("ssm:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    assert world.start(world.user("john", needs)).denied
    assert world.start(world.role("Ops", "jane", needs)).denied


def test_a_deny_without_mfa_denies_every_role_session(world: World) -> None:
    jane = world.start(world.role("Ops", "jane", EVERYTHING, NO_MFA))
    john = world.start(world.user("john", EVERYTHING, NO_MFA))
    for answer in (jane, john):
        assert answer.message.endswith("with an explicit deny in an identity-based policy")
    assert world.lines.written[0][1]["deniedUnknown"] == "aws:MultiFactorAuthPresent"


def test_revoked_older_sessions_denies_every_session_of_the_role(world: World) -> None:
    assert world.start(world.role("Ops", "jane", EVERYTHING, REVOKED)).denied
    assert world.start(world.user("john", EVERYTHING, REVOKED)).status == 200


def test_tags_of_a_role_session_are_unknown_even_where_the_role_has_them(world: World) -> None:
    tagged = allow("ssm:StartSession", Condition={"StringEquals": {"aws:PrincipalTag/team": "web"}})
    assert world.start(world.role("Ops", "jane", tagged)).denied
    assert world.start(world.user("john", tagged, tags={"team": "web"})).status == 200


@pytest.mark.parametrize("key", ["aws:SourceIdentity", "aws:FederatedProvider", "saml:sub"])
def test_what_an_identity_provider_says_is_unknown(world: World, key: str) -> None:
    said = allow("ssm:StartSession", Condition={"StringLike": {key: "*"}})
    assert world.start(world.role("Ops", "jane", said)).denied
    assert world.start(world.user("john", said)).denied
    not_said = deny("ssm:*", Condition={"StringEquals": {key: "x"}})
    assert world.start(world.role("Ops", "jane", EVERYTHING, not_said)).denied
    assert world.start(world.user("john", EVERYTHING, not_said)).status == 200


def test_a_session_policy_or_scp_that_denies_only_ssm_is_not_seen(world: World) -> None:
    """Nothing in a request tells of either; what they say of Invoke, API Gateway has enforced."""
    jane = world.role("Ops", "jane", EVERYTHING)
    assert not {"sessionPolicy", "principalPolicies"} & set(jane.identity())
    assert world.start(jane).status == 200


def test_a_name_pattern_reaches_ones_own_sessions_only(world: World) -> None:
    bob = world.user("bob", ORIGINAL)
    others = [
        world.user("bob-admin", EVERYTHING),
        world.role("Ops", "bob", EVERYTHING),
        replace(bob, userid="AIDADELETEDBOB"),
    ]
    world.policies.add(bob.arn, "AIDADELETEDBOB", world.policies.of(bob.arn, bob.userid))
    theirs = [world.started(person) for person in others]
    bob = world.user("bob", ORIGINAL)
    for session in theirs:
        assert session.session_id.startswith("bob-")
        assert world.terminate(bob, session.session_id).denied
        assert world.resume(bob, session.session_id).denied
    assert world.terminate(bob, world.started(bob).session_id).status == 200


def test_an_administrator_ends_but_never_resumes_the_session_of_another(world: World) -> None:
    session = world.started(world.user("john", EVERYTHING))
    admin = world.user("admin", EVERYTHING)
    answer = world.resume(admin, session.session_id)
    assert answer.message == "Only its owner may resume a session."
    assert world.terminate(admin, session.session_id).status == 200


def test_explaining_access_is_a_permission_of_its_own(world: World) -> None:
    john = world.user("john", EVERYTHING)
    body = {"PrincipalArn": john.arn, "Target": NODE}
    assert world.call(john, "POST /access/explain", body=body).denied
    reader = world.user("reader", allow("iam:SimulatePrincipalPolicy"))
    assert world.call(reader, "POST /access/explain", body=body).status == 200


@pytest.mark.parametrize(
    "person",
    [
        Person(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        Person(f"arn:aws:sts::{ACCOUNT}:federated-user/bob", f"{ACCOUNT}:bob"),
        Person("arn:aws:iam::999999999999:user/bob", "AIDABOBEXAMPLE", account="999999999999"),
    ],
    ids=["root", "federated", "other account"],
)
def test_root_federated_users_and_other_accounts_are_refused(world: World, person: Person) -> None:
    answer = world.start(person)
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert answer.message == "Only IAM users and roles of this account may call."
