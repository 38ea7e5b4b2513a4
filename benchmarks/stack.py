"""Keys and output through the whole service on the embedded AWS, beside its bare parts.

The bare relay is a client, one echo function and back; the bare IoT hop a publish to a subscriber.
In turn. Targets: a key at most 2.5 times the bare relay's round trip; random output at least 0.6
of what the bare relay carries in messages of 30 KB, log text at least 4 times that; and a new size
reaches the program within 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path

from benchmarks import bare_relay, contents, embedded, iot_hop
from benchmarks.figures import Series, keys_table, machine, megabytes, table, verdict
from benchmarks.terminals import (
    ECHO,
    PRINT,
    StreamTerminal,
    prepare,
    prepare_sizes,
    press,
    resize,
    show,
)
from benchmarks.turns import Subject, in_turn
from local.stack import Stack

KEYS, ROUNDS, LONG_ROUNDS = 10, 15, 100
SIZE, LONG_SIZE = 2_000_000, 20_000_000
TRANSFERS, LONG_TRANSFERS = 3, 7
TARGET_KEY = 2.5
TARGET_SIZE = 0.1
TARGET_RANDOM, TARGET_LOG = 0.6, 4.0


async def keystrokes(running: Stack, url: str, rounds: int) -> list[Series]:
    """Seconds of a key through everything, of the bare relay, and of the IoT hop."""
    emulator = running.emulator
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(bare_relay.connected(emulator, url))
        hop = await stack.enter_async_context(iot_hop.listening(emulator))
        terminal = await _terminal(stack, running, ECHO)
        subjects = (
            Subject("hatchway, whole service", lambda: press(terminal)),
            Subject("bare relay: client, function, client", relay.round_trip),
            Subject("bare IoT hop: publish, subscriber", hop.one_way),
        )
        return await in_turn(subjects, rounds, KEYS)


async def sizes(running: Stack, rounds: int) -> Series:
    """Seconds from a new size until a program on the node has it and says so."""
    async with AsyncExitStack() as stack:
        opening = embedded.session(embedded.client(running), running.demo.node)
        terminal = await stack.enter_async_context(opening)
        await prepare_sizes(terminal)
        other = cycle(((132, 40), (80, 24)))
        subject = Subject("a new size", lambda: resize(terminal, *next(other)))
        return (await in_turn([subject], rounds))[0]


async def outputs(running: Stack, url: str, size: int, rounds: int) -> list[Series]:
    """Bytes a second of log text and of random bytes, and of the bare relay."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = contents.files(folder, size)
        relay = await stack.enter_async_context(bare_relay.connected(running.emulator, url))
        terminal = await _terminal(stack, running, PRINT)

        async def rate(file: Path) -> float:
            return size / await show(terminal, file, size)

        subjects = (
            Subject("hatchway, random bytes", lambda: rate(files["random bytes"])),
            Subject("hatchway, log text", lambda: rate(files["log text"])),
            Subject("bare relay, messages of 30 KB", lambda: relay.rate(size)),
        )
        return await in_turn(subjects, rounds)


async def _terminal(stack: AsyncExitStack, running: Stack, script: str) -> StreamTerminal:
    opening = embedded.session(embedded.client(running), running.demo.node)
    terminal = await stack.enter_async_context(opening)
    await prepare(terminal, script)
    return terminal


def outputs_table(found: list[Series]) -> str:
    bare = found[-1]
    rows = [
        (
            one.name,
            megabytes(one.p50),
            megabytes(min(one.samples)),
            megabytes(max(one.samples)),
            f"{one.p50 / bare.p50:.2f}",
        )
        for one in found
    ]
    return table(("output, MB/s", "p50", "least", "most", "of the bare relay"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stack", description=__doc__)
    long = f"{LONG_ROUNDS} rounds, files of {LONG_SIZE} bytes"
    parser.add_argument("--long", action="store_true", help=long)
    given = parser.parse_args()
    rounds = LONG_ROUNDS if given.long else ROUNDS
    size, transfers = (LONG_SIZE, LONG_TRANSFERS) if given.long else (SIZE, TRANSFERS)
    with embedded.stack() as running, bare_relay.deployed(running.emulator) as url:
        print(machine())
        keys = asyncio.run(keystrokes(running, url, rounds))
        print(keys_table(keys), "", sep="\n")
        sized = asyncio.run(sizes(running, rounds))
        found = asyncio.run(outputs(running, url, size, transfers))
        print(outputs_table(found), "", sep="\n")
    key = keys[0].p50 / keys[1].p50
    print(f"key at most {TARGET_KEY} x bare relay: {verdict(key <= TARGET_KEY)} ({key:.2f})")
    print(
        f"a new size reaches the program, and its answer comes, in {sized.p50 * 1000:.1f} ms "
        f"(p99 {sized.p99 * 1000:.1f}); at most 100: {verdict(sized.p99 <= TARGET_SIZE)}"
    )
    for series, target in zip(found, (TARGET_RANDOM, TARGET_LOG), strict=False):
        ratio = series.p50 / found[-1].p50
        met = verdict(ratio >= target)
        print(f"{series.name} at least {target} x bare relay: {met} ({ratio:.2f})")
    print(machine())


if __name__ == "__main__":
    main()
