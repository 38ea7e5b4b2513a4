"""Changes of a session: lost races are decided anew, ends look the same to every client."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hatchway.core import wire
from hatchway.core.errors import (
    ConflictException,
    DoesNotExistException,
    IllegalTransition,
    ThrottlingException,
)
from hatchway.core.lifecycle import ENDED, Event, Status, advance
from hatchway.core.names import Owner
from hatchway.core.wire import MessageType
from lambdas import transitions
from lambdas.memory.clock import CountedRandom, ManualClock
from lambdas.memory.connections import MemoryClients
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Session, Token

NOW = 1_800_000_000.0


def session(**changes: object) -> Session:
    made = Session(
        session_id="john-0123456789abcdef0",
        target="i-0123456789abcdef0",
        owner=Owner("123456789012", "AIDAJOHN"),
        owner_arn="arn:aws:iam::123456789012:user/john",
        status=Status.CONNECTING,
        started=NOW,
        document_name="SSM-SessionManagerRunShell",
        document="{}",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def stored(one: Session) -> tuple[MemorySessions, Session]:
    store = MemorySessions(ManualClock(NOW))
    token = Token(digest="d", session_id=one.session_id, expires=NOW + 60)
    return store, store.create(one, token, None)


class Racing(MemorySessions):
    """Someone else writes between each read and the update, `races` times."""

    def __init__(self, races: int) -> None:
        super().__init__(ManualClock(NOW))
        self.races = races

    def update(self, read: Session, changed: Session) -> Session:
        if self.races:
            self.races -= 1
            super().update(read, replace(read, activity=read.activity + 1))
        return super().update(read, changed)


def racing(races: int) -> Racing:
    store = Racing(races)
    token = Token(digest="d", session_id=session().session_id, expires=NOW + 60)
    store.create(session(), token, None)
    return store


def test_a_change_is_written_once_on_the_state_read() -> None:
    store, one = stored(session())
    done = transitions.change(store, one.session_id, lambda s: replace(s, activity=5.0))
    assert done.written
    assert not done.ended
    assert store.get(one.session_id) == done.after
    assert done.after.version == one.version + 1


def test_a_plan_that_changes_nothing_writes_nothing() -> None:
    store, one = stored(session())
    assert not transitions.change(store, one.session_id, lambda s: s).written
    assert len(store.changes) == 1


def test_a_given_read_spares_the_first_one_but_not_the_check() -> None:
    store, one = stored(session())
    store.update(one, replace(one, activity=1.0))
    done = transitions.change(
        store, one.session_id, lambda s: replace(s, generation=s.generation + 1), read=one
    )
    assert (done.after.activity, done.after.generation) == (1.0, 1)


def test_a_lost_race_is_decided_anew_on_fresh_state() -> None:
    store = racing(transitions.ATTEMPTS - 1)
    done = transitions.change(
        store, session().session_id, lambda s: replace(s, generation=s.generation + 1)
    )
    assert done.after.generation == 1
    assert done.after.activity == transitions.ATTEMPTS - 1


def test_races_without_end_are_a_conflict() -> None:
    store = racing(transitions.ATTEMPTS)
    with pytest.raises(ConflictException):
        transitions.change(store, session().session_id, lambda s: replace(s, generation=1))


def test_a_session_that_is_not_there_is_a_typed_error() -> None:
    store, _ = stored(session())
    with pytest.raises(DoesNotExistException):
        transitions.change(store, "mary-0123456789abcdef0", lambda s: s)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("event", Event)
def test_every_pair_moves_as_the_table_says(status: Status, event: Event) -> None:
    one = session(status=status, ended=NOW if status in ENDED else 0.0)
    try:
        expected = advance(status, event)
    except IllegalTransition:
        with pytest.raises(IllegalTransition):
            transitions.moved(one, event, NOW + 1)
        return
    after = transitions.moved(one, event, NOW + 1, reason="Why", exit_code=3)
    assert after.status is expected
    if expected is status:
        assert after is one
    else:
        assert after.status_since == NOW + 1
        assert after.ended == (NOW + 1 if expected in ENDED else 0.0)
        assert after.exit_code == (3 if expected in ENDED else None)


def test_the_first_reason_stands() -> None:
    told = transitions.moved(
        session(status=Status.CONNECTED), Event.EXPIRE, NOW, reason="IdleTimeout"
    )
    over = transitions.moved(told, Event.EXITED, NOW + 1, reason="Exited", exit_code=129)
    assert (over.status, over.end_reason, over.exit_code) == (
        Status.TERMINATED,
        "IdleTimeout",
        129,
    )


def test_a_farewell_is_a_channel_closed_message_and_then_a_closed_connection() -> None:
    clients = MemoryClients()
    clients.open("c1")
    one = session(connection="c1")
    assert transitions.farewell(clients, one, "Idle for 20 minutes.\x1b[2J", NOW, CountedRandom())
    [frame] = wire.from_text(clients.sent["c1"][0])
    message = wire.parse(frame)
    payload = json.loads(message.payload)
    assert message.message_type is MessageType.CHANNEL_CLOSED
    assert message.created == int(NOW * 1000)
    assert payload == {
        "MessageId": str(message.message_id),
        "CreatedDate": "2027-01-15T08:00:00.000Z",
        "DestinationId": one.session_id,
        "SessionId": one.session_id,
        "MessageType": "channel_closed",
        "SchemaVersion": 1,
        "Output": "Idle for 20 minutes.[2J",
    }
    assert clients.closed == ["c1"]


def test_without_a_client_there_is_nobody_to_say_farewell_to() -> None:
    clients = MemoryClients()
    clients.failure = ThrottlingException()
    assert transitions.farewell(clients, session(), "", NOW, CountedRandom())


def test_a_farewell_that_fails_is_reported_not_raised() -> None:
    clients = MemoryClients()
    clients.open("c1")
    clients.failure = ThrottlingException()
    assert not transitions.farewell(clients, session(connection="c1"), "", NOW, CountedRandom())


def test_a_client_that_is_gone_already_counts_as_told() -> None:
    assert transitions.farewell(MemoryClients(), session(connection="c1"), "", NOW, CountedRandom())


@pytest.mark.parametrize(
    ("first", "age", "closed"),
    [
        (True, 0.0, ["c1"]),
        (True, transitions.YOUNG - 1, ["c1"]),
        (True, transitions.YOUNG, []),
        (False, 0.0, []),  # whoever came first has waited for it
    ],
)
def test_a_connection_that_is_only_just_being_made_is_waited_for_by_the_first_farewell(
    first: bool, age: float, closed: list[str]
) -> None:
    clients = MemoryClients()
    clients.open("c1")
    clients.young.add("c1")
    one = session(connection="c1", attached=NOW)
    assert transitions.farewell(clients, one, "", NOW + age, CountedRandom(), first=first)
    assert clients.closed == closed
