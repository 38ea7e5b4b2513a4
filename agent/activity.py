"""The service's marks of what was done (`hatchway/core/marks.py`): kept until it has them back.

The node's own clock and word say nothing of activity; this end only carries.
"""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core import marks
from hatchway.core.errors import MarkInvalid
from hatchway.core.marks import Mark


@dataclass(frozen=True, slots=True)
class Marks:
    """What a renewal brings, as text; "" for nothing."""

    typed: str = ""
    printed: str = ""


class Activity:
    """The last mark of each kind; those of output where the session's document lets it count."""

    def __init__(self, *, output_counts: bool) -> None:
        self._output_counts = output_counts
        self._typed = self._printed = b""
        self._news = False

    def typed(self, mark: bytes) -> bool:
        """Takes what came beside a client's message; whether it is news."""
        if not _later(mark, self._typed):
            return False
        self._typed, self._news = mark, True
        return True

    def printed(self, text: str) -> bool:
        """Takes the answer to an upload; whether it is news that counts."""
        try:
            mark = marks.from_text(text)
        except MarkInvalid:
            return False
        if not self._output_counts or not _later(mark, self._printed):
            return False
        self._printed, self._news = mark, True
        return True

    @property
    def news(self) -> bool:
        """Whether there is something that the service has not had back."""
        return self._news

    def bring(self) -> Marks:
        """What there is; it counts as brought. `failed` says that it was not."""
        self._news = False
        return Marks(marks.to_text(self._typed), marks.to_text(self._printed))

    def failed(self) -> None:
        self._news = bool(self._typed or self._printed)


def _later(mark: bytes, than: bytes) -> bool:
    """Whether a mark is one, and of something later: a new client's numbers begin again."""
    try:
        place = _place(marks.claimed(mark))
    except MarkInvalid:
        return False
    return not than or place > _place(marks.claimed(than))


def _place(mark: Mark) -> tuple[int, int, int]:
    return mark.generation, mark.sequence, mark.time
