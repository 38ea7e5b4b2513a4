"""Has what runs draw its screen again for a client that has just come to it.

The kernel tells the foreground of a new size only where the size is another: so it becomes one row
less for a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Seconds between the two sizes: programs that read the size late must see both.
PAUSE = 0.1


class Redraw:
    """Passes sizes on to `resize(columns, rows)`, the first one after `expect` twice."""

    def __init__(self, resize: Callable[[int, int], None]) -> None:
        self._resize = resize
        self._expected = False
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """Somebody new is there: their size comes next."""
        self._expected = True

    def size(self, columns: int, rows: int) -> None:
        self.close()
        if self._expected and rows > 1:
            self._resize(columns, rows - 1)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(PAUSE, self._resize, columns, rows)
        else:
            self._resize(columns, rows)
        self._expected = False

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
