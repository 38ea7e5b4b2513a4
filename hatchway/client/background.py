"""An event loop in a thread of its own, for synchronous callers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as LateError
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Runs coroutines for a thread that waits for them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, T], seconds: float | None) -> T:
        """What `work` gives; TimeoutError when it is late, and then it is cancelled."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except LateError:
            if future.done() and not future.cancelled():
                raise  # the work's own
            future.cancel()
            raise TimeoutError(f"no answer within {seconds} s") from None
        except BaseException:
            future.cancel()
            raise

    def call(self, work: Any, *arguments: Any) -> None:
        """Calls something in the loop's thread, without waiting for it."""
        self._loop.call_soon_threadsafe(work, *arguments)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
