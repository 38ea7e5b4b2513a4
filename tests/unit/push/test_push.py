"""Changes of a caller's sessions reach the caller's lifecycle connections, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatchway.core.names import Owner
from lambdas.logline import Line
from lambdas.memory.clock import ManualClock
from lambdas.memory.connections import MemoryClients
from lambdas.memory.lifecycle import MemoryLifecycle
from lambdas.ports import LifecycleConnection
from lambdas.push.handler import Push
from lambdas.sweep.visits import Visits

ACCOUNT = "123456789012"
JOHN, MARY = Owner(ACCOUNT, "AIDAJOHN"), Owner(ACCOUNT, "AIDAMARY")
ENDED: dict[str, Any] = {
    "account": ACCOUNT,
    "detail": {
        "sessionId": "john-0123456789abcdef0",
        "target": "i-0123456789abcdef0",
        "ownerUserId": JOHN.userid,
        "status": "Terminated",
        "previousStatus": "Connected",
        "endReason": "exited",
        "exitCode": 3,
        "reason": "not for the notice",
    },
}


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.clients = MemoryClients()
        self.store = MemoryLifecycle()
        self.push = Push(self.store, self.clients, self.clock)

    def open(self, name: str, owner: Owner, seconds: float = 600) -> str:
        expires = self.clock() + seconds
        self.store.open(LifecycleConnection(connection=name, owner=owner, expires=expires))
        self.clients.open(name)
        return name


@pytest.fixture
def world() -> World:
    return World()


def test_each_connection_of_the_owner_is_told(world: World) -> None:
    first, second = world.open("first", JOHN), world.open("second", JOHN)
    other = world.open("other", MARY)
    world.push.handle(ENDED, Line("push"))
    for name in (first, second):
        assert [json.loads(text) for text in world.clients.sent[name]] == [
            {
                "notice": "sessionStateChange",
                "SessionId": "john-0123456789abcdef0",
                "Target": "i-0123456789abcdef0",
                "Status": "Terminated",
                "PreviousStatus": "Connected",
                "EndReason": "exited",
                "ExitCode": 3,
            }
        ]
    assert world.clients.sent.get(other, []) == []


def test_the_same_userid_of_another_account_is_somebody_else(world: World) -> None:
    name = world.open("first", JOHN)
    world.push.handle({**ENDED, "account": "210987654321"}, Line("push"))
    assert world.clients.sent.get(name, []) == []


def test_one_that_is_gone_is_forgotten_and_stops_no_other(world: World) -> None:
    gone = LifecycleConnection(connection="gone", owner=JOHN, expires=world.clock() + 1)
    world.store.open(gone)
    name = world.open("second", JOHN)
    log = Line("push")
    world.push.handle(ENDED, log)
    assert len(world.clients.sent[name]) == 1
    assert "gone" not in world.store.connections
    assert (log.fields["gone"], log.fields["posted"]) == (1, 1)


def test_after_its_time_a_connection_is_told_nothing(world: World) -> None:
    name = world.open("first", JOHN, seconds=60)
    world.clock.advance(60)
    world.push.handle(ENDED, Line("push"))
    assert world.clients.sent.get(name, []) == []


@pytest.mark.parametrize(
    "event", [{}, {"detail": {}}, {"detail": []}, {"account": 1, "detail": {}}]
)
def test_what_is_no_event_of_a_session_is_reported(world: World, event: dict[str, Any]) -> None:
    log = Line("push")
    world.push.handle(event, log)
    assert log.level == "WARNING"


def test_the_sweep_closes_what_is_overdue_and_nothing_else(world: World) -> None:
    late, fresh = world.open("late", JOHN, seconds=60), world.open("fresh", JOHN)
    world.clock.advance(61)
    Visits(world.store, world.clients, world.clock).close(world.clock() + 10, Line("sweep"))
    assert world.clients.closed == [late]
    assert list(world.store.connections) == [fresh]


def test_a_sweep_without_time_leaves_them_to_the_next(world: World) -> None:
    world.open("late", JOHN, seconds=60)
    world.clock.advance(61)
    Visits(world.store, world.clients, world.clock).close(world.clock() - 1, Line("sweep"))
    assert world.clients.closed == []
    assert list(world.store.connections) == ["late"]
