"""Connections in memory between a Stream and a FakeNode, which a test cuts as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hatchway.client.backoff import Backoff
from hatchway.client.records import Started
from hatchway.client.stream import Patience, Stream
from hatchway.core.errors import HatchwayError
from tests.unit.client.node import FakeNode

SESSION = "john-0123456789abcdef0"
AT_ONCE = Backoff(lambda: 0.0, first=0.0, most=0.0)


class MemoryLink:
    """A client's connection, and the service's end of it."""

    def __init__(self) -> None:
        self.down: asyncio.Queue[str | None] = asyncio.Queue()
        self.up: asyncio.Queue[str | None] = asyncio.Queue()
        self.over = False

    async def send(self, text: str) -> None:
        if not self.over:
            self.up.put_nowait(text)

    async def receive(self) -> str | None:
        return None if self.over and self.down.empty() else await self.down.get()

    async def answers(self, seconds: float) -> bool:
        return True

    async def close(self) -> None:
        self.cut()

    def lose(self) -> None:
        """Lost with everything that was on its way."""
        while not self.down.empty():
            self.down.get_nowait()
        while not self.up.empty():
            self.up.get_nowait()
        self.cut()

    def cut(self) -> None:
        """Closed: what was sent before is still read, nothing after."""
        self.over = True
        self.down.put_nowait(None)
        self.up.put_nowait(None)


class MemoryService:
    """Dials and resumes in memory. `dial_errors` and `resume_errors` are raised first."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.links: list[MemoryLink] = []
        self.tokens: list[str] = []
        self.resumed = 0
        self.dial_errors: list[HatchwayError] = []
        self.resume_errors: list[HatchwayError] = []
        #: Messages down after which a connection is lost, with those on their way.
        self.lose_after = 0
        self.on_dial: Callable[[], None] = lambda: None
        self._serving: set[asyncio.Task[None]] = set()

    async def dial(self, started: Started) -> MemoryLink:
        self.tokens.append(started.token)
        if self.dial_errors:
            raise self.dial_errors.pop(0)
        self.on_dial()
        link = MemoryLink()
        self.links.append(link)
        task = asyncio.create_task(self._serve(link))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        return link

    async def _serve(self, link: MemoryLink) -> None:
        sent = 0

        async def send(text: str) -> None:
            nonlocal sent
            sent += 1
            if self.lose_after and sent > self.lose_after:
                link.lose()
            elif not link.over:
                link.down.put_nowait(text)
                await asyncio.sleep(0)

        await self.node.serve(link.up.get, send)
        link.cut()

    async def resume(self) -> Started:
        self.resumed += 1
        if self.resume_errors:
            raise self.resume_errors.pop(0)
        return started(f"resumed-{self.resumed}")

    def stream(self, patience: Patience | None = None) -> Stream:
        return Stream(started("first"), self.dial, self.resume, patience=patience, backoff=AT_ONCE)


def started(token: str) -> Started:
    return Started(session_id=SESSION, stream_url="wss://stream.example/local", token=token)
