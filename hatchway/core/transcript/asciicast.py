"""asciicast v3: the recording as the asciinema player opens it.

Source: https://docs.asciinema.org/manual/asciicast/v3/ (a header, then `[interval, code, data]`,
one JSON document per line; intervals are seconds since the event before).
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator

from hatchway.core.screen import ScreenFilter, printable
from hatchway.core.transcript.chunks import SHOWN, Chunk, Kind
from hatchway.core.transcript.text import ordinary

DEFAULT_SIZE = (80, 24)
#: Characters of a title or marker.
MAX_LABEL = 200


class Player:
    """Chunks to events; output passes a screen filter, since a player is a terminal as well."""

    def __init__(self) -> None:
        self._at: int | None = None
        utf8 = codecs.getincrementaldecoder("utf-8")
        self._shown, self._typed = utf8("replace"), utf8("replace")
        self._filter = ScreenFilter()
        self._size = ""

    def events(self, chunk: Chunk) -> Iterator[tuple[int, str, str]]:
        """(milliseconds since the event before, code, data)."""
        for code, data in self._meaning(chunk):
            before = chunk.at if self._at is None else self._at
            self._at = max(before, chunk.at)
            yield self._at - before, code, data

    def _meaning(self, chunk: Chunk) -> list[tuple[str, str]]:
        if chunk.kind in SHOWN:
            text = self._shown.decode(self._filter.feed(chunk.data))
            return [("o", text)] if text else []
        if chunk.kind is Kind.INPUT:
            return [("i", text)] if (text := self._typed.decode(chunk.data)) else []
        if chunk.kind is Kind.RESIZE:
            size = chunk.data.decode("ascii", "replace")
            changed, self._size = size != self._size, size
            return [("r", size)] if changed else []
        if chunk.kind is Kind.EXIT:
            return [("x", chunk.data.decode("ascii", "replace"))]
        if chunk.kind is Kind.GAP or not ordinary(chunk.note):
            return [("m", printable(chunk.note)[:MAX_LABEL])]
        return []


def header(size: tuple[int, int], started: int, title: str) -> str:
    """The first line; `started` is unix seconds."""
    document = {
        "version": 3,
        "term": {"cols": size[0], "rows": size[1], "type": "xterm-256color"},
        "timestamp": started,
        "title": printable(title)[:MAX_LABEL],
    }
    return json.dumps(document) + "\n"


def cast(chunks: Iterable[Chunk], started: int, title: str) -> Iterator[str]:
    """The file, line by line. Its size is that of the first resize, if output does not come
    before it."""
    player = Player()
    rest = iter(chunks)
    early: list[Chunk] = []
    size = DEFAULT_SIZE
    for chunk in rest:
        early.append(chunk)
        if chunk.kind is Kind.RESIZE:
            columns, _, rows = chunk.data.decode("ascii", "replace").partition("x")
            size = int(columns), int(rows)
        if chunk.kind in (Kind.RESIZE, Kind.OUTPUT, Kind.STDERR):
            break
    yield header(size, started, title)
    exited = None
    for chunk in (*early, *rest):
        for interval, code, data in player.events(chunk):
            if code == "x":  # a player stops there, and markers may follow
                exited = data
                continue
            yield _line(interval, code, data)
    if exited is not None:
        yield _line(0, "x", exited)


def _line(interval: int, code: str, data: str) -> str:
    return f"[{interval / 1000:.3f}, {json.dumps(code)}, {json.dumps(data)}]\n"
