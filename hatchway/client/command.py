"""A command on a node: joins its three streams with this side's until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from hatchway.client.events import Ended, StreamEvent
from hatchway.client.stream import Stream
from hatchway.core.channel import Data
from hatchway.core.wire import PayloadType

#: Bytes of input read at once.
INPUT_CHUNK = 32 * 1024


class Source(Protocol):
    """Where a command's input comes from."""

    async def read(self, limit: int) -> bytes:
        """Some input; nothing at its end."""


class Sink(Protocol):
    """Where a command's output goes; each is complete when it returns."""

    async def write(self, data: bytes) -> None: ...

    async def write_error(self, data: bytes) -> None: ...


async def carry(
    stream: Stream,
    source: Source | None,
    sink: Sink,
    told: Callable[[StreamEvent], None] = lambda event: None,
) -> Ended:
    """Runs until the remote command has ended and all of its output is in `sink`; without a source
    it reads an end of input at once. `told` hears of everything that is not output. `stream` is
    entered by the caller. An error of source or sink ends it."""
    feeding = asyncio.ensure_future(_feed(stream, source))
    showing = asyncio.ensure_future(_show(stream, sink, told))
    try:
        await asyncio.wait({feeding, showing}, return_when=asyncio.FIRST_COMPLETED)
        if not showing.done():
            await feeding  # all has been fed; or its error
        return await showing
    finally:
        for task in (feeding, showing):
            task.cancel()
        await asyncio.gather(feeding, showing, return_exceptions=True)


async def _feed(stream: Stream, source: Source | None) -> None:
    while source is not None and (data := await source.read(INPUT_CHUNK)):
        await stream.write(data)
    stream.end_input()


async def _show(stream: Stream, sink: Sink, told: Callable[[StreamEvent], None]) -> Ended:
    while True:
        event = await stream.next()
        if isinstance(event, Ended):
            return event
        if not isinstance(event, Data):
            told(event)
            continue
        if event.payload_type is PayloadType.STDERR:
            await sink.write_error(event.data)
        else:
            await sink.write(event.data)
        stream.consumed(len(event.data))
