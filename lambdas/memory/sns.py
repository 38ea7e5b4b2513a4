"""A topic in memory."""

from __future__ import annotations

from hatchway.core.errors import HatchwayError


class MemoryTopic:
    """The port Notices. `texts` are (subject, text); set `failure` to refuse."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.failure: HatchwayError | None = None

    def publish(self, subject: str, text: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.texts.append((subject, text))
