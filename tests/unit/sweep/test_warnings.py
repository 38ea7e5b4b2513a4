"""Warnings before a limit: once for each end, and only while there is something to do about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.ports import Session
from lambdas.timeouts import DURATION_WARNING, IDLE_WARNING, timeouts
from tests.unit.edge.world import CONNECTION, World
from tests.unit.sweep.sweeping import sweep

IDLE = 20 * 60.0
BUSY = '{"inputs":{"idleSessionTimeout":"60","maxSessionDuration":"30"}}'


@pytest.fixture
def world() -> World:
    made = World()
    made.enrol(online=True, last_seen=made.clock())
    return made


def running(world: World, **changes: Any) -> Session:
    world.start(
        status=Status.CONNECTED, agent_instance="agent-1", activity=world.clock(), **changes
    )
    return world.client()


def notices(world: World) -> list[dict[str, Any]]:
    texts = world.clients.sent[CONNECTION]
    return [json.loads(text) for text in texts if text.startswith("{")]


def test_a_client_is_told_once_before_its_idle_time_is_over(world: World) -> None:
    running(world)
    world.clock.advance(IDLE - IDLE_WARNING - 1)
    sweep(world)
    assert notices(world) == []
    world.clock.advance(1)
    sweep(world)
    sweep(world)
    assert notices(world) == [{"notice": "idleEnding", "Seconds": int(IDLE_WARNING)}]
    assert world.get().idle_ends == world.get().activity + IDLE


def test_whoever_does_something_is_warned_again_before_the_next_end(world: World) -> None:
    running(world)
    world.clock.advance(IDLE - 60)
    sweep(world)
    world.change(activity=world.clock())
    sweep(world)
    world.clock.advance(IDLE - 30)
    sweep(world)
    assert [notice["Seconds"] for notice in notices(world)] == [60, 30]


def test_a_client_is_told_once_before_the_longest_duration(world: World) -> None:
    running(world, document=BUSY)
    world.clock.advance(30 * 60 - DURATION_WARNING)
    world.change(activity=world.clock())
    sweep(world)
    world.clock.advance(60)
    world.change(activity=world.clock())
    sweep(world)
    assert notices(world) == [{"notice": "durationEnding", "Seconds": int(DURATION_WARNING)}]


def test_an_idle_warning_is_written_without_a_client_and_a_durations_is_not(world: World) -> None:
    running(world, document='{"inputs":{"idleSessionTimeout":"30","maxSessionDuration":"30"}}')
    world.change(status=Status.DISCONNECTED, connection="")
    world.clock.advance(30 * 60 - 60)
    sweep(world)
    session = world.get()
    assert session.idle_ends > 0
    assert session.duration_ends == 0
    assert notices(world) == []


@pytest.mark.parametrize("status", [Status.CONNECTING, Status.TERMINATING])
def test_what_has_not_begun_or_is_ending_is_not_warned(world: World, status: Status) -> None:
    running(world)
    world.change(status=status, status_since=world.clock() + IDLE)
    world.clock.advance(IDLE - 60)
    sweep(world)
    assert notices(world) == []
    assert world.get().idle_ends == 0


def test_a_client_that_cannot_be_told_is_counted(world: World) -> None:
    running(world)
    world.clients.failure = ThrottlingException()
    world.clock.advance(IDLE - 60)
    line = sweep(world)
    assert (line.fields["idleEnding"], line.fields["unheard"]) == (1, 1)


@pytest.mark.parametrize(
    ("minutes", "idle", "longest"),
    [(1, 50, 50), (2, 60, 60), (3, 90, 90), (4, 120, 120), (10, 120, 300), (60, 120, 300)],
)
def test_a_warning_comes_early_enough_for_a_sweep_and_not_from_the_beginning(
    world: World, minutes: int, idle: float, longest: float
) -> None:
    inputs = {"idleSessionTimeout": str(minutes), "maxSessionDuration": str(minutes)}
    limits = timeouts(world.start(document=json.dumps({"inputs": inputs})))
    assert (limits.idle_warning, limits.duration_warning) == (idle, longest)


def test_output_counts_where_the_document_says_so_and_nowhere_else(world: World) -> None:
    for number, (setting, counts) in enumerate(((True, True), ("true", False), (None, False))):
        document = json.dumps({"inputs": {"hatchway": {"outputKeepsAlive": setting}}})
        session = world.start(f"john-{number:017x}", document=document)
        assert timeouts(session).output_counts is counts
