"""A grant that ends, ends the session; and all sessions ended by one word. Over the stacks.

The review runs each minute by itself; here it is invoked, so that nobody waits for the clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pexpect
import pytest

from hatchway.cli.exits import apart
from hatchway.core.errors import Exit
from local.deployment import STAGE
from local.identities import ADMIN, JOHN, STATEMENTS, Statement, User, policy
from local.stack import Stack
from local.waiting import until
from tests.integration.bare_client import BareClient
from tests.integration.edges import another_node
from tests.integration.sessions import (
    OPEN_SESSIONS,
    PATIENCE,
    connect,
    described,
    person,
    quiet_shell,
    start,
    terminate,
    wait_status,
)
from tests.integration.terminal import cli, terminal

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

REVOKED = "access revoked"
#: The default of `lambdas/quotas.py`, and what the stacks of the tests have.
PER_USER = 20


def review(stack: Stack) -> None:
    """One run of the review."""
    name = f"hatchway-{STAGE}-review"
    answer = stack.emulator.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read()


def ended(stack: Stack, session_id: str) -> object:
    """Why a session ended, once it has."""
    return wait_status(stack, session_id, "Terminated")["EndReason"]


def attached(stack: Stack, user: User, node: str = "") -> tuple[str, BareClient]:
    """A shell of `user`'s that answers."""
    started = start(stack, user.credentials, node)
    client = connect(stack, started)
    client.greet()
    client.resize(80, 24)
    client.run("echo re''ady", "ready")
    return started.session_id, client


def cut_off(client: BareClient) -> object:
    """What the service said last to the client, whose connection it closed."""
    client.until(lambda: client.closed is not None)
    until(lambda: client.lost or _read(client), PATIENCE, "the connection is still open")
    assert client.closed is not None
    return client.closed["Output"]


def _read(client: BareClient) -> bool:
    client._step()
    return client.lost


@contextmanager
def johns_policy(stack: Stack, *statements: Statement) -> Iterator[None]:
    """Other statements for john, until the test is over."""
    iam = stack.emulator.client("iam")

    def put(given: Sequence[Statement]) -> None:
        iam.put_user_policy(UserName=JOHN, PolicyName="demo", PolicyDocument=policy(given))

    try:
        if statements:
            put(statements)
        else:
            iam.delete_user_policy(UserName=JOHN, PolicyName="demo")
        yield
    finally:
        put(STATEMENTS[JOHN])
        until(lambda: _may_see(stack), PATIENCE, "john's policies are still those of the test")


def _may_see(stack: Stack) -> bool:
    """The people API keeps policies for some seconds."""
    return stack.people(JOHN).call("GET", "/sessions?State=Active").status == 200


def before(seconds: float) -> Statement:
    """StartSession everywhere until so many seconds from now."""
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "Effect": "Allow",
        "Action": "ssm:StartSession",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:CurrentTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}},
    }


# --- the grant ends -----------------------------------------------------------------------------


def test_john_s_shell_ends_with_his_policy_and_his_terminal_says_why(
    stack: Stack, tmp_path: Path
) -> None:
    with terminal(stack, tmp_path) as shell:
        review(stack)
        assert shell.run("echo st''ill") == "still"
        with johns_policy(stack):
            review(stack)
            shell.child.expect_exact(f"Session {shell.session_id} ended")
            shell.child.expect_exact(REVOKED)
            shell.child.expect(pexpect.EOF)
            assert ended(stack, shell.session_id) == REVOKED
        shell.child.close()
        assert int((tmp_path / "status").read_text()) == apart(Exit.FAILURE)
        before_, after = shell.settings
        assert before_ == after != ""


def test_john_s_terminal_warns_before_a_date_ends_his_grant_and_then_the_shell_ends(
    stack: Stack, tmp_path: Path
) -> None:
    with terminal(stack, tmp_path) as shell, johns_policy(stack, before(25)):
        review(stack)
        review(stack)
        shell.child.expect(r"\[hatchway: Your permission ends in \d+ s, and this session with it\]")
        assert described(stack, shell.session_id)["Status"] == "Connected"

        def over() -> bool:
            review(stack)
            return described(stack, shell.session_id)["Status"] == "Terminated"

        until(over, 40.0, "the session outlives its permission")
        assert shell.child.expect_exact([REVOKED, "Your permission ends"]) == 0  # warned once
        assert ended(stack, shell.session_id) == REVOKED


def test_deleting_the_user_ends_the_session_and_a_user_of_the_same_name_does_not_keep_it(
    stack: Stack,
) -> None:
    with person(stack, "gone") as user:
        session_id, client = attached(stack, user)
        with person(stack, "gone") as again:
            assert again.arn == user.arn
            review(stack)
            assert cut_off(client) == REVOKED
            assert ended(stack, session_id) == REVOKED


def test_a_boundary_that_does_not_allow_ends_the_session(stack: Stack) -> None:
    iam = stack.emulator.client("iam")
    with person(stack, "bounded") as user:
        session_id, client = attached(stack, user)
        boundary = iam.create_policy(
            PolicyName="revocation-boundary",
            PolicyDocument=policy([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]),
        )["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)
        try:
            review(stack)
            assert cut_off(client) == REVOKED
            assert ended(stack, session_id) == REVOKED
        finally:
            iam.delete_user_permissions_boundary(UserName=user.name)
            iam.delete_policy(PolicyArn=boundary)


def test_a_tag_that_is_changed_ends_the_sessions_that_it_allowed_and_no_other(
    stack: Stack,
) -> None:
    with another_node(stack) as node, person(stack, "tagged") as user:
        session_id, client = attached(stack, user, node)
        here, other = attached(stack, user)
        tags = [{"Key": "team", "Value": "db"}]
        stack.emulator.client("ec2").create_tags(Resources=[node], Tags=tags)
        review(stack)
        assert cut_off(client) == REVOKED
        assert ended(stack, session_id) == REVOKED
        other.run("echo st''ill", "still")
        terminate(stack, here)


def test_what_was_known_of_the_start_keeps_the_session(stack: Stack) -> None:
    """The review has no request of the person's to look at: it has the one that was kept."""
    known: Statement = {
        "Effect": "Allow",
        "Action": "ssm:StartSession",
        "Resource": "*",
        "Condition": {
            "IpAddress": {"aws:SourceIp": "127.0.0.0/8"},
            "StringLike": {"aws:UserAgent": "*"},
        },
    }
    with person(stack, "known", [*OPEN_SESSIONS[2:], known]) as user:
        session_id, client = attached(stack, user)
        review(stack)
        client.run("echo st''ill", "still")
        terminate(stack, session_id)


# --- all sessions at once -----------------------------------------------------------------------


def ends_all(stack: Stack, who: str, *arguments: str) -> tuple[int, dict[str, int]]:
    done = cli(stack, "terminate-sessions", *arguments, "--output", "json", user=who)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def test_a_caller_has_so_many_sessions_and_one_command_ends_them_all(stack: Stack) -> None:
    with person(stack, "many") as user, quiet_shell(stack) as (_, john):
        begun = [start(stack, user.credentials).session_id for _ in range(PER_USER)]
        path = f"/nodes/{stack.demo.node}/sessions"
        refused = stack.people(user.credentials).call("POST", path, {})
        assert (refused.status, refused.code) == (409, "LimitExceededException")
        assert f"{PER_USER} sessions of this caller" in str(refused.fields["message"])
        status, counts = ends_all(stack, ADMIN, "--owner", user.arn)
        assert (status, counts) == (0, {"Terminated": PER_USER, "Refused": 0, "Failed": 0})
        for session_id in begun:
            assert str(ended(stack, session_id)).startswith("Terminated by")
        john.run("echo st''ill", "still")
        terminate(stack, start(stack, user.credentials).session_id)


def test_one_call_ends_what_runs_on_a_node_and_nothing_elsewhere(stack: Stack) -> None:
    with another_node(stack) as node, person(stack, "busy") as user, quiet_shell(stack) as john:
        session_id, client = attached(stack, user, node)
        reply = stack.people(ADMIN).call("POST", "/sessions/terminate", {"Target": node})
        assert (reply.status, reply.fields["Terminated"]) == (200, 1)
        assert str(cut_off(client)).startswith("Terminated by")
        ended(stack, session_id)
        john[1].run("echo st''ill", "still")


def test_all_sessions_of_the_deployment_end(stack: Stack) -> None:
    with person(stack, "first") as one, person(stack, "second") as two:
        shells = [attached(stack, user) for user in (one, two)]
        status, counts = ends_all(stack, ADMIN, "--all")
        assert status == 0
        assert counts["Terminated"] >= len(shells)
        for session_id, client in shells:
            cut_off(client)
            ended(stack, session_id)


def test_a_person_without_the_administrators_policy_ends_nobody_s_sessions(stack: Stack) -> None:
    with quiet_shell(stack) as (_, client):
        status, _counts = ends_all(stack, JOHN, "--all")
        assert status == Exit.DENIED
        client.run("echo st''ill", "still")


# --- the counts ---------------------------------------------------------------------------------


def test_a_count_that_drifted_locks_nobody_out_for_long(stack: Stack) -> None:
    table = stack.emulator.client("dynamodb")
    account = stack.emulator.client("sts").get_caller_identity()["Account"]
    with person(stack, "counted") as user:
        user_id = stack.emulator.client("iam").get_user(UserName=user.name)["User"]["UserId"]
        key = {"pk": {"S": f"COUNT#user/{account}/{user_id}"}, "sk": {"S": "STATE"}}
        session_id = start(stack, user.credentials).session_id
        table.update_item(
            TableName=stack.stacks["TableName"],
            Key=key,
            UpdateExpression="SET #n = :n, changed = :long_ago",
            ExpressionAttributeNames={"#n": "sessions"},
            ExpressionAttributeValues={":n": {"N": "20"}, ":long_ago": {"N": "1.0"}},
        )
        path = f"/nodes/{stack.demo.node}/sessions"
        refused = stack.people(user.credentials).call("POST", path, {})
        assert refused.code == "LimitExceededException"
        review(stack)
        found = table.get_item(TableName=stack.stacks["TableName"], Key=key)["Item"]
        assert found["sessions"] == {"N": "1"}
        terminate(stack, start(stack, user.credentials).session_id)
        terminate(stack, session_id)
