"""Sessions through the SDK, for tests that cut, kill and race: what a client saw, and when.

Everything is waited for with a deadline; a deadline of a test is a promise, not a measurement.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TypeVar

from hatchway.client import Hatchway, SessionRecord, Started, Stream
from hatchway.client.events import Ended, StreamEvent
from hatchway.core.channel import Data
from hatchway.core.errors import HatchwayError
from hatchway.net import settings as configuration
from local.identities import JOHN
from local.stack import Stack
from tests.integration.sessions import QUIET

T = TypeVar("T")

#: Seconds until a shell must have answered, on a machine that does much else.
PATIENCE = 60.0
#: Seconds between questions to the service.
INTERVAL = 0.2


def client(stack: Stack, user: str = JOHN, through: int | None = None) -> Hatchway:
    """The SDK as a demo user; its streams go through a proxy on the port `through`."""
    found = configuration.load({configuration.CONFIG_VARIABLE: str(stack.places.config)})
    connect = ("127.0.0.1", through) if through else None
    return Hatchway(replace(found, stream_connect=connect), profile=user)


class Follower:
    """An open stream: everything that was printed, and every other event, as they came."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.session_id = stream.session_id
        self.output = bytearray()
        self.events: list[StreamEvent] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Follower:
        await self.stream.__aenter__()
        self._task = asyncio.create_task(self._collect())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stream.__aexit__(None, None, None)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _collect(self) -> None:
        while True:
            event = await self.stream.next()
            if isinstance(event, Data):
                self.output += event.data
                self.stream.consumed(len(event.data))
            else:
                self.events.append(event)
            self._news.set()
            if isinstance(event, Ended):
                return

    async def enter(self, line: str) -> None:
        await self.stream.write(line.encode() + b"\n")

    async def printed(
        self, pattern: str, seconds: float = PATIENCE, since: int = 0
    ) -> re.Match[bytes]:
        """The first match in what was printed, from the byte `since` on."""
        wanted = re.compile(pattern.encode(), re.DOTALL)
        return await self._until(lambda: wanted.search(self.output, since), seconds, pattern)

    async def told(self, *kinds: type[T], seconds: float = PATIENCE, since: int = 0) -> T:
        """The first event of one of these kinds, from the event number `since` on."""

        def found() -> T | None:
            return next((e for e in self.events[since:] if isinstance(e, kinds)), None)

        return await self._until(found, seconds, " or ".join(kind.__name__ for kind in kinds))

    async def _until(self, check: Callable[[], T | None], seconds: float, what: str) -> T:
        try:
            async with asyncio.timeout(seconds):
                while (found := check()) is None:
                    self._news.clear()
                    await self._news.wait()
                return found
        except TimeoutError:
            raise AssertionError(
                f"no {what} within {seconds:.0f} s; events {self.events}, "
                f"{len(self.output)} bytes ending with {bytes(self.output[-200:])!r}"
            ) from None


@asynccontextmanager
async def following(hatchway: Hatchway, started: Started) -> AsyncIterator[Follower]:
    """A client of a started or resumed session."""
    async with Follower(hatchway.open_stream(started)) as follower:
        follower.stream.resize(80, 24)
        yield follower


@asynccontextmanager
async def shell(hatchway: Hatchway, node: str | None = None) -> AsyncIterator[Follower]:
    """A new session whose shell shows neither prompt nor echo; ended afterwards."""
    started = await asyncio.to_thread(hatchway.start, node)
    try:
        async with following(hatchway, started) as follower:
            await follower.enter(QUIET + "echo qu''iet $$")
            await follower.printed(r"quiet \d+\r\n")
            yield follower
    finally:
        with suppress(HatchwayError):
            await asyncio.to_thread(hatchway.terminate, started.session_id)


async def asked(question: Callable[[], T | None], seconds: float, what: str) -> T:
    """The first answer that is one, of a blocking question to the service."""
    try:
        async with asyncio.timeout(seconds):
            while (answer := await asyncio.to_thread(question)) is None:
                await asyncio.sleep(INTERVAL)
            return answer
    except TimeoutError:
        raise AssertionError(f"{what}: not within {seconds:.0f} s") from None


async def in_status(
    hatchway: Hatchway, session_id: str, *wanted: str, seconds: float = PATIENCE
) -> SessionRecord:
    """The session, once it has one of these states."""

    def there() -> SessionRecord | None:
        record = hatchway.session(session_id)
        return record if record.status in wanted else None

    return await asked(there, seconds, f"{session_id} {' or '.join(wanted)}")
