"""A remote terminal as a benchmark sees it: bytes in, bytes out; and what is asked of it."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hatchway.client.events import Ended
from hatchway.client.stream import Stream
from hatchway.core.channel import Data
from hatchway.core.errors import SessionEnded

#: Seconds for one step, however busy the machine is.
PATIENCE = 120.0
KEY = b"x"
READY = b"READY"
# In two pieces, so that the shell's echo of the line does not hold it.
_SAY_READY = "printf %s%s REA DY"
#: Gives each byte back; the terminal itself echoes nothing.
ECHO = f"stty raw -echo; {_SAY_READY}; exec cat"
#: Prints the file that each line names.
PRINT = f'stty raw -echo; {_SAY_READY}; while IFS= read -r file; do cat "$file"; done'

#: Says each size that it is told of, as soon as it is.
_SAY_SIZE = """
import os, signal
def say(*_):
    os.write(1, b"%d %d." % os.get_terminal_size(0))
signal.signal(signal.SIGWINCH, say)
os.write(1, b"READY")
while True:
    signal.pause()
"""


class Terminal(Protocol):
    """Something with a shell at its other end."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes:
        """Some bytes, at least one."""
        ...


@dataclass(frozen=True, slots=True)
class StreamTerminal:
    """The real client's stream."""

    stream: Stream

    async def send(self, data: bytes) -> None:
        await self.stream.write(data)

    async def receive(self) -> bytes:
        while True:
            event = await self.stream.next()
            if isinstance(event, Data):
                self.stream.consumed(len(event.data))
                return event.data
            if isinstance(event, Ended):
                raise event.error or SessionEnded()


async def prepare(terminal: Terminal, script: str) -> None:
    """Replaces the shell by `script`, which has said that it is ready when this returns."""
    await terminal.send(f"exec sh -c '{script}'\n".encode())
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while READY not in seen:
            seen += await terminal.receive()


async def prepare_sizes(terminal: Terminal) -> None:
    """Replaces the shell by a program that says the terminal's size whenever that changes."""
    encoded = base64.b64encode(_SAY_SIZE.encode()).decode()
    command = f'import base64; exec(base64.b64decode("{encoded}"))'
    await terminal.send(f"stty -echo; exec python3 -c '{command}'\n".encode())
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while READY not in seen:
            seen += await terminal.receive()


async def resize(terminal: StreamTerminal, columns: int, rows: int) -> float:
    """Seconds from a new size, which must be another, until the program said it."""
    begun, seen = time.perf_counter(), b""
    terminal.stream.resize(columns, rows)
    async with asyncio.timeout(PATIENCE):
        while not seen.endswith(f"{columns} {rows}.".encode()):
            seen += await terminal.receive()
    return time.perf_counter() - begun


async def press(terminal: Terminal) -> float:
    """Seconds from a key to its echo."""
    begun = time.perf_counter()
    await terminal.send(KEY)
    await expect(terminal, len(KEY))
    return time.perf_counter() - begun


async def show(terminal: Terminal, file: Path, size: int) -> float:
    """Seconds until all `size` bytes of a file were printed."""
    begun = time.perf_counter()
    await terminal.send(f"{file}\n".encode())
    await expect(terminal, size)
    return time.perf_counter() - begun


async def expect(terminal: Terminal, size: int) -> None:
    """Takes exactly so many bytes."""
    async with asyncio.timeout(PATIENCE):
        while size > 0:
            size -= len(await terminal.receive())
    if size < 0:
        raise ValueError("more came than was asked for")
