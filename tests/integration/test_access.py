"""Access over the deployed stacks: explanations, sample policies, and whose a session is."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.credentials import ReadOnlyCredentials

from hatchway.core.errors import Exit
from local.identities import ADMIN, JOHN, MARY, Statement
from local.instances import make_role
from local.signed import Reply
from local.stack import Stack
from tests.integration.ledger import secret_keys
from tests.integration.sessions import path_of, person, start, terminate
from tests.integration.terminal import cli

pytestmark = pytest.mark.stack

POLICIES = Path(__file__).parents[2] / "docs" / "policies"
START: Statement = {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*"}


def sample(stack: Stack, name: str) -> list[Statement]:
    """A sample policy's statements with the placeholders filled in."""
    text = (POLICIES / f"{name}.json").read_text()
    account = stack.stacks["ChannelRoleArn"].split(":")[4]
    for placeholder, value in {
        "111122223333": account,
        "PEOPLE_API_ID": stack.stacks["PeopleApiId"],
        "STAGE": "local",
    }.items():
        text = text.replace(placeholder, value)
    found: list[Statement] = json.loads(text)["Statement"]
    return found


def arn(stack: Stack, user: str) -> str:
    iam = stack.emulator.client("iam")
    return str(iam.get_user(UserName=user)["User"]["Arn"])


def explain(stack: Stack, principal: str) -> Reply:
    body = {"PrincipalArn": principal, "Target": stack.demo.node}
    return stack.people(ADMIN).call("POST", "/access/explain", body)


def decision(stack: Stack, principal: str) -> str:
    reply = explain(stack, principal)
    assert reply.status == 200, (reply.status, reply.code, reply.fields.get("message"))
    return str(reply.fields["Decision"])


def try_start(stack: Stack, who: str | ReadOnlyCredentials, **members: object) -> Reply:
    """StartSession, whatever comes of it; a session is ended again."""
    reply = stack.people(who).call("POST", f"/nodes/{stack.demo.node}/sessions", members)
    if reply.status == 200:
        terminate(stack, str(reply.fields["SessionId"]))
    return reply


@contextmanager
def role(stack: Stack, statements: Sequence[Statement]) -> Iterator[str]:
    """A role that people may assume, and call the people API with; its name."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    made = make_role(
        stack.emulator,
        stack.stacks,
        f"access-{secrets.token_hex(4)}",
        trust=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam = stack.emulator.client("iam")
    iam.attach_role_policy(RoleName=made.name, PolicyArn=stack.stacks["UserPolicyArn"])
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=made.name, PolicyName="sessions", PolicyDocument=document)
    yield made.arn


def assumed(
    stack: Stack, role_arn: str, session: str, policy: Sequence[Statement] = ()
) -> ReadOnlyCredentials:
    """A session of the role, cut down by a session policy where there is one."""
    more = {}
    if policy:
        document = {"Version": "2012-10-17", "Statement": list(policy)}
        more = {"Policy": json.dumps(document)}
    sts = stack.emulator.client("sts")
    found = sts.assume_role(RoleArn=role_arn, RoleSessionName=session, **more)["Credentials"]
    keys = ReadOnlyCredentials(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
    )
    return secret_keys(keys, f"session {session}")


# --- explain, who-can, what-can -----------------------------------------------------------------


def test_explain_agrees_with_what_happens(stack: Stack) -> None:
    for user, verdict, status in ((JOHN, "Allowed", 200), (MARY, "ImplicitlyDenied", 403)):
        assert decision(stack, arn(stack, user)) == verdict
        assert try_start(stack, user).status == status


def test_both_layers_are_explained_with_policy_and_statement(stack: Stack) -> None:
    checks = explain(stack, arn(stack, JOHN)).fields["Checks"]
    assert isinstance(checks, list)
    gateway, instance = checks
    assert (gateway["Layer"], gateway["Decision"]) == ("execute-api", "Allowed")
    assert gateway["Statements"][0]["Policy"] == stack.stacks["UserPolicyArn"]
    assert stack.stacks["PeopleApiId"] in gateway["Resource"]
    applied = [one for one in instance["Statements"] if one["Result"] == "Applied"]
    assert [(one["Source"], one["Policy"]) for one in applied] == [("user john", "demo")]


def test_the_command_names_condition_expected_and_actual_value(stack: Stack) -> None:
    """John's policy asks for the team web; this instance is the team db's."""
    node = stack.run_instance({"team": "db", "Name": f"db-{secrets.token_hex(4)}"})
    with stack.agent(node):
        done = cli(
            stack, "access", "explain", "--as", arn(stack, JOHN), "--target", node, user=ADMIN
        )
    assert done.returncode == Exit.FAILURE, done.stderr
    assert f"on {node}: ImplicitlyDenied" in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if "ssm:resourceTag/team" in line]
    for word in ("Allow", "user john demo", "NotApplied", "StringEquals"):
        assert word in row
    assert row.split()[-2:] == ["web", "db"]


def test_a_change_is_tried_before_it_is_made(stack: Stack, tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [START]}))
    asked = ("access", "explain", "--as", arn(stack, MARY), "--target", "demo")
    assert cli(stack, *asked, user=ADMIN).returncode == Exit.FAILURE
    tried = cli(stack, *asked, "--with-policy", str(policy), "--output", "json", user=ADMIN)
    assert tried.returncode == 0, tried.stderr
    assert json.loads(tried.stdout)["Decision"] == "Allowed"
    assert try_start(stack, MARY).status == 403


def test_who_can_finds_users_and_roles_page_by_page(stack: Stack) -> None:
    with role(stack, [START]) as role_arn:
        done = cli(stack, "access", "who-can", "--target", "demo", "--output", "json", user=ADMIN)
    assert done.returncode == 0, done.stderr
    found = {one["PrincipalArn"] for one in json.loads(done.stdout)["Principals"]}
    assert {arn(stack, JOHN), arn(stack, ADMIN), role_arn} <= found
    assert arn(stack, MARY) not in found
    first = stack.people(ADMIN).call(
        "POST", "/access/who-can?MaxResults=1", {"Target": stack.demo.node}
    )
    assert first.fields["NextToken"]


def test_what_can_finds_the_nodes_by_their_tags(stack: Stack) -> None:
    node = stack.run_instance({"team": "db", "Name": f"db-{secrets.token_hex(4)}"})
    with stack.agent(node):
        for user, nodes in ((ADMIN, {stack.demo.node, node}), (JOHN, {stack.demo.node})):
            done = cli(
                stack,
                "access",
                "what-can",
                "--as",
                arn(stack, user),
                "--output",
                "json",
                user=ADMIN,
            )
            found = {one["NodeId"] for one in json.loads(done.stdout)["Nodes"]}
            assert found & {stack.demo.node, node} == nodes
        nothing = cli(stack, "access", "what-can", "--as", arn(stack, MARY), user=ADMIN)
    assert nothing.stderr.strip() == "None."


def test_explaining_is_for_those_who_may_read_iam(stack: Stack) -> None:
    """At API Gateway already: the policy for users does not open these paths."""
    for path, body in (
        ("/access/explain", {"PrincipalArn": arn(stack, MARY), "Target": stack.demo.node}),
        ("/access/who-can", {"Target": stack.demo.node}),
        ("/access/what-can", {"PrincipalArn": arn(stack, MARY)}),
    ):
        assert stack.people(JOHN).call("POST", path, body).status == 403


# --- sample policies ----------------------------------------------------------------------------


def test_the_end_users_sample_opens_and_ends_own_sessions_only(stack: Stack) -> None:
    johns = start(stack)
    with person(stack, "sample-end-user", sample(stack, "end-user")) as user:
        own = start(stack, user.credentials)
        api = stack.people(user.credentials)
        assert api.call("DELETE", path_of(johns.session_id)).status == 403
        assert api.call("DELETE", path_of(own.session_id)).status == 200
        assert api.call("GET", "/nodes").status == 200
        assert try_start(stack, user.credentials, DocumentName="Other").status == 403
    terminate(stack, johns.session_id)


def test_own_sessions_of_a_role_session_by_the_sample(stack: Stack) -> None:
    with role(stack, sample(stack, "end-user")) as role_arn:
        jane, joan = (assumed(stack, role_arn, name) for name in ("jane", "joan"))
        own = start(stack, jane)
        assert stack.people(joan).call("DELETE", path_of(own.session_id)).status == 403
        assert stack.people(jane).call("DELETE", path_of(own.session_id)).status == 200


def test_a_deny_overrides_by_the_tag_of_the_node(stack: Stack) -> None:
    statements = [
        one if one["Sid"] != "ButNotOnPaymentNodes" else {**one, "Condition": _TEAM_WEB}
        for one in sample(stack, "deny-overrides")
    ]
    with person(stack, "sample-deny", statements) as user:
        reply = try_start(stack, user.credentials)
        assert reply.status == 403
        assert "explicit deny in an identity-based policy" in str(reply.fields["message"])
    with person(stack, "sample-allow", sample(stack, "deny-overrides")) as user:
        assert try_start(stack, user.credentials).status == 200


_TEAM_WEB: Mapping[str, object] = {"StringEquals": {"ssm:resourceTag/team": "web"}}


def test_a_window_that_is_over_or_yet_to_come_denies(stack: Stack) -> None:
    (statement,) = sample(stack, "on-call")
    for first, last, status in (
        ("2020-01-01T00:00:00Z", "2020-01-08T00:00:00Z", 403),
        ("2020-01-01T00:00:00Z", "2120-01-01T00:00:00Z", 200),
        ("2120-01-01T00:00:00Z", "2120-01-08T00:00:00Z", 403),
    ):
        dates = {
            "DateGreaterThanEquals": {"aws:CurrentTime": first},
            "DateLessThan": {"aws:CurrentTime": last},
        }
        with person(stack, "sample-on-call", [{**statement, "Condition": dates}]) as user:
            assert try_start(stack, user.credentials).status == status


# --- what API Gateway enforces ------------------------------------------------------------------


def test_a_session_policy_that_allows_only_ssm_stops_everything(stack: Stack) -> None:
    """IAM enforces it on Invoke: what differs from Session Manager, and fails closed."""
    only_ssm: Statement = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}
    everything: Statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with role(stack, [START]) as role_arn:
        cut = assumed(stack, role_arn, "cut", [only_ssm])
        assert try_start(stack, cut).status == 403
        assert try_start(stack, assumed(stack, role_arn, "wide", [everything])).status == 200


def test_a_session_policy_that_denies_only_ssm_is_not_seen(stack: Stack) -> None:
    """What the page for Session Manager's users warns of; a Deny of Invoke is enforced."""
    everything: Statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny: Statement = {"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"}
    invoke: Statement = {**deny, "Action": "execute-api:Invoke"}
    with role(stack, [START]) as role_arn:
        unseen = assumed(stack, role_arn, "unseen", [everything, deny])
        assert try_start(stack, unseen).status == 200
        enforced = assumed(stack, role_arn, "enforced", [everything, invoke])
        assert try_start(stack, enforced).status == 403


# --- whose a session is -------------------------------------------------------------------------


def test_a_user_made_again_under_the_same_name_has_nothing_of_the_old_ones(stack: Stack) -> None:
    """Same name, same ARN, same policies: the user id is another."""
    name = f"bob-{secrets.token_hex(4)}"
    own: Statement = {
        "Effect": "Allow",
        "Action": ["ssm:ResumeSession", "ssm:TerminateSession"],
        "Resource": "arn:aws:ssm:*:*:session/${aws:username}-*",
    }
    with person(stack, name, [START, own]) as old:
        session_id = start(stack, old.credentials).session_id
        again = stack.people(old.credentials).call("POST", path_of(session_id, "/resume"), {})
        assert again.status == 200
    with person(stack, name, [START, own]) as new:
        api = stack.people(new.credentials)
        assert new.arn == old.arn
        assert api.call("POST", path_of(session_id, "/resume"), {}).status == 403
        assert api.call("DELETE", path_of(session_id)).status == 403
    terminate(stack, session_id)
