"""One sweep over a world in memory."""

from __future__ import annotations

from collections import Counter

from lambdas.logline import Line
from lambdas.sweep.handler import Sweep
from tests.unit.edge.world import World


def sweeper(world: World, counted: Counter[str] | None = None) -> Sweep:
    counted = Counter() if counted is None else counted
    return Sweep(
        sessions=world.sessions,
        nodes=world.nodes,
        clients=world.clients,
        downlink=world.downlink,
        clock=world.clock,
        random=world.random,
        count=lambda name, value: counted.update({name: value}),
    )


def sweep(world: World) -> Line:
    line = Line("sweep")
    sweeper(world).run(line)
    return line
