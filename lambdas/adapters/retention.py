"""How long the table keeps what is over, in seconds.

The table's TTL deletes days late, so readers filter as well.
"""

from __future__ import annotations

from hatchway.core.lifecycle import ENDED
from lambdas.ports import Session

DAY = 86400.0
#: How long an ended session is described, unless HISTORY_DAYS says otherwise.
HISTORY = 30 * DAY
#: A WebSocket connection lives two hours; its record a little longer.
CONNECTION = 3 * 3600.0


def forgotten_at(session: Session, history: float) -> float | None:
    """When an ended session is forgotten; None for one that is not ended."""
    if session.status not in ENDED:
        return None
    return (session.ended or session.status_since or session.started) + history


def place_of(session: Session) -> str:
    """A session's place among others: by start, then by id; sorts as text."""
    return f"{session.started:019.7f}#{session.session_id}"
