"""The audit trail in memory."""

from __future__ import annotations

from collections.abc import Sequence

from hatchway.core.errors import HatchwayError, InvalidNextToken
from lambdas.ports import Kept, TrailPage

#: Records in a page, so few that tests see several.
PAGE = 3


class MemoryTrailLog:
    """The port TrailLog; set `failure` to refuse."""

    def __init__(self) -> None:
        self.records: list[Kept] = []
        self.failure: HatchwayError | None = None

    def append(self, records: Sequence[Kept]) -> None:
        if self.failure is not None:
            raise self.failure
        self.records += records

    def read(self, since: int, until: int, words: Sequence[str], next_token: str) -> TrailPage:
        if self.failure is not None:
            raise self.failure
        if next_token and not next_token.isdecimal():
            raise InvalidNextToken()
        ordered = sorted(self.records, key=lambda each: each.time)
        within = [each.text for each in ordered if since <= each.time <= until]
        found = [text for text in within if all(word in text for word in words)]
        begin = int(next_token or 0)
        end = begin + PAGE
        return TrailPage(records=found[begin:end], next_token=str(end) if end < len(found) else "")


class MemoryRecordQueue:
    """The port RecordQueue."""

    def __init__(self) -> None:
        self.records: list[Kept] = []
        self.failure: HatchwayError | None = None

    def put(self, records: Sequence[Kept]) -> None:
        if self.failure is not None:
            raise self.failure
        self.records += records


class MemoryTrailObjects:
    """The port TrailObjects."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.failure: HatchwayError | None = None

    def write(self, key: str, content: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.objects[key] = content
