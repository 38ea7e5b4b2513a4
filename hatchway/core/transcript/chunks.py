"""A recording's unit, the chunk, and its one-line form: what is stored, hashed and replayed.

One chunk is one line of JSON in a segment (`{n:06d}.jsonl.gz`). The line's exact bytes are what
the hash chain covers, so that reading and writing again must give the same line.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from enum import StrEnum

from hatchway.core.errors import MalformedRecording

#: Bytes that one chunk carries: what a message may inflate to.
MAX_DATA = 128 * 1024
#: Characters of a note.
MAX_NOTE = 512
#: Bytes of a chunk's line: the data as base64, and everything around it.
MAX_LINE = MAX_DATA // 3 * 4 + 8 * 1024
#: The sequence number of a chunk that came in no numbered message.
UNNUMBERED = -1
_MOST = (1 << 63) - 1

#: How the note of a chunk begins whose place was given up before it came.
LATE = "late"


class Side(StrEnum):
    """Who sent it."""

    NODE = "node"
    CLIENT = "client"


class Kind(StrEnum):
    """What a chunk is.

    OUTPUT, STDERR and INPUT hold bytes. RESIZE holds `80x24`. EXIT holds the status in decimal. GAP
    holds `12 bytes` (output that the node could not keep) or `12 messages` (numbers that never
    passed the relay). MARKER says something in its note.
    """

    OUTPUT = "output"
    STDERR = "stderr"
    INPUT = "input"
    RESIZE = "resize"
    GAP = "gap"
    MARKER = "marker"
    EXIT = "exit"


#: Kinds that a terminal shows.
SHOWN = frozenset({Kind.OUTPUT, Kind.STDERR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One thing that passed the relay, or that the archive has to say.

    `index` counts from 0 over both sides, `at` is unix milliseconds at the relay. `digest` is the
    SHA-256 of the payload as it was carried (perhaps compressed), hexadecimal: "" where part of
    the payload is withheld, since the digest of something short tells what it was.
    """

    index: int = 0
    at: int
    side: Side
    generation: int
    sequence: int = UNNUMBERED
    kind: Kind
    data: bytes = b""
    digest: str = ""
    note: str = ""

    @property
    def late(self) -> bool:
        """Its number was accounted for by a gap already."""
        return self.note.startswith(LATE)

    @property
    def unstored(self) -> bool:
        """It stands for messages that nobody stored; a GAP of bytes is one that somebody sent."""
        return self.kind is Kind.GAP and self.data.endswith(b" messages")

    def noted(self, note: str) -> Chunk:
        """The same with another note; that it is late is said all the same."""
        return replace(self, note=f"{self.note}, {note}" if self.late else note)

    def numbered(self, index: int) -> Chunk:
        """The same at another place."""
        return replace(self, index=index)

    @property
    def messages(self) -> int:
        """How many sequence numbers it accounts for."""
        if self.sequence == UNNUMBERED:
            return 0
        if self.kind is not Kind.GAP:
            return 1
        count, _, unit = self.data.partition(b" ")
        return int(count) if unit == b"messages" and count.isdigit() else 1


def dump(chunk: Chunk) -> str:
    """The chunk's line, without a line feed."""
    document: dict[str, object] = {
        "i": chunk.index,
        "t": chunk.at,
        "side": chunk.side.value,
        "gen": chunk.generation,
        "seq": chunk.sequence,
        "kind": chunk.kind.value,
        "data": base64.b64encode(chunk.data).decode("ascii"),
        "digest": chunk.digest,
    }
    if chunk.note:
        document["note"] = chunk.note[:MAX_NOTE]
    return json.dumps(document, separators=(",", ":"))


def load(line: str | bytes) -> Chunk:
    """The chunk of a line; MalformedRecording for anything that `dump` cannot have made."""
    if len(line) > MAX_LINE:
        raise MalformedRecording(f"A chunk's line is at most {MAX_LINE} bytes.")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        raise MalformedRecording("A chunk's line is not JSON.") from None
    if not isinstance(document, dict):
        raise MalformedRecording("A chunk's line is not a JSON object.")
    try:
        return Chunk(
            index=_whole(document["i"], 0),
            at=_whole(document["t"], 0),
            side=Side(document["side"]),
            generation=_whole(document["gen"], 0),
            sequence=_whole(document["seq"], UNNUMBERED),
            kind=Kind(document["kind"]),
            data=base64.b64decode(_text(document["data"]), validate=True),
            digest=_text(document["digest"]),
            note=_text(document.get("note", "")),
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise MalformedRecording("A chunk's line lacks a member, or has an odd one.") from None


def _whole(value: object, least: int) -> int:
    if type(value) is not int or not least <= value <= _MOST:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
