"""The warning before a date condition ends: in time, once, with the seconds that are left."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.ports import Session
from lambdas.review.judging import AHEAD, INTERVAL, NOTICE
from tests.unit.review.world import Reviewed
from tests.unit.sessions.world import Document, allow, deny


def until(world: Reviewed, seconds: float) -> Document:
    """Permission for so many seconds from now."""
    end = datetime.fromtimestamp(world.clock() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return allow("ssm:StartSession", Condition={"DateLessThan": {"aws:CurrentTime": end}})


def started(world: Reviewed, seconds: float) -> Session:
    return world.attached(world.user("john", until(world, seconds)))


@pytest.mark.parametrize("seconds", [1, 60, NOTICE, AHEAD])
def test_the_client_is_told_how_many_seconds_are_left(world: Reviewed, seconds: int) -> None:
    session = started(world, seconds)
    line = world.review()
    assert world.notices(session) == [{"notice": "accessEnding", "Seconds": seconds}]
    assert (line.fields["warned"], line.level) == (1, "INFO")
    assert world.now(session).status is Status.CONNECTED


def test_nobody_is_told_of_an_end_that_is_further_off(world: Reviewed) -> None:
    session = started(world, AHEAD + 1)
    world.review()
    assert world.notices(session) == []


@given(st.integers(1, 4000), st.integers(0, INTERVAL - 1))
def test_whoever_has_the_time_is_told_two_minutes_before_and_is_out_a_minute_after(
    seconds: int, phase: int
) -> None:
    """Reviews a minute apart, at any phase, and an end at any second."""
    world = Reviewed()
    session = started(world, seconds)
    end = world.clock() + seconds
    world.clock.advance(phase)
    told: list[float] = []
    while world.now(session).status is Status.CONNECTED:
        world.review()
        if world.notices(session) and not told:
            told.append(world.clock())
        world.clock.advance(INTERVAL)
    ended = world.now(session).status_since
    assert end <= ended < end + INTERVAL or (phase >= seconds and ended == end - seconds + phase)
    assert len(world.notices(session)) == (1 if phase < seconds else 0)
    if seconds - phase > AHEAD:
        assert NOTICE <= end - told[0] <= AHEAD


@pytest.mark.parametrize("key", ["aws:EpochTime", "aws:CurrentTime"])
def test_a_deny_that_begins_is_an_end_as_well(world: Reviewed, key: str) -> None:
    begins = {"NumericGreaterThanEquals": {key: str(int(world.clock()) + 100)}}
    if key == "aws:CurrentTime":
        end = datetime.fromtimestamp(world.clock() + 100, UTC).isoformat().replace("+00:00", "Z")
        begins = {"DateGreaterThanEquals": {key: end}}
    john = world.user("john", allow("ssm:StartSession"), deny("ssm:*", Condition=begins))
    session = world.attached(john)
    world.review()
    assert world.notices(session) == [{"notice": "accessEnding", "Seconds": 100}]


def test_it_is_said_once(world: Reviewed) -> None:
    session = started(world, 170)
    for _ in range(3):
        world.review()
        world.clock.advance(50)
    assert len(world.notices(session)) == 1


def test_an_end_that_moved_is_said_again(world: Reviewed) -> None:
    session = started(world, 100)
    world.review()
    world.again(world.user("john"), until(world, 150))
    world.review()
    assert [notice["Seconds"] for notice in world.notices(session)] == [100, 150]


def test_nobody_is_told_while_no_client_is_there_and_whoever_comes_back_is(
    world: Reviewed,
) -> None:
    session = started(world, 170)
    away = world.sessions.update(
        session, replace(session, status=Status.DISCONNECTED, connection="")
    )
    assert "warned" not in world.review().fields
    world.sessions.update(
        away, replace(away, status=Status.CONNECTED, connection=session.connection)
    )
    world.review()
    assert len(world.notices(session)) == 1


@pytest.mark.parametrize("how", ["gone", "throttled"])
def test_a_warning_that_did_not_arrive_is_tried_again(world: Reviewed, how: str) -> None:
    session = started(world, 170)
    if how == "gone":
        world.clients.lose(session.connection)
    else:
        world.clients.failure = ThrottlingException()
    assert world.review().fields["unheard"] == 1
    assert world.now(session).access_ends == 0.0
    world.clients.failure = None
    world.clients.open(session.connection)
    world.review()
    assert len(world.notices(session)) == 1


def test_a_session_that_ends_while_it_is_warned_stays_ended(world: Reviewed) -> None:
    session = started(world, 170)

    class Ending:
        """The session ends while its client is told."""

        def post(self, connection: str, text: str) -> bool:
            read, now = world.now(session), world.clock()
            world.sessions.update(read, replace(read, status=Status.TERMINATED, ended=now))
            return False

        def close(self, connection: str) -> None:
            raise AssertionError(connection)

    world.clients = Ending()  # type: ignore[assignment]
    assert world.review().level == "INFO"
    assert world.now(session).status is Status.TERMINATED


def test_the_notice_is_no_agent_message(world: Reviewed) -> None:
    session = started(world, 100)
    world.review()
    (text,) = world.clients.sent[session.connection]
    assert text.startswith("{")
    assert json.loads(text).keys() == {"notice", "Seconds"}
