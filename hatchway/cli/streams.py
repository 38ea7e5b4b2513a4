"""This program's standard streams, as the source and the sink of a command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hatchway.client.command import Sink, Source
from hatchway.client.terminal import open_terminal
from hatchway.core.errors import PayloadTooLarge, ValidationException
from hatchway.core.screen import ScreenFilter

if TYPE_CHECKING:
    from hatchway.client.terminal import Terminal

#: What --input takes: it is kept in memory, for every node.
MAX_INPUT = 16 * 1024 * 1024


class Kept:
    """Input that was read before; every node gets its own."""

    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    async def read(self, limit: int) -> bytes:
        data, self._left = bytes(self._left[:limit]), self._left[limit:]
        return data


class Screened:
    """A sink that keeps escapes which reach beyond the screen from a terminal."""

    def __init__(self, terminal: Terminal, *, output: bool, errors: bool) -> None:
        self._terminal = terminal
        self._output = ScreenFilter() if output else None
        self._errors = ScreenFilter() if errors else None

    async def write(self, data: bytes) -> None:
        await self._terminal.write(self._output.feed(data) if self._output else data)

    async def write_error(self, data: bytes) -> None:
        await self._terminal.write_error(self._errors.feed(data) if self._errors else data)


def source_of(file: str | None = None, *, none: bool = False) -> Source | None:
    """The command's input on one node: a file, nothing, or this program's own, as it comes."""
    if file is not None:
        return Kept(read_input(file))
    return None if none else open_terminal()


def read_input(name: str) -> bytes:
    """What --input names, at most MAX_INPUT; ValidationException, PayloadTooLarge."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_INPUT + 1) if sys.stdin else b""
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_INPUT + 1)
    except OSError as error:
        raise ValidationException(f"--input cannot be read: {error.strerror}.") from None
    if len(data) > MAX_INPUT:
        raise PayloadTooLarge(f"--input is larger than {MAX_INPUT} bytes.")
    return data


def sink_of(unfiltered: bool) -> Sink:
    """Standard output and error, byte for byte where they are no terminal."""
    return Screened(
        open_terminal(),
        output=not unfiltered and os.isatty(1),
        errors=not unfiltered and os.isatty(2),
    )
