"""What waits for company on its way up, and for how long, in virtual time."""

from __future__ import annotations

import asyncio

from agent.session import COALESCE, FULL_UPLOAD
from agent.uplink import MAX_IN_FLIGHT
from tests.unit.agent.bench import Bench, FakeRunner, agent
from tests.unit.agent.virtual_time import run

#: Seconds of an upload here: long beside what little output may wait.
SLOW = 1.0


async def quiet(bench: Bench) -> FakeRunner:
    """A session whose client has acknowledged all, and whose uploads are slow from now on."""
    _, _, runner = await bench.opened()
    await bench.service.settle(2.0)
    bench.service.delay["post"] = SLOW
    return runner


def uploads(bench: Bench) -> int:
    return bench.service.calls.count("frames")


def test_the_first_output_leaves_at_once() -> None:
    async def test() -> None:
        async with agent() as bench:
            runner = await quiet(bench)
            before = uploads(bench)
            runner.print(b"$")
            await asyncio.sleep(COALESCE / 10)
            assert uploads(bench) == before + 1

    run(test())


def test_little_output_waits_behind_an_upload_and_never_longer_than_it_may() -> None:
    async def test() -> None:
        async with agent() as bench:
            runner = await quiet(bench)
            runner.print(b"first")
            await asyncio.sleep(COALESCE / 10)
            before = uploads(bench)
            for _ in range(8):
                runner.print(b"more")
                await asyncio.sleep(COALESCE / 10)
            assert uploads(bench) == before
            await asyncio.sleep(COALESCE / 2)
            assert uploads(bench) == before + 1

    run(test())


def test_a_full_upload_waits_for_nothing() -> None:
    async def test() -> None:
        async with agent() as bench:
            runner = await quiet(bench)
            runner.print(b"first")
            await asyncio.sleep(COALESCE / 10)
            before = uploads(bench)
            runner.print(bytes(FULL_UPLOAD))
            await asyncio.sleep(COALESCE / 10)
            assert uploads(bench) == before + 1

    run(test())


def test_a_flood_fills_its_uploads() -> None:
    async def test() -> None:
        async with agent() as bench:
            runner = await quiet(bench)
            before, printed = uploads(bench), 0
            while runner.allowed and printed < MAX_IN_FLIGHT * FULL_UPLOAD:
                runner.print(bytes(4096))
                printed += 4096
                await asyncio.sleep(COALESCE / 1000)
            await asyncio.sleep(2 * COALESCE)
            assert uploads(bench) - before <= MAX_IN_FLIGHT
            assert printed == MAX_IN_FLIGHT * FULL_UPLOAD

    run(test())
