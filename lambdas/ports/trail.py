"""Where audit records are kept: a log group to look things up in, objects for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Kept", "RecordQueue", "TrailLog", "TrailObjects", "TrailPage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record as one line of JSON, and when what it tells happened (unix milliseconds)."""

    text: str
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailPage:
    """Some records, oldest first; a page may be empty and not the last one."""

    records: Sequence[str]
    next_token: str = ""


class TrailLog(Protocol):
    """The log group of records."""

    def append(self, records: Sequence[Kept]) -> None:
        """Keeps them all, or raises; a repeat keeps them twice."""
        ...

    def read(self, since: int, until: int, words: Sequence[str], next_token: str) -> TrailPage:
        """Records of a time (unix milliseconds, both included) that hold all of `words`.
        InvalidNextToken for a token of another question."""
        ...


class RecordQueue(Protocol):
    """What waits to be written to objects."""

    def put(self, records: Sequence[Kept]) -> None: ...


class TrailObjects(Protocol):
    """Objects of records; the same key again is the same object."""

    def write(self, key: str, content: bytes) -> None: ...
