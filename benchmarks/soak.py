"""A session through a network that loses, repeats, reorders and cuts, both ways at once, for long.

Client and agent reach the embedded AWS only through the edge proxy of the tests. Every byte is
compared with what was sent; memory of both ends is looked at every second.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path

from benchmarks import embedded, soak_peer
from benchmarks.figures import machine, table, verdict
from benchmarks.process_use import resident
from hatchway.client.events import Ended, Restored
from hatchway.client.service import Hatchway
from hatchway.client.stream import Stream
from hatchway.core.channel import Data, Gap
from hatchway.core.errors import HatchwayError, SessionEnded
from local import agents, processes
from local.identities import JOHN
from local.stack import Stack
from tests.edge.faults import Faults
from tests.edge.proxy import Cut, EdgeProxy
from tests.integration.edges import edge_of, node_behind

SECONDS, MEGABYTES, CUT_EVERY = 600.0, 100, 20.0
LOSS, REPEAT, DELAY = 0.05, 0.02, (0.0, 0.04)
#: Bytes that either end may grow by between the first and the last quarter of the time.
MAX_GROWTH = 16 * 1024 * 1024
#: Seconds beyond its time that it may take.
PATIENCE = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is moved, how fast, and what the network does to it."""

    size: int = MEGABYTES * 1_000_000
    seconds: float = SECONDS
    cut_every: float = CUT_EVERY
    loss: float = LOSS
    seed: int = 1


@dataclass(slots=True)
class Found:
    """What happened. Bytes are those that were right, up to the first wrong one."""

    seconds: float = 0.0
    up: int = 0
    down: int = 0
    wrong: str = ""
    cuts: int = 0
    restored: int = 0
    longest_silence: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    agent: list[int] = field(default_factory=list)
    client: list[int] = field(default_factory=list)


async def soak(running: Stack, plan: Plan) -> Found:
    """Runs it on a node of its own. Raises where the session ends before all has arrived."""
    found = Found()
    with _network(running, plan) as edge, node_behind(running, edge) as node:
        async with AsyncExitStack() as stack:
            connect = ("127.0.0.1", edge.port)
            john = embedded.client(running)
            john = Hatchway(replace(john.settings, stream_connect=connect), profile=JOHN)
            started = await asyncio.to_thread(john.start, node)
            stack.push_async_callback(_terminated, john, started.session_id)
            stream = await stack.enter_async_context(john.open_stream(started))
            async with asyncio.timeout(plan.seconds + PATIENCE):
                output = _output(stream, found)
                first = await _prepare(stream, output, plan)
                await _moved(running, node, edge, stream, _after(first, output), plan, found)
        found.counts = Counter(edge.counts)
    return found


@contextmanager
def _network(running: Stack, plan: Plan) -> Iterator[EdgeProxy]:
    with edge_of(running) as edge:
        for number, name in enumerate(("up", "down")):
            faults = Faults(plan.loss, REPEAT, DELAY, plan.seed * 2 + number)
            setattr(edge.settings, name, faults)
        yield edge


async def _terminated(john: Hatchway, session_id: str) -> None:
    with suppress(HatchwayError):
        await asyncio.to_thread(john.terminate, session_id)


async def _output(stream: Stream, found: Found) -> AsyncIterator[bytes]:
    while True:
        event = await stream.next()
        if isinstance(event, Data):
            stream.consumed(len(event.data))
            yield event.data
        elif isinstance(event, Ended):
            raise event.error or SessionEnded()
        elif isinstance(event, Gap):
            found.wrong = found.wrong or f"a gap of {event.size} bytes"
        found.restored += isinstance(event, Restored)


async def _prepare(stream: Stream, output: AsyncIterator[bytes], plan: Plan) -> bytes:
    """Starts the peer; the first bytes of its output. What the shell prints is passed over."""
    stream.resize(80, 24)
    with _readable_copy() as copy:
        command = f"exec python3 {copy} {plan.seed} {plan.size} {plan.seconds}"
        await stream.write(f"{command}\n".encode())
        seen = b""
        while soak_peer.READY not in seen:
            seen += await anext(output)
    return seen.partition(soak_peer.READY)[2]


@contextmanager
def _readable_copy() -> Iterator[str]:
    """The peer's program for the session's user, who sees neither this checkout nor its Python."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield shutil.copy(soak_peer.__file__, folder)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for data in rest:
        yield data


async def _moved(
    running: Stack,
    node: str,
    edge: EdgeProxy,
    stream: Stream,
    output: AsyncIterator[bytes],
    plan: Plan,
    found: Found,
) -> None:
    begun = time.monotonic()
    beside = [
        asyncio.create_task(_cut(edge, plan, found)),
        asyncio.create_task(_weigh(running, node, found)),
    ]
    try:
        sent = asyncio.create_task(_send(stream, plan))
        told = await _receive(output, plan, found)
        if told == await sent:
            found.up = plan.size
        else:
            found.wrong = found.wrong or "what the node was sent"
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    found.seconds = time.monotonic() - begun


async def _send(stream: Stream, plan: Plan) -> str:
    """Everything for the node; its SHA-256."""
    digest, begun = hashlib.sha256(), time.monotonic()
    for due, block in soak_peer.paced(f"{plan.seed}/client", plan.size, plan.seconds):
        await asyncio.sleep(max(0.0, begun + due - time.monotonic()))
        digest.update(block)
        await stream.write(block)
    return digest.hexdigest()


async def _receive(output: AsyncIterator[bytes], plan: Plan, found: Found) -> str:
    """Compares what comes with what must come; the SHA-256 that the node says at last."""
    expected, rest = soak_peer.blocks(f"{plan.seed}/node", plan.size), b""
    last, digest = time.monotonic(), b""
    while len(digest) < soak_peer.DIGEST:
        got = await anext(output)
        now = time.monotonic()
        found.longest_silence, last = max(found.longest_silence, now - last), now
        compared = min(len(got), plan.size - found.down)
        while len(rest) < compared:
            rest += next(expected)
        if got[:compared] != rest[:compared]:
            found.wrong = f"output after {found.down} bytes"
            return ""
        rest = rest[compared:]
        found.down += compared
        digest += got[compared:]
    return digest.decode()


async def _cut(edge: EdgeProxy, plan: Plan, found: Found) -> None:
    for how in cycle((Cut.RST, Cut.FIN)):
        await asyncio.sleep(plan.cut_every)
        found.cuts += edge.cut(how) > 0


async def _weigh(running: Stack, node: str, found: Found) -> None:
    agent = processes.recorded(agents.record(running.places, node))
    if agent is None:
        raise RuntimeError("the agent does not run")
    while True:
        found.agent.append(resident(agent.pid))
        found.client.append(resident())
        await asyncio.sleep(1.0)


def growth(samples: list[int]) -> int:
    """Bytes between the medians of the first quarter and of the last one."""
    quarter = max(1, len(samples) // 4)
    return int(statistics.median(samples[-quarter:]) - statistics.median(samples[:quarter]))


def report(plan: Plan, found: Found) -> str:
    lost, cuts = found.counts["lost"], f"{found.cuts}, client back {found.restored} times"
    rows = [
        ("to the node, bytes", f"{found.up:,}", verdict(found.up == plan.size)),
        ("to the client, bytes", f"{found.down:,}", verdict(found.down == plan.size)),
        ("first difference", found.wrong or "none", verdict(not found.wrong)),
        ("seconds", f"{found.seconds:.0f}", ""),
        ("messages lost", f"{lost:,}", ""),
        ("cuts", cuts, ""),
        ("longest time without output, s", f"{found.longest_silence:.1f}", ""),
        *_memory("agent", found.agent),
        *_memory("client and proxy", found.client),
    ]
    return table(("soak", "found", "as it must be"), rows)


def _memory(who: str, samples: list[int]) -> list[tuple[str, str, str]]:
    return [
        (f"{who}: most memory, MB", f"{max(samples) / 2**20:.1f}", ""),
        (
            f"{who}: first to last quarter, MB",
            f"{growth(samples) / 2**20:+.1f}",
            verdict(growth(samples) <= MAX_GROWTH),
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--megabytes", type=int, default=MEGABYTES, help="each way")
    parser.add_argument("--cut-every", type=float, default=CUT_EVERY, help="seconds")
    given = parser.parse_args()
    plan = Plan(size=given.megabytes * 1_000_000, seconds=given.seconds, cut_every=given.cut_every)
    with embedded.stack() as running:
        print(machine())
        found = asyncio.run(soak(running, plan))
    print(report(plan, found))
    print(machine())


if __name__ == "__main__":
    main()
