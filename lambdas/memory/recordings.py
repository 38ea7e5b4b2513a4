"""Recordings in memory, and the archive's queue."""

from __future__ import annotations

from hatchway.core.errors import HatchwayError, PayloadTooLarge
from hatchway.core.recording import MAX_EVENT, Passed, load


class MemoryRecordings:
    """The port Recordings: `streams` holds each session's events with their times.

    Set `failure` to have every call raise it, until it is None again.
    """

    def __init__(self) -> None:
        self.streams: dict[str, list[tuple[int, str]]] = {}
        self.failure: HatchwayError | None = None

    def begin(self, session_id: str) -> None:
        self._fail()
        self.streams.setdefault(session_id, [])

    def append(self, session_id: str, event: str, at: int) -> None:
        self._fail()
        if len(event) > MAX_EVENT:
            raise PayloadTooLarge()
        self.streams.setdefault(session_id, []).append((at, event))

    def passed(self, session_id: str) -> list[Passed]:
        """What was recorded of a session, read."""
        return [load(event) for _at, event in self.streams.get(session_id, [])]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class MemoryTroubles:
    """The port Troubles: `told` holds the sessions, in order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failure: HatchwayError | None = None

    def tell(self, session_id: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.told.append(session_id)
