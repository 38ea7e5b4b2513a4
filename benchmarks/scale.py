"""Many agents and many sessions in one process, over the memory twins and in virtual time.

Memory of an idle agent and of a busy session, and whether it grows in proportion; whether sessions
that flood at once get equal shares; and a thousand nodes that restart at once against the limits of
a new account: ten Lambdas, EC2's, STS's and IoT Core's rates.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import contents
from benchmarks.figures import machine, table, verdict
from benchmarks.fleet import CONCURRENCY, Fleet, Limits
from benchmarks.simulated import Conversation, conversation
from benchmarks.virtual_loop import VirtualLoop

AGENTS, SESSIONS, LONG_SESSIONS = 1000, 40, 200
STEPS = (0.25, 0.5, 1.0)
PRINTED = 500_000
#: Uploads that the service serves at once, for all sessions together.
LAMBDAS = 50
#: Growth of the last step over the first, for the same number, that still is in proportion.
LINEAR = 1.5
FAIR = 2.0

T = TypeVar("T")


def virtual(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def resident() -> int:
    """Bytes of this process's memory."""
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError("/proc/self/status has no VmRSS")


async def idle_agents(count: int) -> list[tuple[int, float]]:
    """How many agents there are, and bytes for each of those that the step added."""
    fleets: list[Fleet] = []
    found, before, have = [], resident(), 0
    for share in STEPS:
        more = int(count * share) - have
        fleets.append(Fleet(more, Limits()))
        await fleets[-1].until_online()
        await asyncio.sleep(60.0)
        have, now = have + more, resident()
        found.append((have, (now - before) / more))
        before = now
    for fleet in fleets:
        await fleet.close()
    return found


async def busy_sessions(count: int) -> tuple[list[tuple[int, float]], list[float]]:
    """The same for open sessions that have printed; and the seconds each took when all printed."""
    loop = asyncio.get_running_loop()
    data = contents.log_text(PRINTED)
    gate = asyncio.Semaphore(LAMBDAS)
    async with AsyncExitStack() as stack:
        talks: list[Conversation] = []
        found, before = [], resident()
        for share in STEPS:
            more = int(count * share) - len(talks)
            for _ in range(more):
                opened = conversation(0.0, gate)
                talks.append((await stack.enter_async_context(opened))[0])
            await asyncio.gather(*(talk.print(data) for talk in talks[-more:]))
            now = resident()
            found.append((len(talks), (now - before) / more))
            before = now

        async def timed(talk: Conversation) -> float:
            begun = loop.time()
            await talk.print(data)
            return loop.time() - begun

        return found, list(await asyncio.gather(*(timed(talk) for talk in talks)))


async def restart(count: int) -> tuple[float, float, Limits]:
    """Virtual seconds until half and all of them are online again, and what it took."""
    limits = Limits(concurrency=CONCURRENCY)
    fleet = Fleet(count, limits)
    half = await fleet.until_online(0.5)
    rest = await fleet.until_online()
    await fleet.close()
    return half, half + rest, limits


def memory_table(what: str, found: list[tuple[int, float]]) -> str:
    rows = [(f"up to {have}", f"{size / 1024:.1f}") for have, size in found]
    growth = found[-1][1] / found[0][1] if found[0][1] > 0 else 0.0
    text = table((f"memory of {what}", "KB for each"), rows)
    return f"{text}\nin proportion to their number: {verdict(growth <= LINEAR)} ({growth:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_SESSIONS} busy sessions")
    given = parser.parse_args()
    print(machine())
    print(memory_table("an idle agent", virtual(idle_agents(AGENTS))), "", sep="\n")
    count = LONG_SESSIONS if given.long else SESSIONS
    found, seconds = virtual(busy_sessions(count))
    print(memory_table("a busy session, both ends", found), "", sep="\n")
    ratio = max(seconds) / min(seconds)
    print(
        f"{count} sessions print {PRINTED} bytes at once through {LAMBDAS} functions: "
        f"{statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s; "
        f"shares within {FAIR}: {verdict(ratio <= FAIR)} ({ratio:.2f})\n"
    )
    half, whole, limits = virtual(restart(AGENTS))
    print(
        f"{AGENTS} nodes restart at once, {CONCURRENCY} functions at a time: half are online "
        f"after {half:.0f} s, all after {whole:.0f} s; {limits.calls['channel']} calls of channel, "
        f"{limits.calls['throttled']} calls throttled, {limits.calls['refused by EC2']} by EC2"
    )
    print(machine())


if __name__ == "__main__":
    main()
