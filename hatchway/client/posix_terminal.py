"""A POSIX terminal in raw mode, or any other file that stands in its place."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable
from types import TracebackType
from typing import Any

#: One write: a pipe that is said to be writable takes this much without blocking (PIPE_BUF).
OUTPUT_CHUNK = 4096
#: The size where there is no terminal: wide, so that shells wrap little of what is read as text.
NO_TERMINAL = (300, 100)


class PosixTerminal:
    """Raw while it is entered; what was typed for the other side never reaches this one."""

    def __init__(self, keys: int = 0, output: int = 1, errors: int = 2) -> None:
        self._keys, self._output, self._errors = keys, output, errors
        self.keyboard = os.isatty(keys)
        self.screen = os.isatty(output)
        self._before: list[Any] | None = None
        self._watching = False

    def __enter__(self) -> PosixTerminal:
        if self.keyboard:
            self._before = termios.tcgetattr(self._keys)
            self._raw()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unwatch()
        if self._before is not None:
            before, self._before = self._before, None
            # Output is written out first, input that nobody read is discarded: it was meant for
            # the remote shell, and is not to be run by the local one.
            termios.tcsetattr(self._keys, termios.TCSAFLUSH, before)

    def _raw(self) -> None:
        tty.setraw(self._keys, termios.TCSADRAIN)

    def size(self) -> tuple[int, int]:
        for fd in (self._output, self._keys, self._errors):
            try:
                found = os.get_terminal_size(fd)
            except OSError:
                continue
            if found.columns > 0 and found.lines > 0:
                return found.columns, found.lines
        return NO_TERMINAL

    def watch_size(self, changed: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, changed)
        loop.add_signal_handler(signal.SIGCONT, self._continued, changed)
        self._watching = True

    def _unwatch(self) -> None:
        if not self._watching:
            return
        self._watching = False
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(signal.SIGWINCH)
        loop.remove_signal_handler(signal.SIGCONT)

    def _continued(self, changed: Callable[[], None]) -> None:
        """Stopped from outside and continued: the local shell has used the terminal meanwhile."""
        if self._before is not None:
            self._raw()
        changed()

    async def read(self, limit: int) -> bytes:
        while True:
            await _ready(self._keys, "reader")
            try:
                return os.read(self._keys, limit)
            except BlockingIOError:
                continue
            except OSError:
                return b""  # the terminal was hung up

    async def write(self, data: bytes) -> None:
        await _write(self._output, data)

    async def write_error(self, data: bytes) -> None:
        sys.stderr.flush()
        await _write(self._errors, data)


async def _write(fd: int, data: bytes) -> None:
    """In pieces, so that a reader that is slow (a pager) does not stop the connection's life."""
    view = memoryview(data)
    while view:
        if not select.select([], [fd], [], 0)[1]:
            await _ready(fd, "writer")
        try:
            written = os.write(fd, view[:OUTPUT_CHUNK])
        except BlockingIOError:
            await _ready(fd, "writer")
            continue
        view = view[written:]


async def _ready(fd: int, kind: str) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    add, remove = (
        (loop.add_reader, loop.remove_reader)
        if kind == "reader"
        else (loop.add_writer, loop.remove_writer)
    )
    try:
        add(fd, wake)
    except PermissionError:
        return  # a regular file is always ready, and the system's poll does not take it
    try:
        await ready
    finally:
        remove(fd)
