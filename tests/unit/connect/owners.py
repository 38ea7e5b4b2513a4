"""What owners may do, as a test says."""

from __future__ import annotations

from lambdas.ports import Circumstances, Session


class Owners:
    """May resume until `refusal` says otherwise; `asked` is what was asked, and from where."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.asked: list[tuple[str, Circumstances]] = []

    def __call__(self, session: Session, about: Circumstances) -> None:
        self.asked.append((session.session_id, about))
        if self.refusal is not None:
            raise self.refusal
