"""`cat` of a file: our client and agent over a loopback WebSocket, beside ssh and bare messages.

All read the same file from a shell in a terminal; the bare WebSocket sends as many random bytes in
full text frames. In turn; targets: log text at least as fast as ssh, random bytes at least half.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import contents, loopback, openssh
from benchmarks.figures import Series, machine, megabytes, table, verdict
from benchmarks.terminals import PRINT, prepare, show
from benchmarks.turns import Subject, in_turn

MEGABYTES = 20
ROUNDS, LONG_ROUNDS = 3, 15
TARGETS = {"log text": 1.0, "random bytes": 0.5}
#: A name, and what gives the seconds for a file.
Printer = tuple[str, Callable[[Path], Awaitable[float]]]


async def measure(size: int, rounds: int, profile: Path | None = None) -> dict[str, list[Series]]:
    """Bytes a second, by content: ours first, then ssh, then bare messages."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = contents.files(folder, size)
        printers = await _printers(stack, folder, size, profile)
        return {
            name: await in_turn([_subject(*one, file, size) for one in printers], rounds, warm=0)
            for name, file in made.items()
        }


async def _printers(
    stack: AsyncExitStack, folder: Path, size: int, profile: Path | None
) -> list[Printer]:
    node = await stack.enter_async_context(loopback.node(folder / "node", profile))
    ours = await stack.enter_async_context(loopback.session(node))
    await prepare(ours, PRINT)
    found: list[Printer] = [("hatchway, loopback WebSocket", lambda file: show(ours, file, size))]
    if not openssh.missing():
        port = await stack.enter_async_context(openssh.server(folder))
        ssh = await stack.enter_async_context(openssh.terminal(folder, port))
        await prepare(ssh, PRINT)
        found.append(("ssh localhost", lambda file: show(ssh, file, size)))
    found.append(("bare loopback WebSocket", lambda _: loopback.pour(node, size)))
    return found


def _subject(
    name: str, seconds: Callable[[Path], Awaitable[float]], file: Path, size: int
) -> Subject:
    async def rate() -> float:
        return size / await seconds(file)

    return Subject(name, rate)


def report(found: dict[str, list[Series]]) -> str:
    """Median, slowest and fastest in MB/s; the ratio is ours over the other's."""
    rows = [
        (
            f"{content}: {one.name}",
            megabytes(one.p50),
            megabytes(min(one.samples)),
            megabytes(max(one.samples)),
            f"{series[0].p50 / one.p50:.2f}",
        )
        for content, series in found.items()
        for one in series
    ]
    return table(("cat of a file, MB/s", "p50", "least", "most", "ours/this"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_ROUNDS} rounds")
    parser.add_argument("--megabytes", type=int, default=MEGABYTES, help="size of each file")
    parser.add_argument("--profile", type=Path, help="write a profile of the node's process here")
    given = parser.parse_args()
    print(machine())
    rounds = LONG_ROUNDS if given.long else ROUNDS
    found = asyncio.run(measure(given.megabytes * 1_000_000, rounds, given.profile))
    print(report(found))
    if reason := openssh.missing():
        print(f"ssh skipped: {reason}")
    for content, target in TARGETS.items() if not reason else ():
        ours, ssh = found[content][:2]
        ratio = ours.p50 / ssh.p50
        print(f"{content} at least {target} x ssh: {verdict(ratio >= target)} ({ratio:.2f})")
    print(machine())


if __name__ == "__main__":
    main()
