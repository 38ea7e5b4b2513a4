"""ResumeSession and TerminateSession: whose a session is, and what its end does to both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import ENDED, Status
from tests.unit.sessions.world import (
    ACCOUNT,
    CONNECTION,
    EVERYTHING,
    NODE,
    REGION,
    STREAM,
    World,
    allow,
    deny,
)

SESSIONS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:session"
UNKNOWN = "john-0123456789abcdef0"
START = allow("ssm:StartSession")
# Both are examples of Systems Manager's own documentation.
OWN_BY_NAME = allow(
    "ssm:ResumeSession", "ssm:TerminateSession", on=f"{SESSIONS}/${{aws:username}}-*"
)
OWN_BY_TAG = allow(
    "ssm:ResumeSession",
    "ssm:TerminateSession",
    on=f"{SESSIONS}/*",
    Condition={"StringLike": {"ssm:resourceTag/aws:ssmmessages:session-id": ["${aws:userid}"]}},
)


def online(world: World, value: bool) -> None:
    node = world.nodes.get(NODE)
    assert node is not None
    world.nodes.update(node, replace(node, online=value))


# --- resume ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [OWN_BY_NAME, OWN_BY_TAG])
def test_the_owner_resumes_with_a_fresh_token(world: World, own: dict[str, object]) -> None:
    john = world.user("john", START, own)
    session = world.started(john)
    answer = world.resume(john, session.session_id)
    assert answer.status == 200
    assert answer.members["StreamUrl"] == STREAM
    assert answer.members["SessionId"] == session.session_id
    assert world.token_opens(answer.members["TokenValue"]) == session.session_id


def test_a_role_session_resumes_its_own(world: World) -> None:
    jane = world.role("Ops", "jane", START, OWN_BY_TAG)
    session = world.started(jane)
    assert world.resume(jane, session.session_id).status == 200


def test_resuming_needs_its_own_permission(world: World) -> None:
    john = world.user("john", START)
    assert world.resume(john, world.started(john).session_id).denied


def test_nobody_resumes_the_session_of_another_not_even_an_administrator(world: World) -> None:
    session = world.started(world.user("john", EVERYTHING))
    answer = world.resume(world.user("admin", EVERYTHING), session.session_id)
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert answer.message == "Only its owner may resume a session."


def test_a_role_session_of_another_role_with_the_same_name_is_another_owner(world: World) -> None:
    session = world.started(world.role("Ops", "jane", EVERYTHING))
    other = world.resume(world.role("Dev", "jane", EVERYTHING), session.session_id)
    assert other.message == "Only its owner may resume a session."


@pytest.mark.parametrize("status", [*sorted(ENDED), Status.TERMINATING])
def test_a_session_that_ends_or_has_ended_is_not_resumed(world: World, status: Status) -> None:
    john = world.user("john", EVERYTHING)
    session = world.started(john)
    world.sessions.update(session, replace(session, status=status, ended=world.clock()))
    answer = world.resume(john, session.session_id)
    assert (answer.status, answer.code) == (404, "DoesNotExistException")
    assert status.value in answer.message


@pytest.mark.parametrize("route", ["resume", "terminate"])
def test_a_session_that_never_was_looks_denied_unless_all_are_allowed(
    world: World, route: str
) -> None:
    act = getattr(world, route)
    assert act(world.user("admin", EVERYTHING), UNKNOWN).code == "DoesNotExistException"
    assert act(world.user("john", OWN_BY_TAG), UNKNOWN).denied
    assert act(world.user("john", OWN_BY_NAME), UNKNOWN).denied


# --- terminate ------------------------------------------------------------------------------------


def test_the_client_is_told_and_closed_and_the_agent_hinted(world: World) -> None:
    john = world.user("john", START, OWN_BY_NAME)
    session = world.connected(john)
    assert world.terminate(john, session.session_id).members == {"SessionId": session.session_id}
    after = world.session(session.session_id)
    assert after.status is Status.TERMINATING
    assert after.end_reason == f"Terminated by {john.arn}"
    assert len(world.clients.sent[CONNECTION]) == 1
    assert world.clients.closed == [CONNECTION]
    assert world.downlink.hints[-1] == (NODE, session.session_id)


def test_the_agent_is_told_before_the_client_and_whether_or_not_that_one_can_be(
    world: World,
) -> None:
    john = world.user("john", START, OWN_BY_NAME)
    session = world.connected(john)
    told: list[list[str]] = []
    world.downlink.on_hint = lambda node, name: told.append(list(world.clients.sent[CONNECTION]))
    world.clients.failure = ThrottlingException()
    assert world.terminate(john, session.session_id).status == 200
    assert told == [[]]
    world.clients.failure = None
    world.terminate(john, session.session_id)
    assert told == [[], []]
    assert len(world.clients.sent[CONNECTION]) == 1


def test_a_client_that_is_just_connecting_is_cut_off_as_well(world: World) -> None:
    john = world.user("john", START, OWN_BY_NAME)
    session = world.connected(john)
    world.clients.young.add(CONNECTION)
    world.terminate(john, session.session_id)
    assert world.clients.closed == [CONNECTION]


def test_a_session_that_no_agent_runs_is_over_at_once(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.started(john)
    world.terminate(john, session.session_id)
    after = world.session(session.session_id)
    assert (after.status, after.ended) == (Status.TERMINATED, world.clock())


def test_a_session_of_a_node_that_is_offline_is_over_at_once(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    online(world, False)
    world.terminate(john, session.session_id)
    assert world.session(session.session_id).status is Status.TERMINATED
    assert world.clients.closed == [CONNECTION]


def test_terminating_again_is_the_same_and_ends_what_lost_its_node_meanwhile(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    assert world.terminate(john, session.session_id).status == 200
    hints = len(world.downlink.hints)
    assert world.terminate(john, session.session_id).status == 200
    assert world.session(session.session_id).status is Status.TERMINATING
    assert len(world.downlink.hints) == hints + 1
    online(world, False)
    assert world.terminate(john, session.session_id).status == 200
    assert world.session(session.session_id).status is Status.TERMINATED


def test_terminating_an_ended_session_changes_nothing(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.ended(john)
    hints = list(world.downlink.hints)
    assert world.terminate(john, session.session_id).members == {"SessionId": session.session_id}
    assert world.session(session.session_id) == session
    assert world.downlink.hints == hints


def test_a_client_that_cannot_be_told_does_not_stop_the_end(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    world.clients.failure = ThrottlingException()
    assert world.terminate(john, session.session_id).status == 200
    assert world.session(session.session_id).status is Status.TERMINATING


def test_bob_never_touches_the_session_of_bob_admin(world: World) -> None:
    bob = world.user("bob", START, OWN_BY_NAME)
    admin = world.user("bob-admin", START, OWN_BY_NAME)
    theirs, his = world.started(admin), world.started(bob)
    assert world.terminate(bob, theirs.session_id).denied
    assert world.terminate(bob, his.session_id).status == 200
    assert world.terminate(admin, theirs.session_id).status == 200


def test_a_user_named_like_anothers_role_session_cannot_end_its_session(world: World) -> None:
    theirs = world.started(world.role("Ops", "bob", START))
    bob = world.user("bob", START, OWN_BY_NAME, OWN_BY_TAG)
    assert world.terminate(bob, theirs.session_id).denied
    assert world.session(theirs.session_id).status is Status.CONNECTING


def test_an_administrator_ends_the_session_of_anybody(world: World) -> None:
    session = world.started(world.user("john", START))
    admin = world.user("admin", allow("ssm:TerminateSession", on=f"{SESSIONS}/*"))
    assert world.terminate(admin, session.session_id).status == 200
    assert world.session(session.session_id).end_reason == f"Terminated by {admin.arn}"


def test_permission_on_the_sessions_of_one_node(world: World) -> None:
    session = world.started(world.user("john", START))
    target = "ssm:resourceTag/aws:ssmmessages:target-id"

    def may(node: str) -> dict[str, object]:
        condition = {"StringEquals": {target: node}}
        return dict(allow("ssm:TerminateSession", on=f"{SESSIONS}/*", Condition=condition))

    assert world.terminate(world.user("a", may("i-0aaaaaaaaaaaaaaaa")), session.session_id).denied
    assert world.terminate(world.user("b", may(NODE)), session.session_id).status == 200


def test_a_deny_for_ones_own_name_applies_in_doubt_to_foreign_sessions_too(world: World) -> None:
    session = world.started(world.user("john", START))
    careful = deny("ssm:TerminateSession", on=f"{SESSIONS}/${{aws:username}}-*")
    assert world.terminate(world.user("admin", EVERYTHING, careful), session.session_id).denied
