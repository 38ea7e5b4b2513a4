"""Where the output of many nodes goes: lines with the node's name, files, or memory."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hatchway.core.errors import ValidationException
from hatchway.core.screen import ScreenFilter, printable

if TYPE_CHECKING:
    from hatchway.client.records import Node
    from hatchway.client.terminal import Terminal

#: A longer line is cut in pieces.
MAX_LINE = 64 * 1024
#: What of a line on a terminal is more than text: colours and tabs.
_TOKEN = re.compile(rb"(\x1b\[[0-9:;]*m|\t)")
#: Bytes of each stream of a node that --json keeps; --output-dir keeps all.
MAX_KEPT = 64 * 1024


class Screen:
    """This program's output, which all nodes share: a line is written whole. `status` is a line at
    the bottom of a terminal on standard error."""

    def __init__(self, terminal: Terminal, *, status: bool) -> None:
        self._terminal = terminal
        self._turn = asyncio.Lock()
        self._status = status
        self._shown = ""

    async def write(self, data: bytes, *, error: bool) -> None:
        async with self._turn:
            # The status is on this screen too, where the output goes to it.
            over = self._status and bool(self._shown) and (error or self._terminal.screen)
            if over:
                await self._terminal.write_error(b"\r\x1b[K")
            await (self._terminal.write_error if error else self._terminal.write)(data)
            if over:
                await self._terminal.write_error(self._shown.encode())

    async def say(self, text: str) -> None:
        """Shows another status; "" takes it away."""
        if self._status and text != self._shown:
            async with self._turn:
                self._shown = text
                await self._terminal.write_error(b"\r\x1b[K" + text.encode())


def flat(line: bytes) -> bytes:
    """A line as it would look, on one line of a terminal: text, tabs and colours. Nothing in it
    moves the cursor, so that no node writes over what stands before its lines, or in another's."""
    passes = [each for each in line.split(b"\r") if each]
    tokens = _TOKEN.split(_without_backspaces(passes[-1] if passes else b""))
    shown = [each if n % 2 else _printable(each) for n, each in enumerate(tokens)]
    coloured = any(each.startswith(b"\x1b") for each in tokens[1::2])
    return b"".join(shown) + (b"\x1b[m" if coloured else b"")


def _printable(text: bytes) -> bytes:
    return printable(text.decode("utf-8", "replace")).encode()


def _without_backspaces(line: bytes) -> bytes:
    """What a backspace went over is taken as written over: so is bold in old manuals."""
    if b"\b" not in line:
        return line
    kept = list[str]()
    for char in line.decode("utf-8", "replace"):
        if char != "\b":
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept).encode()


class _Lines:
    def __init__(self, screen: Screen, prefix: bytes, *, error: bool, filtered: bool) -> None:
        self._screen, self._prefix, self._error = screen, prefix, error
        self._filter = ScreenFilter() if filtered else None
        self._rest = b""

    async def feed(self, data: bytes) -> None:
        self._rest += self._filter.feed(data) if self._filter else data
        *lines, self._rest = self._rest.split(b"\n")
        while len(self._rest) > MAX_LINE:
            lines.append(self._rest[:MAX_LINE])
            self._rest = self._rest[MAX_LINE:]
        if lines:
            shown = map(flat, lines) if self._filter else lines
            text = b"".join(self._prefix + line + b"\n" for line in shown)
            await self._screen.write(text, error=self._error)

    async def flush(self) -> None:
        if self._rest:
            await self.feed(b"\n")


class Prefixed:
    """A node's lines on the screen, each behind its name."""

    def __init__(self, screen: Screen, node: Node, *, filtered: tuple[bool, bool]) -> None:
        prefix = f"{printable(node.name or node.node_id)}: ".encode()
        self._streams = [
            _Lines(screen, prefix, error=error, filtered=filtered[error]) for error in (False, True)
        ]

    async def write(self, data: bytes) -> None:
        await self._streams[0].feed(data)

    async def write_error(self, data: bytes) -> None:
        await self._streams[1].feed(data)

    async def finish(self) -> None:
        """The last lines, where they did not end."""
        for stream in self._streams:
            await stream.flush()


class Kept:
    """A node's output in memory, the beginning of each stream."""

    def __init__(self) -> None:
        self.output = bytearray()
        self.errors = bytearray()
        self.truncated = False

    async def write(self, data: bytes) -> None:
        self._keep(self.output, data)

    async def write_error(self, data: bytes) -> None:
        self._keep(self.errors, data)

    async def finish(self) -> None:
        return

    def _keep(self, kept: bytearray, data: bytes) -> None:
        room = MAX_KEPT - len(kept)
        kept += data[:room]
        self.truncated = self.truncated or len(data) > room


class Files:
    """A node's output in two files, byte for byte, named by its id."""

    def __init__(self, directory: Path, node: Node) -> None:
        self.output = directory / f"{node.node_id}.stdout"
        self.errors = directory / f"{node.node_id}.stderr"
        try:
            self._files = [_create(path) for path in (self.output, self.errors)]
        except OSError as error:
            raise ValidationException(f"--output-dir: {error.strerror}.") from None

    async def write(self, data: bytes) -> None:
        _write(self._files[0], data)

    async def write_error(self, data: bytes) -> None:
        _write(self._files[1], data)

    async def finish(self) -> None:
        files, self._files = self._files, []
        for fd in files:
            os.close(fd)


def make_directory(name: str) -> Path:
    """The directory of --output-dir; ValidationException."""
    path = Path(name)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValidationException(f"--output-dir: {error.strerror}.") from None
    return path


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError as error:  # a full disk is this node's failure, and not the end of the others
        raise ValidationException(f"--output-dir: {error.strerror}.") from None
