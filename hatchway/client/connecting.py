"""Puts a stream together: the real WebSocket, the real people API, the caller's settings."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from hatchway.client.link import Dialler
from hatchway.client.records import Started
from hatchway.client.service import Hatchway
from hatchway.client.stream import Stream
from hatchway.core.environment import allowed
from hatchway.net.tls import client_context

T = TypeVar("T")


def stream_of(hatchway: Hatchway, started: Started) -> Stream:
    """The stream of a session; lost connections are restored through ResumeSession."""

    async def resume() -> Started:
        return await in_thread(lambda: hatchway.resume(started.session_id, reconnect=True))

    settings = hatchway.settings
    dial = Dialler(client_context(settings.ca_bundle), settings.stream_connect)
    return Stream(started, dial, resume, reach=dial.reach, environment=allowed(os.environ))


async def in_thread(work: Callable[[], T]) -> T:
    """Runs blocking `work` in a daemon thread: unlike asyncio's own executor it is not waited for
    when the program ends, so that a person who gives up is let go."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def deliver(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        try:
            outcome: tuple[T | None, BaseException | None] = work(), None
        except Exception as error:  # handed over to who awaits
            outcome = None, error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, *outcome)

    threading.Thread(target=run, daemon=True).start()
    return await answer
