"""How long after a network's return a key is echoed, when it was away at the client or at the node.

The network is real: a cable between two Linux network namespaces, which is pulled and put back, so
that nothing answers and nobody is told. It needs root; keys are typed while it is away.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import embedded
from benchmarks.figures import machine, percentile, table
from benchmarks.terminals import ECHO, PATIENCE, StreamTerminal, prepare
from hatchway.client.service import Hatchway
from local.stack import Stack
from tests.edge.proxy import EdgeProxy, Settings
from tests.integration.edges import NODE_TAGS
from tests.integration.following import asked
from tests.integration.namespaces import API, MQTT, NODE, Namespace, cable
from tests.integration.test_namespace import HTTPS, agent_in
from tests.unit.net.authority import Authority

#: Seconds that the network is away, and how often.
AWAY, LONG_AWAY = {3.0: 5, 10.0: 3, 40.0: 2}, {3.0: 20, 10.0: 10, 40.0: 5}
#: Seconds between an echo and the next time that the network goes: what follows has come to rest.
REST = 4.0
#: The share of its absence after which a key is typed.
TYPED = 0.1
TARGET = 1.0


@dataclass(frozen=True, slots=True)
class Cable:
    """What is between one end and the service."""

    inside: Namespace
    outside: Namespace

    async def pull(self, pulled: bool) -> None:
        command = ["ip", "-n", self.outside.name, "link", "set", "eth0", "down" if pulled else "up"]
        await asyncio.to_thread(subprocess.run, command, check=True, timeout=PATIENCE)
        if not pulled:  # the route went with the link
            route = ["route", "replace", f"{NODE}/32", "dev", "eth0"]
            command = ["ip", "-n", self.outside.name, *route]
            await asyncio.to_thread(subprocess.run, command, check=True, timeout=PATIENCE)


Found = dict[float, list[float]]


async def measured(terminal: StreamTerminal, wire: Cable, plan: dict[float, int]) -> Found:
    """Seconds from the network's return to the echo, by how long it was away."""
    found: Found = {}
    await prepare(terminal, ECHO)
    for away, times in plan.items():
        for number in range(times):
            await asyncio.sleep(max(REST, away / 2))  # the node is known to be back, too
            await echoed(terminal, b"<")
            key = b"%d" % (number % 10)
            await wire.pull(True)
            await asyncio.sleep(away * TYPED)
            await terminal.send(key)
            await asyncio.sleep(away * (1 - TYPED))
            await wire.pull(False)
            back = time.monotonic()
            await received(terminal, key)
            found.setdefault(away, []).append(time.monotonic() - back)
    return found


async def echoed(terminal: StreamTerminal, key: bytes) -> None:
    await terminal.send(key)
    await received(terminal, key)


async def received(terminal: StreamTerminal, key: bytes) -> None:
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while key not in seen:
            seen += await terminal.receive()


# --- the two ends -------------------------------------------------------------------------------


def at_the_client(running: Stack, plan: dict[float, int]) -> Found:
    """The client's stream has no other way than the cable; its signed requests have none at all."""
    hatchway = embedded.client(running)
    places = running.places
    with cable() as (inside, outside):
        settings = Settings(
            upstream=("127.0.0.1", running.emulator.port),
            upstream_ca=places.ca_bundle,
            certificate=(places.certificate, places.key),
            listener=outside.listen(API, HTTPS),
        )
        with EdgeProxy(settings):
            behind = Hatchway(
                replace(hatchway.settings, stream_connect=(API, HTTPS)), profile="john"
            )
            started = hatchway.start(running.demo.node)
            try:
                return within(inside, lambda: _typed(behind, started, inside, outside, plan))
            finally:
                hatchway.terminate(started.session_id)


async def _typed(
    hatchway: Hatchway, started: Any, inside: Namespace, outside: Namespace, plan: dict[float, int]
) -> Found:
    async with hatchway.open_stream(started) as stream:
        stream.resize(80, 24)
        terminal = await embedded.opened(stream)
        await asked(lambda: stream.prepared or None, PATIENCE, "a spare token")
        return await measured(terminal, Cable(inside, outside), plan)


def within(inside: Namespace, work: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
    """Runs `work` in a thread of that network namespace."""
    outcome: list[Found | BaseException] = []

    def run() -> None:
        try:
            inside.enter()
            outcome.append(asyncio.run(work()))
        except BaseException as error:  # raised where it is waited for
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    [result] = outcome
    if isinstance(result, BaseException):
        raise result
    return result


def at_the_node(running: Stack, plan: dict[float, int]) -> Found:
    """The node's agent has no other way than the cable, for HTTPS and for MQTT."""
    hatchway = embedded.client(running)
    with tempfile.TemporaryDirectory() as directory, cable() as (inside, outside):
        authority = Authority(Path(directory))
        with (
            _endpoint(running, authority, outside, API),
            _endpoint(running, authority, outside, MQTT),
        ):
            node = running.run_instance(NODE_TAGS)
            with agent_in(inside, running, node, authority.bundle):
                return asyncio.run(_on(hatchway, node, Cable(inside, outside), plan))


@contextmanager
def _endpoint(
    running: Stack, authority: Authority, outside: Namespace, address: str
) -> Iterator[EdgeProxy]:
    pair = authority.file(address)
    settings = Settings(
        upstream=("127.0.0.1", running.emulator.port),
        upstream_ca=running.places.ca_bundle,
        certificate=(pair, pair),
        listener=outside.listen(address, HTTPS),
    )
    with EdgeProxy(settings) as edge:
        yield edge


async def _on(hatchway: Hatchway, node: str, wire: Cable, plan: dict[float, int]) -> Found:
    await asked(lambda: hatchway.connected(node) or None, PATIENCE, "online")
    async with embedded.session(hatchway, node) as terminal:
        return await measured(terminal, wire, plan)


# --- figures ------------------------------------------------------------------------------------


def report(found: dict[str, Found]) -> str:
    rows = [
        (
            f"{end}, away {away:g} s",
            str(len(samples)),
            *(f"{percentile(samples, p):.2f}" for p in (50, 100)),
            f"{sum(sample <= TARGET for sample in samples)} of {len(samples)}",
        )
        for end, by_time in found.items()
        for away, samples in by_time.items()
    ]
    return table(("from the network's return to the echo, s", "times", "p50", "max", "≤ 1 s"), rows)


ENDS = {"client": at_the_client, "node": at_the_node}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resume", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more rounds")
    parser.add_argument("--end", choices=tuple(ENDS), help="one end only")
    given = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("This takes root: it makes network namespaces.")
    plan = LONG_AWAY if given.long else AWAY
    with embedded.stack() as running:
        found = {end: work(running, plan) for end, work in ENDS.items() if given.end in (None, end)}
    print(report(found))
    print(machine())


if __name__ == "__main__":
    main()
