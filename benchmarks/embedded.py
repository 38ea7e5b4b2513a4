"""The embedded AWS with Hatchway deployed: the benchmarks' own, stopped afterwards if ours."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from benchmarks.terminals import PATIENCE, StreamTerminal
from hatchway.client.events import Ended
from hatchway.client.service import Hatchway, load_settings
from hatchway.client.stream import Stream
from hatchway.core.channel import Opened
from hatchway.core.errors import SessionEnded
from local import emulator
from local import stack as local_stack
from local.environment import scrub
from local.identities import JOHN
from local.places import places
from local.progress import Progress
from local.stack import Stack

#: Beside the one of `make up`, unless HATCHWAY_LOCAL_DIR names another.
DIRECTORY = ".local/bench"


@contextmanager
def stack() -> Iterator[Stack]:
    """Started and deployed where it does not run yet."""
    here = places({"HATCHWAY_LOCAL_DIR": DIRECTORY} | dict(os.environ))
    ours = emulator.running(here) is None
    scrub(here)
    try:
        yield local_stack.up(here, dict(os.environ), Progress(sys.stderr))
    finally:
        if ours:
            local_stack.down(here)


def client(running: Stack) -> Hatchway:
    """The people API as the demo's john."""
    return Hatchway(load_settings(running.places.config), profile=JOHN)


@asynccontextmanager
async def session(hatchway: Hatchway, node: str) -> AsyncIterator[StreamTerminal]:
    """A session that is open; terminated afterwards."""
    started = await asyncio.to_thread(hatchway.start, node)
    try:
        async with hatchway.open_stream(started) as stream:
            stream.resize(80, 24)
            yield await opened(stream)
    finally:
        await asyncio.to_thread(hatchway.terminate, started.session_id)


async def opened(stream: Stream) -> StreamTerminal:
    """The stream as a terminal, once both ends have agreed."""
    async with asyncio.timeout(PATIENCE):
        while not isinstance(event := await stream.next(), Opened):
            if isinstance(event, Ended):
                raise event.error or SessionEnded()
    return StreamTerminal(stream)
