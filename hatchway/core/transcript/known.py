"""Which events of the log were read lately, so that one that is read again is known by itself.

The last minute of the log is read again each time, for events that showed themselves late. To tell
those from what was read, the number of a message is not enough: a sender repeats messages, and no
memory of numbers is long enough for every rate. Its memory is bounded in events and in bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hatchway.core import handshake
from hatchway.core.errors import MalformedMessage, MalformedRecording

#: Events that are remembered: 500 a second for a minute, and some. Of more, those of the first
#: seconds are forgotten, and that part of the log is not read again.
MAX_KNOWN = 32 * 1024
#: Bytes of events that are read again.
MAX_AGAIN = 64 * 1024 * 1024
#: Of an event's SHA-256: a node chooses what is in it, and must not find two that begin alike.
_FINGERPRINT = 16


@dataclass(frozen=True, slots=True)
class Mark:
    """An event that was read: its unix milliseconds, its length, its fingerprint."""

    at: int
    size: int
    fingerprint: bytes


def mark(at: int, text: str) -> Mark:
    """What is stored twice at the same moment is the same: a repeat says nothing new."""
    digest = hashlib.sha256(b"%d/" % at + text.encode("utf-8", "surrogatepass")).digest()
    return Mark(at, len(text), digest[:_FINGERPRINT])


@dataclass(frozen=True, slots=True)
class Known:
    """Events that were read, and the unix milliseconds before which nothing is read again."""

    floor: int = 0
    marks: tuple[Mark, ...] = ()

    def after(self, new: Iterable[Mark], since: int, overlap: int) -> Known:
        """With `new` ones, of which the latest is of `since`: without those that are older by more
        than `overlap`, and the latest alone where there are too many."""
        floor = max(self.floor, since - overlap)
        marks = sorted((m for m in (*self.marks, *new) if m.at >= floor), key=lambda m: -m.at)
        size, kept = 0, 0
        for each in marks:
            size += each.size
            if (kept >= MAX_KNOWN or size > MAX_AGAIN) and each.at < since:
                floor = each.at + 1
                break
            kept += 1
        return Known(floor, tuple(m for m in marks[:kept] if m.at >= floor))

    def to_json(self) -> dict[str, object]:
        return {
            "floor": self.floor,
            "at": [m.at - self.floor for m in self.marks],
            "size": [m.size for m in self.marks],
            "prints": base64.b64encode(b"".join(m.fingerprint for m in self.marks)).decode(),
        }

    @classmethod
    def of_json(cls, document: Mapping[str, object]) -> Known:
        """MalformedRecording for what `to_json` cannot have made."""
        try:
            floor = handshake.whole(document["floor"], 0, 1 << 62)
            at, sizes = _numbers(document["at"]), _numbers(document["size"])
            prints = base64.b64decode(str(document["prints"]), validate=True)
            if len(prints) != _FINGERPRINT * len(at):
                raise MalformedRecording("What was read of a recording is damaged.")
            cut = range(0, len(prints), _FINGERPRINT)
            texts = [prints[n : n + _FINGERPRINT] for n in cut]
            rows = zip(at, sizes, texts, strict=True)
            return cls(floor, tuple(Mark(floor + ms, size, text) for ms, size, text in rows))
        except (KeyError, TypeError, ValueError, MalformedMessage, binascii.Error):
            raise MalformedRecording("What was read of a recording is damaged.") from None


def _numbers(value: object) -> list[int]:
    if not isinstance(value, list):
        raise TypeError
    return [handshake.whole(each, 0, 1 << 62) for each in value]
