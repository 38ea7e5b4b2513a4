"""The sweep: every time limit, at it and one past it; one failure stops no other session."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core import wire
from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.logline import Line
from lambdas.memory.clock import ManualClock
from lambdas.memory.connections import MemoryClients
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Node, Session, SessionPage
from lambdas.sweep import handler
from lambdas.sweep.handler import BEHIND, LATE
from lambdas.sweep.limits import CONNECT_LIMIT, NODE_LOST_LIMIT, TERMINATE_LIMIT
from tests.unit.edge.world import CONNECTION, NODE, OTHER_NODE, SESSION, World
from tests.unit.sweep.sweeping import sweep, sweeper


@pytest.fixture
def world() -> World:
    made = World()
    made.enrol(online=True, last_seen=made.clock())
    return made


def said(world: World, connection: str = CONNECTION) -> list[str]:
    frames = [f for text in world.clients.sent[connection] for f in wire.from_text(text)]
    return [json.loads(wire.parse(frame).payload)["Output"] for frame in frames]


def running(world: World, status: Status = Status.CONNECTED, **changes: Any) -> Session:
    world.start(status=status, agent_instance="agent-1", activity=world.clock(), **changes)
    return world.client() if status is not Status.DISCONNECTED else world.get()


@pytest.mark.parametrize(
    ("status", "limit", "after", "reason"),
    [
        (Status.CONNECTING, CONNECT_LIMIT, Status.FAILED, "not connected in time"),
        (Status.TERMINATING, TERMINATE_LIMIT, Status.TERMINATED, "agent did not answer"),
        (Status.DISCONNECTED, 1200, Status.TERMINATING, "not resumed in time"),
        (Status.CONNECTED, 1200, Status.TERMINATING, "idle for too long"),
    ],
)
def test_each_state_has_its_limit(
    world: World, status: Status, limit: float, after: Status, reason: str
) -> None:
    running(world, status)
    world.clock.advance(limit)
    sweep(world)
    assert world.get().status is status
    world.clock.advance(0.001)
    sweep(world)
    session = world.get()
    assert (session.status, session.end_reason) == (after, reason)


def test_the_client_is_told_why_and_cut_off_and_the_agent_is_told_to_look(world: World) -> None:
    running(world)
    world.clock.advance(1201)
    sweep(world)
    assert said(world) == ["idle for too long"]
    assert world.clients.closed == [CONNECTION]
    assert world.downlink.hints == [(NODE, SESSION)]


def test_sweeping_again_ends_nothing_twice(world: World) -> None:
    running(world)
    world.clock.advance(1201)
    sweep(world)
    before = world.get()
    sweep(world)
    assert world.get() == before
    assert len(said(world)) == 1


def test_the_first_reason_stands_when_the_agent_does_not_answer(world: World) -> None:
    running(world)
    world.clock.advance(1201)
    sweep(world)
    world.clock.advance(TERMINATE_LIMIT + 1)
    sweep(world)
    session = world.get()
    assert (session.status, session.end_reason) == (Status.TERMINATED, "idle for too long")
    assert session.ended == world.clock()


def test_what_the_user_does_keeps_the_session(world: World) -> None:
    running(world)
    world.clock.advance(1000)
    world.change(activity=world.clock())
    world.clock.advance(1000)
    sweep(world)
    assert world.get().status is Status.CONNECTED


@pytest.mark.parametrize(
    ("inputs", "after", "status"),
    [
        ({"idleSessionTimeout": "1"}, 61, Status.TERMINATING),
        ({"idleSessionTimeout": "60"}, 3599, Status.CONNECTED),
        ({"idleSessionTimeout": "61"}, 1201, Status.TERMINATING),
        ({"idleSessionTimeout": "0"}, 61, Status.CONNECTED),
        ({"idleSessionTimeout": "soon"}, 61, Status.CONNECTED),
        ({"idleSessionTimeout": "60", "maxSessionDuration": "5"}, 301, Status.TERMINATING),
        ({"idleSessionTimeout": "60", "maxSessionDuration": ""}, 3599, Status.CONNECTED),
    ],
)
def test_the_documents_limits_count(
    world: World, inputs: dict[str, str], after: float, status: Status
) -> None:
    running(world, document=json.dumps({"inputs": inputs}))
    world.clock.advance(after)
    sweep(world)
    assert world.get().status is status


def test_the_longest_duration_ends_a_busy_session(world: World) -> None:
    running(world, document='{"inputs":{"maxSessionDuration":"5"}}')
    world.clock.advance(301)
    world.change(activity=world.clock())
    sweep(world)
    assert world.get().end_reason == "longest duration reached"


@pytest.mark.parametrize("document", ["", "[]", "{", "7", '{"inputs": []}'])
def test_a_document_without_limits_has_the_default(world: World, document: str) -> None:
    running(world, document=document)
    world.clock.advance(1201)
    sweep(world)
    assert world.get().status is Status.TERMINATING


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (Status.CONNECTING, Status.FAILED),
        (Status.CONNECTED, Status.TERMINATED),
        (Status.DISCONNECTED, Status.TERMINATED),
        (Status.TERMINATING, Status.TERMINATED),
    ],
)
def test_sessions_of_a_lost_node_are_over(world: World, status: Status, after: Status) -> None:
    node = world.node()
    world.nodes.update(node, Node(node_id=NODE, online=False, last_seen=world.clock()))
    world.clock.advance(NODE_LOST_LIMIT - 30)  # no other limit runs out first
    running(world, status)
    world.clock.advance(30)
    sweep(world)
    assert world.get().status is status
    world.clock.advance(1)
    sweep(world)
    session = world.get()
    assert (session.status, session.end_reason) == (after, "node lost")


def test_a_node_that_nobody_knows_is_lost(world: World) -> None:
    world.start(target=OTHER_NODE)
    sweep(world)
    assert world.get().status is Status.FAILED


def test_where_nothing_ever_ran_there_is_nothing_to_wait_for(world: World) -> None:
    world.start(status=Status.DISCONNECTED)
    world.clock.advance(1201)
    sweep(world)
    assert world.get().status is Status.TERMINATED
    assert world.downlink.hints == []


def test_ended_sessions_are_left_alone(world: World) -> None:
    running(world, Status.TERMINATED, ended=world.clock())
    world.clock.advance(9999)
    assert "seen" not in sweep(world).fields


def test_a_client_that_cannot_be_told_does_not_keep_the_session(world: World) -> None:
    running(world)
    world.clients.failure = ThrottlingException()
    world.clock.advance(1201)
    line = sweep(world)
    assert world.get().status is Status.TERMINATING
    assert line.fields["unheard"] == 1


class Unreadable(MemorySessions):
    """One more record than those that can be read."""

    def active(self, next_token: str = "") -> SessionPage:
        return replace(super().active(next_token), unreadable=1)


def test_a_record_that_cannot_be_read_is_reported_and_stops_no_timeout(world: World) -> None:
    world.sessions = Unreadable(world.clock)
    running(world)
    world.clock.advance(1201)
    line = sweep(world)
    assert world.get().status is Status.TERMINATING
    assert (line.level, line.fields["unreadable"]) == ("WARNING", 1)


class Failing(MemorySessions):
    def update(self, read: Session, changed: Session) -> Session:
        if read.session_id == SESSION:
            raise self.error
        return super().update(read, changed)

    error: Exception = ThrottlingException()


@pytest.mark.parametrize(
    ("error", "level"), [(ThrottlingException(), "WARNING"), (RuntimeError("x"), "ERROR")]
)
def test_one_failing_session_stops_no_other(error: Exception, level: str) -> None:
    world = World()
    world.sessions = sessions = Failing(world.clock)
    sessions.error = error
    world.enrol(online=True)
    world.start()
    world.start("mary-0123456789abcdef0")
    world.clock.advance(CONNECT_LIMIT + 1)
    line = sweep(world)
    assert world.get("mary-0123456789abcdef0").status is Status.FAILED
    assert (line.fields["failed"], line.fields["ended"], line.level) == (1, 1, level)


class Racing(MemorySessions):
    """The user types between the sweep's read and its write."""

    def update(self, read: Session, changed: Session) -> Session:
        if changed.status is Status.TERMINATING:
            stored = self.get(read.session_id)
            assert stored is not None
            if stored.version == read.version and not self.typed:
                self.typed = True
                super().update(stored, Session(**{**_fields(stored), "activity": self._clock()}))
        return super().update(read, changed)

    typed = False


def _fields(session: Session) -> dict[str, Any]:
    return {name: getattr(session, name) for name in Session.__slots__}


def test_a_session_that_came_to_life_meanwhile_is_judged_anew() -> None:
    world = World()
    world.sessions = Racing(world.clock)
    world.enrol(online=True)
    running(world)
    world.clock.advance(1201)
    sweep(world)
    assert world.get().status is Status.CONNECTED
    assert world.clients.closed == []


class CountingNodes(MemoryNodes):
    reads = 0

    def get_all(self, node_ids: Sequence[str]) -> Mapping[str, Node]:
        self.reads += len(node_ids)
        return super().get_all(node_ids)


def crowd(world: World, count: int) -> None:
    """So many sessions on one node that is there, one after the other."""
    world.enrol(online=True)
    for n in range(count):
        world.start(f"john-{n:017x}")
        world.clock.advance(0.001)


def test_a_node_is_read_once_a_run(world: World) -> None:
    nodes = world.nodes = CountingNodes()
    crowd(world, 201)
    line = sweep(world)
    assert (line.fields["seen"], nodes.reads) == (201, 1)
    assert "truncated" not in line.fields


def test_ten_thousand_sessions_end_in_one_run_and_once() -> None:
    world = World()
    crowd(world, 10_000)
    counted = Counter[str]()
    world.clock.advance(CONNECT_LIMIT + 1)
    first, second = Line("sweep"), Line("sweep")
    sweeper(world, counted).run(first)
    sweeper(world, counted).run(second)
    assert (first.fields["ended"], second.fields.get("seen", 0)) == (10_000, 0)
    assert (first.level, counted) == ("INFO", Counter())


def test_a_run_that_is_cut_short_goes_on_where_it_stopped_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "MAX_PAGES", 2)  # the limit itself would take 20,000 sessions
    world = World()
    crowd(world, 301)
    counted = Counter[str]()
    one = sweeper(world, counted)
    lines = [Line("sweep") for _ in range(3)]
    for line in lines:
        one.run(line)
    assert [line.fields["seen"] for line in lines] == [200, 101, 200]
    assert [line.fields.get("truncated", False) for line in lines] == [True, False, True]
    assert (lines[0].level, lines[1].level) == ("WARNING", "INFO")
    assert counted == {BEHIND: 2}


class Slow(MemorySessions):
    """Each page takes as long as the whole run may."""

    def active(self, next_token: str = "") -> SessionPage:
        self.clock.advance(handler.BUDGET)
        return super().active(next_token)

    clock = ManualClock()


def test_a_run_begins_no_page_after_its_budget() -> None:
    world = World()
    slow = world.sessions = Slow(world.clock)
    crowd(world, 301)
    slow.clock = world.clock
    line = sweep(world)
    assert (line.fields["seen"], line.fields["truncated"]) == (200, True)


def test_an_end_that_comes_late_is_counted_and_one_in_time_is_not(world: World) -> None:
    counted = Counter[str]()
    for late, expected in ((LATE - 1, {}), (LATE + 1, {BEHIND: 1})):
        world.start(f"john-{int(late):017x}")
        world.clock.advance(CONNECT_LIMIT + late)
        line = Line("sweep")
        sweeper(world, counted).run(line)
        assert (line.fields["ended"], line.fields["late"]) == (1, int(late))
        assert counted == expected


def test_all_that_end_are_written_and_hinted_at_before_any_client_is_told(world: World) -> None:
    told: list[int] = []

    class Late(MemoryClients):
        def post(self, connection: str, text: str) -> bool:
            told.append(len(world.downlink.hints))
            return True

    world.clients = Late()
    names = ("john-00000000000000001", "john-00000000000000002")
    for number, name in enumerate(names):
        world.start(name, status=Status.CONNECTED, agent_instance="a", activity=world.clock())
        world.client(name, f"C{number}23456789=")
    world.clock.advance(1201)
    sweep(world)
    assert told == [2, 2]


def test_a_farewell_that_there_is_no_time_for_is_left_to_others(world: World) -> None:
    class Slower(MemorySessions):
        def update(self, read: Session, changed: Session) -> Session:
            world.clock.advance(handler.BUDGET + handler.FAREWELLS + 1)
            return super().update(read, changed)

    stored = running(world)
    world.sessions = Slower(world.clock)
    world.sessions._sessions[SESSION] = stored
    world.clock.advance(1201)
    line = sweep(world)
    assert world.get().status is Status.TERMINATING
    assert (line.fields["unheard"], world.clients.closed) == (1, [])


class Unread(MemoryNodes):
    def get_all(self, node_ids: Sequence[str]) -> Mapping[str, Node]:
        raise ThrottlingException()


def test_where_nodes_cannot_be_read_none_is_lost_and_the_clock_still_counts() -> None:
    world = World()
    world.nodes = Unread()
    world.start()
    line = sweep(world)
    assert (world.get().status, line.level) == (Status.CONNECTING, "WARNING")
    world.clock.advance(CONNECT_LIMIT + 1)
    sweep(world)
    assert world.get().end_reason == "not connected in time"
