"""What a person could read on the terminal, line by line: carriage returns, backspaces, erasing and
colour resolved, full-screen programs told in one line, what cannot be seen made visible.

It knows one line at a time (wrapped lines included), not a screen: what a program overwrote is
gone from the text, and stays in the recording. Nothing in a line is a control character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category, east_asian_width

from hatchway.core.screen import ScreenFilter, printable
from hatchway.core.transcript.chunks import SHOWN, Chunk, Kind

#: Cells of one line; a longer one is cut into pieces, no larger than a quarter more.
MAX_CELLS = 16 * 1024
#: Combining characters in one cell; further ones are dropped.
MAX_COMBINED = 4
#: Columns that a cursor may be moved to the right.
MAX_COLUMN = 1000
TAB = 8

# Whole lines of text and colour, which need no cells: ASCII, and what takes one cell.
_SIMPLE_LINES = re.compile(
    rb"(?:(?:[\x20-\x7e]++|\x1b\[[0-9;]{0,32}m|\xc2[\xa0-\xbf]|[\xc3-\xcb][\x80-\xbf])*+\r?\n)++"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]{1,4096})|\x1b\[(?P<private>\??)(?P<values>[0-9;:]*)"
    r"(?P<final>[ -/]*[@-~])|\x1b(?P<escape>[ -/]*[0-~])|(?P<control>[\x00-\x1f\x7f-\x9f])"
)
_ALTERNATE = frozenset({"47", "1047", "1049"})

#: Beginnings of notes that are a session's ordinary course, and no news for a reader.
_ORDINARY = ("handshake", "encryption challenge", "flag ", "payload of type")


def ordinary(note: str) -> bool:
    """Whether a marker's note says nothing that a reader wants to know."""
    return not note or note.startswith(_ORDINARY)


class Origin(StrEnum):
    """Whose words a line is."""

    OUTPUT = "output"
    STDERR = "stderr"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """A line: its number from 1, when it was last written to (unix milliseconds), its text."""

    number: int
    at: int
    text: str
    origin: Origin = Origin.OUTPUT


class _Screenful:
    """One stream's terminal, as far as lines need one."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.columns = 0
        self._filter = ScreenFilter()
        self._cells: list[str] = []
        self._column = self._base = 0
        self._at = 0
        self._full_since: int | None = None
        self._full_bytes = 0

    def feed(self, data: bytes, at: int) -> Iterator[tuple[int, str, Origin]]:
        """The lines that end in `data`."""
        place = 0
        while place < len(data):
            simple = _SIMPLE_LINES.match(data, place) if self._fresh else None
            if simple:
                yield from self._simple(simple[0].decode(), at)
                place = simple.end()
                continue
            end = data.find(b"\n", place) + 1 or len(data)
            seen = self._filter.feed(data[place:end])
            yield from self._tokens(seen.decode("utf-8", "backslashreplace"), at)
            place = end

    def _simple(self, text: str, at: int) -> Iterator[tuple[int, str, Origin]]:
        """Whole lines without anything that moves the cursor."""
        if "\x1b" in text:
            text = _COLOUR.sub("", text)
        for line in text.split("\n")[:-1]:
            for first in range(0, max(1, len(line)), MAX_CELLS):
                yield at, printable(line[first : first + MAX_CELLS].rstrip()), self.origin

    def finish(self) -> Iterator[tuple[int, str, Origin]]:
        if self._full_since is not None:
            yield self._at, self._summary(self._at), Origin.NOTE
        if self._cells:
            yield self._line()

    @property
    def _fresh(self) -> bool:
        empty = not self._cells and self._column == 0
        return empty and self._full_since is None and self._filter.idle

    def _tokens(self, text: str, at: int) -> Iterator[tuple[int, str, Origin]]:
        for token in _TOKEN.finditer(text):
            if self._full_since is not None:
                self._full_bytes += len(token[0])
                self._at = at
                if token["final"] == "l" and _ALTERNATE & set(token["values"].split(";")):
                    yield at, self._summary(at), Origin.NOTE
                continue
            if token["text"]:
                self._at = at
                self._write(token["text"])
                if len(self._cells) >= MAX_CELLS:
                    yield self._line()
            elif token["final"]:
                yield from self._sequence(token, at)
            elif token["control"]:
                yield from self._control(token["control"], at)
            elif token["escape"] in ("c", "D", "E", "M"):
                yield from self._broken()

    def _control(self, control: str, at: int) -> Iterator[tuple[int, str, Origin]]:
        if control == "\n":
            self._at = at if not self._cells else self._at
            yield self._line()
        elif control in "\x0b\x0c":
            yield from self._broken()
        elif control == "\r":
            self._column = self._base
        elif control == "\b":
            self._column = max(self._base, self._column - 1)
        elif control == "\t":
            self._move(self._column + TAB - (self._column - self._base) % TAB)

    def _sequence(self, token: re.Match[str], at: int) -> Iterator[tuple[int, str, Origin]]:
        final, values = token["final"], token["values"].split(";")
        if token["private"]:
            if final == "h" and _ALTERNATE & set(values):
                yield from self._broken()
                self._full_since, self._full_bytes = at, 0
            return
        count = _number(values[0])
        if final in "Hf":
            yield from self._broken()
            self._move(_number(values[1] if len(values) > 1 else "") - 1)
        elif final == "J" and values[0] in ("2", "3"):
            yield from self._broken()
        else:
            self._edit(final, values[0], count)

    def _edit(self, final: str, value: str, count: int) -> None:
        cells, column = self._cells, self._column
        if final in "KJ":
            self._erase(value)
        elif final == "C":
            self._move(column + count)
        elif final == "D":
            self._column = max(self._base, column - count)
        elif final in "G`":
            self._move(self._base + count - 1)
        elif final == "A" and self.columns:
            up = min(count * self.columns, self._base)
            self._base, self._column = self._base - up, column - up
        elif final == "B" and self.columns and self._base + self.columns <= len(cells):
            self._base, self._column = self._base + self.columns, column + self.columns
        elif final == "P":
            del cells[column : column + count]
        elif final == "@":
            cells[column:column] = [" "] * (min(count, MAX_COLUMN) if column < len(cells) else 0)
        elif final == "X":
            for index in range(column, min(column + count, len(cells))):
                cells[index] = " "

    def _erase(self, value: str) -> None:
        if value in ("", "0"):
            del self._cells[self._column :]
        elif value in ("1", "2"):
            last = self._column + 1 if value == "1" else len(self._cells)
            for index in range(min(last, len(self._cells))):
                self._cells[index] = " "

    def _move(self, column: int) -> None:
        self._column = min(column, self._base + (self.columns or MAX_COLUMN) - 1)

    def _write(self, text: str) -> None:
        wraps = self.columns and self._column - self._base + len(text) > self.columns
        if text.isascii() and not wraps:
            self._place(list(text))
            return
        for char in text:
            self._put(char)

    def _put(self, char: str) -> None:
        if self.columns and self._column - self._base >= self.columns:
            self._base = self._column
        if category(char) in ("Mn", "Me") and 0 < self._column <= len(self._cells):
            before = self._cells[self._column - 1]
            if len(before) <= MAX_COMBINED:
                self._cells[self._column - 1] = before + char
            return
        wide = east_asian_width(char) in ("W", "F")
        self._place([char, ""] if wide else [char])

    def _place(self, cells: list[str]) -> None:
        missing = self._column - len(self._cells)
        if missing > 0:
            self._cells += [" "] * missing
        self._cells[self._column : self._column + len(cells)] = cells
        self._column += len(cells)

    def _broken(self) -> Iterator[tuple[int, str, Origin]]:
        """The cursor goes elsewhere: what stands here is a line."""
        if self._cells:
            yield self._line()
        self._column = self._base = 0

    def _line(self) -> tuple[int, str, Origin]:
        text = printable("".join(self._cells).rstrip())
        self._cells.clear()
        self._column = self._base = 0
        return self._at, text, self.origin

    def _summary(self, at: int) -> str:
        since = self._full_since or at
        self._full_since = None
        seconds = max(0, at - since) // 1000
        return f"[a full-screen program: {seconds} s, {self._full_bytes} characters]"


class LineResolver:
    """Chunks in, the lines that a person could read out; memory is bounded by MAX_CELLS."""

    def __init__(self, line: int = 0) -> None:
        """`line` lines came before."""
        self._streams = {
            Kind.OUTPUT: _Screenful(Origin.OUTPUT),
            Kind.STDERR: _Screenful(Origin.STDERR),
        }
        self.line = line

    def take(self, chunk: Chunk) -> list[Line]:
        """The lines that end with this chunk."""
        if chunk.kind in SHOWN:
            return self._lines(self._streams[chunk.kind].feed(chunk.data, chunk.at))
        if chunk.kind is Kind.RESIZE:
            columns = chunk.data.partition(b"x")[0]
            for stream in self._streams.values():
                stream.columns = min(int(columns), MAX_COLUMN) if columns.isdigit() else 0
            return []
        if chunk.kind is Kind.GAP or (chunk.kind is Kind.MARKER and not ordinary(chunk.note)):
            said = [(chunk.at, f"[{printable(chunk.note)}]", Origin.NOTE)]
            return self._lines(iter(said))
        return []

    def finish(self) -> list[Line]:
        """What stood in lines that never ended."""
        return [line for s in self._streams.values() for line in self._lines(s.finish())]

    def _lines(self, found: Iterator[tuple[int, str, Origin]]) -> list[Line]:
        lines = []
        for at, text, origin in found:
            self.line += 1
            lines.append(Line(self.line, at, text, origin))
        return lines


def _number(value: str) -> int:
    """A sequence's first parameter: 1 where it is missing or 0, and bounded."""
    digits = value.partition(":")[0][:6]
    return min(max(int(digits), 1), MAX_CELLS) if digits.isdigit() else 1
