"""The client's side of the loopback node: the real stream, and bare WebSockets beside it."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.loopback_node import SESSION
from benchmarks.terminals import StreamTerminal
from hatchway.client.link import SUBPROTOCOL, Dialler
from hatchway.client.records import Started
from hatchway.client.stream import Stream
from hatchway.core.errors import SessionEnded
from hatchway.core.wire import MAX_TEXT_MESSAGE
from hatchway.net.tls import client_context
from local import certificate
from local.places import ROOT, Places


@dataclass(frozen=True, slots=True)
class Node:
    """A running node."""

    port: int
    tls: ssl.SSLContext

    def url(self, path: str) -> str:
        return f"wss://127.0.0.1:{self.port}/{path}"


@dataclass(frozen=True, slots=True)
class EchoTerminal:
    """A bare WebSocket that gives back what it is sent."""

    socket: ClientConnection

    async def send(self, data: bytes) -> None:
        await self.socket.send(data.decode())

    async def receive(self) -> bytes:
        return str(await self.socket.recv()).encode()


@asynccontextmanager
async def node(folder: Path, profile: Path | None = None) -> AsyncIterator[Node]:
    """The node's process; `profile` takes a profile of it in the end."""
    places = Places(folder)
    places.make()
    certificate.ensure(places)
    profiled = ("-m", "cProfile", "-o", str(profile)) if profile else ()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *profiled, "-m", "benchmarks.loopback_node"),
        *(str(places.certificate), str(places.key)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name in ("PATH", "HOME")},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = int(await process.stdout.readline())
        yield Node(port, client_context(places.ca_bundle))
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def session(node: Node) -> AsyncIterator[StreamTerminal]:
    """A session through the real client and the real agent."""
    started = Started(session_id=SESSION, stream_url=node.url("session"), token="none")

    async def resume() -> Started:
        raise SessionEnded()

    async with Stream(started, Dialler(node.tls), resume) as stream:
        stream.resize(80, 24)
        yield StreamTerminal(stream)


@asynccontextmanager
async def echo(node: Node) -> AsyncIterator[EchoTerminal]:
    async with _bare(node, "echo") as socket:
        yield EchoTerminal(socket)


async def pour(node: Node, size: int) -> float:
    """Seconds for `size` bytes in bare text frames of 32 KB."""
    async with _bare(node, "pour") as socket:
        begun = time.perf_counter()
        await socket.send(str(size))
        while size > 0:
            size -= len(base64.b64decode(await socket.recv()))
        return time.perf_counter() - begun


def _bare(node: Node, path: str) -> connect:
    return connect(
        node.url(path),
        ssl=node.tls,
        compression=None,
        max_size=MAX_TEXT_MESSAGE,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
    )
