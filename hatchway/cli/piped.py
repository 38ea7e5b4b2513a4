"""A session without a terminal at this program's standard streams, from its start to its status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from hatchway.cli.leaving import end_session, ended_with, left, tell
from hatchway.cli.streams import sink_of
from hatchway.client.command import Sink, Source, carry
from hatchway.client.connecting import in_thread
from hatchway.client.events import Ended, StreamEvent
from hatchway.client.shell import said
from hatchway.client.signals import forwarding
from hatchway.core.channel import Gap

if TYPE_CHECKING:
    from hatchway.client import Hatchway, Started
    from hatchway.client.stream import Stream

T = TypeVar("T")


def run_piped(
    hatchway: Hatchway,
    start: Callable[[], Started],
    source: Source | None,
    *,
    unfiltered: bool,
    quiet: bool,
) -> int:
    """Starts the session and carries its streams; the exit status. Nothing is said but of
    connections, unless `quiet`, and errors."""
    return asyncio.run(_Piped(hatchway, quiet=quiet).run(start, source, sink_of(unfiltered)))


class _Piped:
    def __init__(self, hatchway: Hatchway, *, quiet: bool) -> None:
        self._hatchway, self._quiet = hatchway, quiet
        self._stream: Stream | None = None

    async def run(self, start: Callable[[], Started], source: Source | None, sink: Sink) -> int:
        with forwarding(self._forward) as leaving:
            started = await _first(in_thread(start), leaving)
            if isinstance(started, int):
                return 128 + started
            try:
                ended = await _first(self._attend(started, source, sink), leaving)
            except BrokenPipeError:
                await asyncio.to_thread(end_session, self._hatchway, started)
                raise
        if isinstance(ended, int):
            return left(self._hatchway, started, ended, quiet=True)
        return ended_with(self._hatchway, started, ended, quiet=True)

    def _forward(self, number: int) -> bool:
        return self._stream is not None and self._stream.signal(number)

    async def _attend(self, started: Started, source: Source | None, sink: Sink) -> Ended:
        async with self._hatchway.open_stream(started) as self._stream:
            return await carry(self._stream, source, sink, self._told)

    def _told(self, event: StreamEvent) -> None:
        text = said(event)
        if text and (isinstance(event, Gap) or not self._quiet):
            tell("\n".join(f"[hatchway: {line}]" for line in text.splitlines()))


async def _first(work: Coroutine[Any, Any, T], leaving: asyncio.Future[int]) -> T | int:
    """What `work` gives, or the signal that ends it before."""
    task = asyncio.ensure_future(work)
    try:
        either: set[asyncio.Future[Any]] = {task, leaving}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else leaving.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
