"""Events of a session's log in CloudWatch Logs, in the form that Session Manager gives them."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from hatchway.core.screen import ScreenFilter
from hatchway.core.transcript.chunks import SHOWN, Chunk, Kind
from lambdas.ports import Session

#: Of the event's form; Session Manager's own.
VERSION = "1.0"
#: Bytes of a chunk that one event tells: with all of them escaped it stays within what CloudWatch
#: Logs takes.
PIECE = 32 * 1024
#: Colours and movements: what the filter leaves is whole.
_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])")


@dataclass(frozen=True, slots=True)
class Streamed:
    """One event: the number of what it tells, its unix milliseconds, its text."""

    index: int
    at: int
    text: str


def events_of(session: Session, chunks: Iterable[Chunk], region: str) -> Iterator[Streamed]:
    """An event for each chunk that a person sees or typed, and for gaps and markers; a large
    chunk makes several. Times never go back: CloudWatch Logs asks for that."""
    readers = {kind: _Reader() for kind in (*SHOWN, Kind.INPUT)}
    latest = 0
    for chunk in chunks:
        latest = max(latest, chunk.at)
        for lines in _lines(chunk, readers):
            event = _event(session, chunk, lines, region)
            yield Streamed(chunk.index, latest, event)


def _lines(chunk: Chunk, readers: dict[Kind, _Reader]) -> Iterator[list[str]]:
    reader = readers.get(chunk.kind)
    if reader is not None:
        for first in range(0, len(chunk.data), PIECE):
            yield reader.read(chunk.data[first : first + PIECE]).split("\n")
    elif chunk.note and chunk.kind in (Kind.GAP, Kind.MARKER):
        yield [f"[{chunk.note}]"]


class _Reader:
    """Bytes of one stream to what can be read of them: without escapes and control characters."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._filter = ScreenFilter()

    def read(self, data: bytes) -> str:
        text = self._decoder.decode(self._filter.feed(data))
        text = _SEQUENCE.sub("", text).replace("\r\n", "\n")
        return "".join(c for c in text if c in "\n\t" or c.isprintable())


def _event(session: Session, chunk: Chunk, lines: list[str], region: str) -> str:
    moment = datetime.fromtimestamp(chunk.at / 1000, UTC)
    members = {
        "eventVersion": VERSION,
        "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{chunk.at % 1000:03d}Z",
        "awsRegion": region,
        "target": {"id": session.target},
        "userIdentity": {"arn": session.owner_arn},
        "runAsUser": session.run_as,
        "sessionId": session.session_id,
        "sessionData": lines,
        # Ours: who tells it again after a failure tells it with the same number.
        "chunk": chunk.index,
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))
