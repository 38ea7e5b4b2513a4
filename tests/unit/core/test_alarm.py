"""An alarm rings when it was asked to, or sooner, and asks for no timer it has."""

from __future__ import annotations

import asyncio

from hatchway.core.alarm import Alarm
from tests.unit.agent.virtual_time import run


def test_it_rings_at_the_earliest_time_that_was_asked_for() -> None:
    async def test() -> None:
        loop, rung = asyncio.get_running_loop(), list[float]()
        begun = loop.time()
        alarm = Alarm(lambda: rung.append(loop.time() - begun), loop.call_at)
        alarm.set(begun + 5)
        alarm.set(begun + 9)
        alarm.set(begun + 3)
        await asyncio.sleep(20)
        assert rung == [3]
        alarm.set(begun + 30)
        await asyncio.sleep(20)
        assert rung == [3, 30]

    run(test())


def test_one_that_is_cancelled_does_not_ring() -> None:
    async def test() -> None:
        loop, rung = asyncio.get_running_loop(), list[bool]()
        alarm = Alarm(lambda: rung.append(True), loop.call_at)
        alarm.cancel()
        alarm.set(loop.time() + 1)
        alarm.cancel()
        await asyncio.sleep(5)
        assert not rung

    run(test())
