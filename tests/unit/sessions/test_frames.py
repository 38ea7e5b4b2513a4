"""The stream's JSON routes: a connection speaks for its own session and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import AccessDeniedException, ThrottlingException
from hatchway.core.lifecycle import Status
from hatchway.core.tokens import SPARE_SECONDS, token_digest
from lambdas.sessions.lifecycle import next_spare
from lambdas.sessions.tokens import SIGNED_SECONDS
from tests.unit.sessions.world import (
    CONNECTION,
    EVERYTHING,
    NODE,
    STREAM,
    World,
    allow,
    deny,
)

START = allow("ssm:StartSession")


def test_ping_is_answered_with_its_request_id(world: World) -> None:
    session = world.connected(world.user("john", START))
    answer = world.frame(session, "ping", {"action": "ping", "RequestId": "7"})
    assert answer == {"action": "ping", "RequestId": "7"}


def test_describe_session_tells_of_the_connections_session(world: World) -> None:
    session = world.connected(world.user("john", START))
    answer = world.frame(session, "describeSession")
    assert answer["action"] == "describeSession"
    assert (answer["SessionId"], answer["Status"]) == (session.session_id, "Connected")


def test_terminate_answers_before_the_connection_is_closed(world: World) -> None:
    session = world.connected(world.user("john", START))
    answer = world.frame(
        session,
        "terminateSession",
        {"action": "terminateSession", "SessionId": session.session_id, "RequestId": "x"},
    )
    assert answer == {
        "action": "terminateSession",
        "RequestId": "x",
        "SessionId": session.session_id,
    }
    assert world.session(session.session_id).status is Status.TERMINATING
    assert world.clients.closed == [CONNECTION]
    assert world.downlink.hints[-1] == (NODE, session.session_id)


def test_resume_gives_the_owner_the_next_token(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    answer = world.frame(session, "resumeSession")
    assert answer["StreamUrl"] == STREAM
    assert world.token_opens(answer["TokenValue"]) == session.session_id


def test_tokens_that_a_program_asks_for_by_itself_say_so(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    answers = [
        (world.frame(session, "resumeSession"), True),
        (world.resume(john, session.session_id, Reconnect=True).members, True),
        (world.resume(john, session.session_id, Reconnect=False).members, False),
        (world.resume(john, session.session_id).members, False),
    ]
    for answer, reconnects in answers:
        digest = token_digest(answer["TokenValue"])
        used = world.sessions.use_token(digest, CONNECTION, world.clock())
        assert used is not None
        assert used.reconnects is reconnects


def test_a_token_of_the_stream_is_for_its_address_and_one_of_the_api_for_any(
    world: World,
) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    tokens = [
        (world.frame(session, "resumeSession"), "192.0.2.7"),
        (world.resume(john, session.session_id).members, ""),
    ]
    for answer, address in tokens:
        digest = token_digest(answer["TokenValue"])
        used = world.sessions.use_token(digest, CONNECTION, world.clock())
        assert used is not None
        assert used.source_ip == address


def test_a_connection_without_an_address_gets_no_token(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    world.stream_address = ""
    assert world.frame(session, "resumeSession")["__type"] == "AccessDeniedException"


def test_the_stream_gives_tokens_for_so_long_after_the_owner_signed(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    world.clock.advance(SIGNED_SECONDS - 1)
    assert "TokenValue" in world.frame(session, "resumeSession")
    world.clock.advance(1)
    assert world.frame(session, "resumeSession")["__type"] == "AccessDeniedException"
    assert "TokenValue" in world.resume(john, session.session_id).members
    assert "TokenValue" in world.frame(session, "resumeSession")


def test_a_spare_opens_until_it_expires_and_says_when_that_is(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    answer = world.frame(session, "resumeSession")
    assert answer["ExpiresIn"] == SPARE_SECONDS
    world.clock.advance(SPARE_SECONDS - 1)
    assert world.token_opens(answer["TokenValue"]) == session.session_id
    world.clock.advance(1)
    assert world.token_opens(answer["TokenValue"]) == ""


def test_no_spare_outlives_the_hours_since_the_owner_signed(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    world.clock.advance(SIGNED_SECONDS - 90)
    assert world.frame(session, "resumeSession")["ExpiresIn"] == 90


def test_a_session_knows_the_last_spare_alone(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    for _ in range(2):
        token = world.frame(session, "resumeSession")["TokenValue"]
        assert world.session(session.session_id).spare == token_digest(token)


def test_a_session_that_ends_knows_no_spare(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    world.frame(session, "resumeSession")
    world.terminate(john, session.session_id)
    assert world.session(session.session_id).spare == ""


def test_a_spare_is_no_activity(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    world.clock.advance(60)
    world.frame(session, "resumeSession")
    after = world.session(session.session_id)
    assert replace(after, spare="", version=session.version) == session


def test_whoever_is_displaced_while_asking_gets_no_spare(world: World) -> None:
    """The session as the frame read it, and as it is when it is written."""
    session = world.connected(world.user("john", EVERYTHING))
    world.sessions.update(session, replace(session, generation=2, connection="LaterOne1234567="))
    with pytest.raises(AccessDeniedException, match="taken the session over"):
        next_spare(world.service, session, "192.0.2.7")
    assert world.session(session.session_id).spare == ""


def test_a_session_from_before_that_was_recorded_counts_from_its_start(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    world.sessions.update(session, replace(session, proven=0.0))
    world.clock.advance(SIGNED_SECONDS + 1)
    assert world.frame(session, "resumeSession")["__type"] == "AccessDeniedException"


def test_resume_asks_the_owners_policies_as_they_are_now(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    world.user("john", EVERYTHING, deny("ssm:ResumeSession"))
    answer = world.frame(session, "resumeSession")
    assert answer["__type"] == "AccessDeniedException"
    assert "explicit deny" in answer["message"]
    assert "TokenValue" not in answer


def test_resume_is_refused_when_its_owner_is_gone(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    world.policies.remove(john.arn)
    assert world.frame(session, "resumeSession")["__type"] == "AccessDeniedException"


def test_what_the_stream_does_not_say_of_the_owner_is_unknown(world: World) -> None:
    condition = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}
    john = world.user("john", START, allow("ssm:ResumeSession", Condition=condition))
    assert world.frame(world.connected(john), "resumeSession")["__type"] == "AccessDeniedException"


@pytest.mark.parametrize("route", ["describeSession", "resumeSession", "terminateSession", "ping"])
def test_another_session_is_refused(world: World, route: str) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    other = world.started(world.user("john", EVERYTHING))
    answer = world.frame(session, route, {"action": route, "SessionId": other.session_id})
    assert answer["__type"] == "AccessDeniedException"
    assert world.session(other.session_id).status is Status.CONNECTING


@pytest.mark.parametrize("route", ["describeSession", "resumeSession", "terminateSession"])
def test_a_connection_that_was_taken_over_has_no_say(world: World, route: str) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    answer = world.frame(session, route, generation="2")
    assert answer["__type"] == "AccessDeniedException"
    assert world.session(session.session_id).status is Status.CONNECTED


@pytest.mark.parametrize("route", ["describeSession", "resumeSession", "terminateSession"])
def test_a_session_that_is_forgotten_does_not_exist(world: World, route: str) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    gone = session.session_id[:-1] + ("0" if session.session_id[-1] != "0" else "1")
    answer = world.frame(session, route, session=gone)
    assert answer["__type"] == "DoesNotExistException"


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{",
        '{"action": "ping", "action": "ping"}',
        '{"action": "ping", "Extra": 1}',
        '{"action": "describeSession"}',
        '{"action": "ping", "RequestId": 7}',
        '{"action": "ping", "RequestId": "' + "x" * 65 + '"}',
        '{"action": "ping", "SessionId": ""}',
        '{"action": "ping", "RequestId": "' + " " * 32768 + '"}',
        "{}",
    ],
)
def test_an_odd_frame_is_a_validation_error(world: World, body: str) -> None:
    session = world.connected(world.user("john", START))
    answer = world.frame(session, "ping", body)
    assert (answer["action"], answer["__type"]) == ("ping", "ValidationException")


def test_an_unknown_route_is_a_validation_error(world: World) -> None:
    session = world.connected(world.user("john", START))
    assert world.frame(session, "format", {"action": "format"})["__type"] == "ValidationException"


@pytest.mark.parametrize("missing", ["session", "side", "node", "owner", "generation"])
def test_without_the_authorizers_word_nothing_happens(world: World, missing: str) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    assert world.frame(session, "terminateSession", **{missing: ""}) == {}
    assert world.session(session.session_id).status is Status.CONNECTED
    assert world.lines.written[-1][1]["code"] == "TokenInvalid"


def test_a_lost_answer_does_not_undo_the_end(world: World) -> None:
    session = world.connected(world.user("john", START))
    world.clients.failure = ThrottlingException()
    assert world.frame(session, "terminateSession") == {}
    assert world.session(session.session_id).status is Status.TERMINATING
    assert world.lines.written[-1][1]["posted"] is False


def test_what_nobody_expected_is_an_internal_error_without_its_text(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    world.policies.failure = RuntimeError("a secret")  # type: ignore[assignment]
    answer = world.frame(session, "resumeSession")
    assert answer["__type"] == "InternalServerError"
    assert "secret" not in str(answer)
    assert "secret" not in str(world.lines.written[-1])


def test_each_frame_writes_one_line_and_no_token(world: World) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    before = len(world.lines.written)
    token = world.frame(session, "resumeSession")["TokenValue"]
    assert len(world.lines.written) == before + 1
    assert token not in str(world.lines.written)
