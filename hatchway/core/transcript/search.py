"""Searching a recording's lines: where a text stands, on which line and at which second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hatchway.core.errors import ValidationException
from hatchway.core.transcript.chunks import Chunk
from hatchway.core.transcript.text import Line, LineResolver

#: Characters of what is searched for, and of a line in an answer, around the match.
MAX_NEEDLE = 256
MAX_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Match:
    """A line that holds the text. `second` counts from the recording's beginning."""

    line: int
    second: float
    text: str


def needle(text: str) -> str:
    """A checked text to search for; ValidationException for an empty or too long one."""
    if not text.strip() or len(text) > MAX_NEEDLE:
        raise ValidationException(f"A text to search for has 1 to {MAX_NEEDLE} characters.")
    return text


class Search:
    """Lines that hold one text; upper and lower case are the same where it is all lower case."""

    def __init__(self, text: str, line: int = 0, start: int = -1) -> None:
        """`line` lines came before, and the recording began at `start` (unix milliseconds): where
        another search ended. -1: it begins with what is taken."""
        self._exact = text != text.lower()
        self._text = text if self._exact else text.casefold()
        self._resolver = LineResolver(line)
        self.start = start

    def take(self, chunk: Chunk) -> list[Match]:
        """The matches in the lines that end with this chunk."""
        if self.start < 0:
            self.start = chunk.at
        return list(self._matches(self._resolver.take(chunk)))

    @property
    def line(self) -> int:
        """How many lines there were."""
        return self._resolver.line

    def finish(self) -> list[Match]:
        return list(self._matches(self._resolver.finish()))

    def _matches(self, lines: Iterable[Line]) -> Iterator[Match]:
        for line in lines:
            where = (line.text if self._exact else line.text.casefold()).find(self._text)
            if where >= 0:
                since = max(0, line.at - max(0, self.start)) / 1000
                yield Match(line.number, since, _around(line.text, where, len(self._text)))


def _around(text: str, where: int, size: int) -> str:
    if len(text) <= MAX_SHOWN:
        return text
    first = max(0, min(where - (MAX_SHOWN - size) // 2, len(text) - MAX_SHOWN))
    before, after = "…" if first else "", "…" if first + MAX_SHOWN < len(text) else ""
    return f"{before}{text[first : first + MAX_SHOWN]}{after}"
