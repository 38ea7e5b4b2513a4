"""An event bus in memory."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.errors import HatchwayError


class MemoryEventBus:
    """The port EventBus. `events` are (detail type, detail, time); set `failure` to refuse."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, object], float]] = []
        self.failure: HatchwayError | None = None

    def put(self, detail_type: str, detail: Mapping[str, object], time: float) -> None:
        if self.failure is not None:
            raise self.failure
        self.events.append((detail_type, dict(detail), time))
