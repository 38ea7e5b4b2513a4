"""From start-session to the prompt, a key's round trip, and the agent at rest, on the embedded AWS.

The key stands beside the bare round trip of a client, one echo function and the client, over an API
of the same kind; every function writes one log line. The agent rests after the sessions ended, with
`--flood` after one that printed so many MB.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import pexpect

from benchmarks import bare_relay, contents, embedded
from benchmarks.figures import Series, keys_table, machine, milliseconds, table, verdict
from benchmarks.process_use import Use, of_process
from benchmarks.stack import keystrokes
from benchmarks.terminals import PATIENCE, PRINT, prepare, show
from benchmarks.turns import Subject, in_turn
from hatchway.client.service import Hatchway
from local import agents, processes
from local.identities import JOHN
from local.places import ROOT
from local.stack import CLI, Stack

STARTS, LONG_STARTS = 5, 30
KEY_ROUNDS, LONG_KEY_ROUNDS = 10, 100
REST, LONG_REST = 15.0, 300.0
#: Bytes of each of the files that a flood prints again and again.
FLOOD_FILE = 5_000_000
#: Seconds after the last session until the agent is left alone.
SETTLE = 3.0
PROMPT = r"[$#] "
TARGET_MEMORY = 40.0
#: The kernel counts in hundredths of a second: one tick in a minute is as good as nothing.
TARGET_PROCESSOR = 0.05


async def starts(running: Stack, rounds: int) -> list[Series]:
    """Seconds of the CLI from its start to the prompt, and of its parts in a process that runs."""
    hatchway, node = embedded.client(running), running.demo.node
    called = Series("of it StartSession")
    opened = Series("of it connection and handshake")

    async def by_sdk() -> float:
        begun = time.perf_counter()
        call, opening, prompt = await _start(hatchway, node)
        called.samples.append(call - begun)
        opened.samples.append(opening - call)
        return prompt - begun

    async def by_cli() -> float:
        return await asyncio.to_thread(_cli, running)

    cli, sdk = await in_turn(
        (
            Subject("hatchway start-session, a new process", by_cli),
            Subject("the SDK, in a process that runs", by_sdk),
        ),
        rounds,
    )
    del called.samples[0], opened.samples[0]  # the round that warms up
    return [cli, sdk, called, opened]


async def _start(hatchway: Hatchway, node: str) -> tuple[float, float, float]:
    """When StartSession had answered, when the channel was open, when the prompt was there."""
    started = await asyncio.to_thread(hatchway.start, node)
    call = time.perf_counter()
    try:
        async with hatchway.open_stream(started) as stream, asyncio.timeout(PATIENCE):
            stream.resize(80, 24)
            terminal = await embedded.opened(stream)
            opening = time.perf_counter()
            while not (await terminal.receive()).rstrip().endswith((b"$", b"#")):
                continue
            return call, opening, time.perf_counter()
    finally:
        await asyncio.to_thread(hatchway.terminate, started.session_id)


def _cli(running: Stack) -> float:
    """The same as a person sees it, with the interpreter's start; the session is then left."""
    arguments = [*CLI[1:], "start-session", "--target", running.demo.node]
    environ = running.environ(JOHN) | {"PYTHONPATH": str(ROOT), "TERM": "xterm"}
    begun = time.perf_counter()
    child = pexpect.spawn(CLI[0], arguments, env=environ, timeout=PATIENCE, encoding="utf-8")
    try:
        child.expect(PROMPT)
        taken = time.perf_counter() - begun
        child.sendline("exit")
        child.expect(pexpect.EOF)
        return taken
    finally:
        child.close(force=True)


async def flood(running: Stack, megabytes: int) -> None:
    """A session that prints so much, half of it text."""
    with tempfile.TemporaryDirectory() as made:
        files = contents.files(Path(made), FLOOD_FILE)
        async with embedded.session(embedded.client(running), running.demo.node) as terminal:
            await prepare(terminal, PRINT)
            for _ in range(megabytes * 1_000_000 // (len(files) * FLOOD_FILE)):
                for file in files.values():
                    await show(terminal, file, FLOOD_FILE)


def rest(running: Stack, seconds: float) -> Use:
    """What the agent uses while nothing happens."""
    agent = processes.recorded(agents.record(running.places, running.demo.node))
    if agent is None:
        raise RuntimeError("the agent does not run")
    time.sleep(SETTLE)
    return of_process(agent.pid, seconds)


def starts_table(found: list[Series]) -> str:
    rows = [
        (one.name, str(len(one.samples)), milliseconds(one.p50), milliseconds(max(one.samples)))
        for one in found
    ]
    return table(("start-session to prompt", "times", "p50 ms", "most ms"), rows)


def rest_table(use: Use) -> str:
    memory = verdict(use.megabytes <= TARGET_MEMORY)
    processor = verdict(use.percent <= TARGET_PROCESSOR)
    rows = [
        ("memory (RSS) MB", f"{use.megabytes:.1f}", f"{TARGET_MEMORY:.0f} {memory}"),
        ("processor %", f"{use.percent:.3f}", f"{TARGET_PROCESSOR} {processor}"),
        ("wake-ups a minute", f"{use.wakeups * 60:.1f}", ""),
    ]
    return table((f"the agent, {use.seconds:.0f} idle seconds", "used", "at most"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.session", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_REST / 60:.0f} minutes at rest")
    parser.add_argument("--flood", type=int, default=0, help="MB of output before the rest")
    given = parser.parse_args()
    with embedded.stack() as running:
        print(machine())
        count = LONG_STARTS if given.long else STARTS
        print(starts_table(asyncio.run(starts(running, count))), "", sep="\n")
        rounds = LONG_KEY_ROUNDS if given.long else KEY_ROUNDS
        with bare_relay.deployed(running.emulator) as url:
            print(keys_table(asyncio.run(keystrokes(running, url, rounds))), "", sep="\n")
        sys.stdout.flush()
        if given.flood:
            asyncio.run(flood(running, given.flood))
        print(rest_table(rest(running, LONG_REST if given.long else REST)))
    print(machine())


if __name__ == "__main__":
    main()
