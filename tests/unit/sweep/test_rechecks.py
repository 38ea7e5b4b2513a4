"""A node that went is looked at again: it is lost only if it has not been back since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.adapters import sqs
from lambdas.logline import Line
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Disconnection, Node, Session
from lambdas.sweep.handler import Sweep
from lambdas.sweep.rechecks import Rechecks
from tests.unit.edge.world import CONNECTION, NODE, OTHER_NODE, SESSION, World, recorded

MARY = "mary-0123456789abcdef0"
GONE = Disconnection(node_id=NODE, presence_session="first", presence_version=3)
OTHER = Disconnection(node_id=OTHER_NODE, presence_session="other", presence_version=0)
NOTHING_FAILED: dict[str, object] = {"batchItemFailures": []}


@pytest.fixture
def world() -> World:
    made = World()
    made.enrol(online=False, presence_session="first", presence_version=3)
    made.start(status=Status.CONNECTED, agent_instance="agent-1")
    made.client()
    return made


def message(gone: Disconnection, name: str = "m-1") -> dict[str, Any]:
    record: dict[str, Any] = recorded("sqs_recheck.json")["Records"][0]
    return record | {"messageId": name, "body": sqs.written(gone)}


def recheck(world: World, *records: Mapping[str, Any]) -> tuple[dict[str, object], Line]:
    line = Line("sweep")
    sweep = Sweep(
        sessions=world.sessions,
        nodes=world.nodes,
        clients=world.clients,
        downlink=world.downlink,
        clock=world.clock,
        random=world.random,
    )
    return Rechecks(sweep, sqs.read).handle({"Records": list(records)}, line), line


def changed(world: World, **changes: Any) -> Node:
    node = world.node()
    return world.nodes.update(node, replace(node, **changes))


def test_sessions_of_a_node_that_is_still_away_are_over(world: World) -> None:
    answer, line = recheck(world, message(GONE))
    session = world.get()
    assert (session.status, session.end_reason) == (Status.TERMINATED, "node lost")
    assert world.clients.closed == [CONNECTION]
    assert world.downlink.hints == [(NODE, SESSION)]  # whoever still runs it is to stop
    assert answer == NOTHING_FAILED
    assert (line.fields["lost"], line.fields["ended"]) == (1, 1)


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (Status.CONNECTING, Status.FAILED),
        (Status.DISCONNECTED, Status.TERMINATED),
        (Status.TERMINATING, Status.TERMINATED),
    ],
)
def test_in_whatever_state_they_are(world: World, status: Status, after: Status) -> None:
    world.change(status=status)
    recheck(world, message(GONE))
    assert world.get().status is after


def test_nobody_s_clock_has_a_say_in_it(world: World) -> None:
    # IoT's times are right within two minutes: by this one the node went this very moment.
    changed(world, last_seen=world.clock() + 100)
    recheck(world, message(GONE))
    assert world.get().status is Status.TERMINATED


@pytest.mark.parametrize(
    "since",
    [
        {"online": True, "presence_session": "second", "presence_version": 4},
        {"presence_session": "second", "presence_version": 4},  # back, and away again
        {"presence_session": "first", "presence_version": 4},
        {"online": True},
    ],
)
def test_a_node_that_has_been_back_keeps_its_sessions(
    world: World, since: Mapping[str, Any]
) -> None:
    changed(world, **since)
    answer, line = recheck(world, message(GONE))
    assert world.get().status is Status.CONNECTED
    assert answer == NOTHING_FAILED
    assert line.fields["back"] == 1


def test_a_node_that_nobody_knows_is_left_to_the_sweep_of_the_minute(world: World) -> None:
    answer, _ = recheck(world, message(OTHER))
    assert answer == NOTHING_FAILED


def test_other_nodes_sessions_go_on(world: World) -> None:
    world.enrol(OTHER_NODE, online=True)
    world.start(MARY, target=OTHER_NODE, status=Status.CONNECTED)
    recheck(world, message(GONE))
    assert world.get(MARY).status is Status.CONNECTED


def test_the_same_message_again_ends_nothing_twice(world: World) -> None:
    recheck(world, message(GONE))
    before = world.get()
    answer, line = recheck(world, message(GONE), message(GONE, "m-2"))
    assert world.get() == before
    assert answer == NOTHING_FAILED
    assert "ended" not in line.fields


class Failing(MemorySessions):
    def update(self, read: Session, changed: Session) -> Session:
        if read.session_id == SESSION:
            raise self.error
        return super().update(read, changed)

    error: Exception = ThrottlingException()


@pytest.mark.parametrize("error", [ThrottlingException(), RuntimeError("x")])
def test_a_session_that_could_not_be_ended_brings_its_message_back_alone(error: Exception) -> None:
    world = World()
    world.sessions = sessions = Failing(world.clock)
    sessions.error = error
    world.enrol(online=False, presence_session="first", presence_version=3)
    world.enrol(OTHER_NODE, online=False, presence_session="other", presence_version=0)
    world.start()
    world.start(MARY)
    world.start("mary-0fedcba9876543210", target=OTHER_NODE)
    answer, line = recheck(world, message(GONE, "m-1"), message(OTHER, "m-2"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert world.get(MARY).status is Status.FAILED
    assert world.get("mary-0fedcba9876543210").status is Status.FAILED
    assert line.fields["failed"] == 1


class Unreadable(MemoryNodes):
    def get(self, node_id: str) -> Node | None:
        raise ThrottlingException()


def test_a_table_that_does_not_answer_brings_the_message_back(world: World) -> None:
    world.nodes = Unreadable()
    answer, line = recheck(world, message(GONE))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert (line.level, line.fields["code"]) == ("WARNING", "ThrottlingException")


@pytest.mark.parametrize("body", ["", "{", "[]", json.dumps({"v": 2})])
def test_a_message_that_cannot_be_read_stops_no_other_and_is_put_aside_in_the_end(
    world: World, body: str
) -> None:
    answer, line = recheck(world, message(GONE, "m-1") | {"body": body}, message(GONE, "m-2"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert line.level == "ERROR"
    assert world.get().status is Status.TERMINATED


def test_a_batch_of_nothing_is_done(world: World) -> None:
    assert recheck(world)[0] == NOTHING_FAILED
