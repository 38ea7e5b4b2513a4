"""Plays a recording in a terminal: at its own pace or another, paused, searched, from any second.

What it shows has passed a screen filter: a recording reaches no further than the screen. The pace
is decided by `Pace`, which knows no clock; `Player` waits and reads keys.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from hatchway.client.terminal import Terminal
from hatchway.core.errors import HatchwayError
from hatchway.core.screen import ScreenFilter, printable
from hatchway.core.transcript.chunks import SHOWN, Chunk, Kind
from hatchway.core.transcript.search import Search, needle
from hatchway.core.transcript.text import ordinary

#: Seconds of a jump; factors of the speed, and its bounds.
JUMP = 10.0
FASTER, SLOWEST, FASTEST = 2.0, 1 / 16, 1024.0
#: Bytes of keys read at once, and characters of what is searched for.
KEYS = 64
MAX_TYPED = 200
HELP = "space pause  +/- speed  arrows 10 s  / search  n next  q quit"
_CLEAR = b"\x1b[0m\x1b[H\x1b[2J\x1b[3J"


@dataclass(frozen=True, slots=True)
class Shown:
    """Something on the screen, or a note beside it, at a second since the beginning."""

    second: float
    data: bytes = b""
    note: str = ""


def shown(chunks: Sequence[Chunk]) -> list[Shown]:
    """What a player shows of these chunks; time never goes back."""
    found, start, latest = [], chunks[0].at if chunks else 0, 0.0
    for chunk in chunks:
        latest = max(latest, (chunk.at - start) / 1000)
        if chunk.kind in SHOWN:
            found.append(Shown(latest, chunk.data))
        elif chunk.kind is Kind.GAP or (chunk.kind is Kind.MARKER and not ordinary(chunk.note)):
            found.append(Shown(latest, note=printable(chunk.note)))
    return found


@dataclass(slots=True)
class Pace:
    """How fast, and how long nothing may last. `speed` 0 waits for nothing."""

    speed: float = 1.0
    max_idle: float = 2.0
    paused: bool = False

    def wait(self, seconds: float) -> float | None:
        """How long to wait for what comes `seconds` later; None: until a key is pressed."""
        if self.paused:
            return None
        return min(max(seconds, 0.0), self.max_idle) / self.speed if self.speed else 0.0

    def faster(self, factor: float) -> None:
        self.speed = min(FASTEST, max(SLOWEST, (self.speed or 1.0) * factor))


class Player:
    """One replay. Keys count only where they come from a person's terminal."""

    def __init__(self, terminal: Terminal, chunks: Sequence[Chunk], pace: Pace) -> None:
        self._terminal, self._chunks, self._pace = terminal, chunks, pace
        self._events = shown(chunks)
        self._seconds = [event.second for event in self._events]
        self._filter = ScreenFilter()
        self._next = 0
        self._typing: str | None = None
        self._sought = ""
        self._keys: asyncio.Queue[bytes] = asyncio.Queue()

    @property
    def second(self) -> float:
        return self._seconds[self._next - 1] if self._next else 0.0

    async def run(self, start: float = 0.0) -> None:
        """Until the end, or a key that quits; a recording that is paused at its end stays."""
        with self._terminal:
            reading = asyncio.ensure_future(self._read()) if self._terminal.keyboard else None
            try:
                if start:
                    await self._jump(start)
                await self._play()
            finally:
                if reading is not None:
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
                await self._terminal.write(self._filter.leave())

    async def _play(self) -> None:
        while self._next < len(self._events) or self._pace.paused:
            key = await self._key(self._due())
            if key is None:
                await self._show(self._events[self._next])
                self._next += 1
            elif not await self._pressed(key):
                return

    def _due(self) -> float | None:
        if self._typing is not None or self._next >= len(self._events):
            return None
        before = self._seconds[self._next - 1] if self._next else self._seconds[0]
        return self._pace.wait(self._seconds[self._next] - before)

    async def _show(self, event: Shown) -> None:
        if event.note:
            await self._say(event.note)
        else:
            await self._terminal.write(self._filter.feed(event.data))

    # --- jumping --------------------------------------------------------------------------------

    async def _jump(self, second: float) -> None:
        """The screen as it was at `second`: everything up to it, at once."""
        self._next = bisect_right(self._seconds, max(0.0, second))
        undo, self._filter = self._filter.leave(), ScreenFilter()
        await self._terminal.write(undo + _CLEAR)
        for event in self._events[: self._next]:
            if event.data:
                await self._terminal.write(self._filter.feed(event.data))

    async def _seek(self) -> None:
        """To the next line that holds what is sought; from the beginning after the last one."""
        try:
            looking = Search(needle(self._sought))
        except HatchwayError:
            return
        found = [m.second for chunk in self._chunks for m in looking.take(chunk)]
        found += [m.second for m in looking.finish()]
        later = [second for second in found if second > self.second]
        if not found:
            await self._say(f"{printable(self._sought)} is not there")
            return
        await self._jump((later or found)[0])
        self._pace.paused = True
        await self._say(f"{printable(self._sought)} at {self.second:.1f} s")

    # --- keys -----------------------------------------------------------------------------------

    async def _read(self) -> None:
        while data := await self._terminal.read(KEYS):
            await self._keys.put(data)

    async def _key(self, seconds: float | None) -> bytes | None:
        """What was typed within this time; None where it passed first."""
        if seconds is not None and self._keys.empty() and not self._terminal.keyboard:
            await asyncio.sleep(seconds)
            return None
        try:
            return await asyncio.wait_for(self._keys.get(), seconds)
        except TimeoutError:
            return None

    async def _pressed(self, key: bytes) -> bool:
        """False for what quits."""
        if self._typing is not None:
            await self._typed(key)
            return True
        if key in (b"q", b"\x03", b"\x04"):
            return False
        pace = self._pace
        match key:
            case b" ":
                pace.paused = not pace.paused
            case b"+" | b"=":
                pace.faster(FASTER)
            case b"-":
                pace.faster(1 / FASTER)
            case b"\x1b[C" | b"l":
                await self._jump(self.second + JUMP)
            case b"\x1b[D" | b"h":
                await self._jump(self.second - JUMP)
            case b"/":
                self._typing = ""
            case b"n":
                await self._seek()
                return True
        await self._say(self._status())
        return True

    async def _typed(self, key: bytes) -> None:
        text = key.decode("utf-8", "replace")
        if text in ("\r", "\n"):
            self._sought, self._typing = self._typing or "", None
            await self._seek()
            return
        if text in ("\x7f", "\b"):
            self._typing = (self._typing or "")[:-1]
        elif text == "\x1b":
            self._typing = None
        else:
            kept = "".join(c for c in text if c.isprintable())
            self._typing = ((self._typing or "") + kept)[:MAX_TYPED]
        await self._say(f"/{self._typing}" if self._typing is not None else self._status())

    def _status(self) -> str:
        total = self._seconds[-1] if self._seconds else 0.0
        state = "paused" if self._pace.paused else f"x{self._pace.speed:g}"
        return f"{self.second:.1f} of {total:.1f} s  {state}  {HELP}"

    async def _say(self, text: str) -> None:
        """One line at the bottom of a screen, in reverse, the cursor left where it is; on standard
        error where there is none."""
        columns, rows = self._terminal.size()
        said = text[: max(1, columns - 1)].encode()
        if self._terminal.screen:
            bottom = b"\x1b[%d;1H" % rows
            await self._terminal.write(
                b"\x1b7" + bottom + b"\x1b[7m" + said + b"\x1b[0m\x1b[K\x1b8"
            )
        else:
            await self._terminal.write_error(said + b"\n")
