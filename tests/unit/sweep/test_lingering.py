"""A connection of a session that has ended is closed by a later sweep, and then forgotten."""

from __future__ import annotations

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.sweep.lingering import GRACE
from tests.unit.edge.world import CONNECTION, World
from tests.unit.sweep.sweeping import sweep


def left(world: World) -> None:
    world.start(status=Status.CONNECTED, agent_instance="agent-1")
    world.client()
    world.change(status=Status.TERMINATED, ended=world.clock())


def test_a_connection_that_outlived_its_session_is_closed_and_forgotten() -> None:
    world = World()
    left(world)
    world.clock.advance(GRACE)
    assert "lingering" not in sweep(world).fields
    world.clock.advance(1)
    assert sweep(world).fields["lingering"] == 1
    assert world.clients.closed == [CONNECTION]
    assert world.get().connection == ""
    assert "lingering" not in sweep(world).fields


def test_one_that_cannot_be_closed_is_tried_again_in_the_next_sweep() -> None:
    world = World()
    left(world)
    world.clock.advance(GRACE + 1)
    world.clients.failure = ThrottlingException()
    assert sweep(world).level == "WARNING"
    assert world.get().connection == CONNECTION
    world.clients.failure = None
    sweep(world)
    assert world.get().connection == ""
    assert world.get().status is Status.TERMINATED
