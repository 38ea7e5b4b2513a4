"""From a key to its echo: client and agent over a loopback WebSocket, beside ssh and a bare one.

All run a shell's `cat` in a terminal (the bare WebSocket echoes in Python), with TLS or ssh's own
encryption. A few keys of each in turn; targets: p50 at most twice ssh's, p99 at most three times.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import loopback, openssh
from benchmarks.figures import Series, keys_table, machine, verdict
from benchmarks.terminals import ECHO, Terminal, prepare, press
from benchmarks.turns import Subject, in_turn

KEYS = 20
ROUNDS, LONG_ROUNDS = 50, 500
TARGET_P50, TARGET_P99 = 2.0, 3.0


async def measure(rounds: int, profile: Path | None = None) -> list[Series]:
    """Ours first, then ssh where it is installed, then the bare WebSocket."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        node = await stack.enter_async_context(loopback.node(folder / "node", profile))
        ours = await stack.enter_async_context(loopback.session(node))
        await prepare(ours, ECHO)
        subjects = [_subject("hatchway, loopback WebSocket", ours)]
        if not openssh.missing():
            port = await stack.enter_async_context(openssh.server(folder))
            ssh = await stack.enter_async_context(openssh.terminal(folder, port))
            await prepare(ssh, ECHO)
            subjects.append(_subject("ssh localhost", ssh))
        bare = await stack.enter_async_context(loopback.echo(node))
        subjects.append(_subject("bare loopback WebSocket", bare))
        return await in_turn(subjects, rounds, KEYS)


def _subject(name: str, terminal: Terminal) -> Subject:
    return Subject(name, lambda: press(terminal))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.echo", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_ROUNDS} rounds")
    parser.add_argument("--profile", type=Path, help="write a profile of the node's process here")
    given = parser.parse_args()
    print(machine())
    found = asyncio.run(measure(LONG_ROUNDS if given.long else ROUNDS, given.profile))
    print(keys_table(found))
    if reason := openssh.missing():
        print(f"ssh skipped: {reason}")
    else:
        p50, p99 = found[0].p50 / found[1].p50, found[0].p99 / found[1].p99
        print(f"p50 at most {TARGET_P50} x ssh: {verdict(p50 <= TARGET_P50)} ({p50:.2f})")
        print(f"p99 at most {TARGET_P99} x ssh: {verdict(p99 <= TARGET_P99)} ({p99:.2f})")
    print(machine())


if __name__ == "__main__":
    main()
