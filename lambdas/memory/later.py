"""Second looks and reviews in memory."""

from __future__ import annotations

from hatchway.core.errors import HatchwayError
from lambdas.ports import Disconnection

#: Seconds that SQS keeps a message back at most.
MAX_DELAY = 900


class MemoryLater:
    """The port Later. `asked` are (disconnection, seconds), in order; set `failure` to refuse."""

    def __init__(self) -> None:
        self.asked: list[tuple[Disconnection, int]] = []
        self.failure: HatchwayError | None = None

    def look_again(self, gone: Disconnection, seconds: int) -> None:
        if not 0 <= seconds <= MAX_DELAY:
            raise ValueError(f"SQS keeps a message back for 0 to {MAX_DELAY} seconds")
        if self.failure is not None:
            raise self.failure
        self.asked.append((gone, seconds))


class MemoryReviews:
    """The port Reviews. `asked` is what changed, in order; set `failure` to refuse."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: HatchwayError | None = None

    def ask(self, changed: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.append(changed)
