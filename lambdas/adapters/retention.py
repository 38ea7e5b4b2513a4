"""How long the table keeps what is over, in seconds.

The table's TTL deletes days late, so readers filter as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.errors import InternalServerError
from hatchway.core.lifecycle import ENDED
from lambdas.ports import Session

DAY = 86400.0
#: How long an ended session is described, unless HISTORY_DAYS says otherwise.
HISTORY = 30 * DAY
MAX_HISTORY_DAYS = 3650
#: A WebSocket connection lives two hours; its record a little longer.
CONNECTION = 3 * 3600.0


def history(environ: Mapping[str, str]) -> float:
    """HISTORY_DAYS in seconds, 30 days where it is not set; an unusable value is an error."""
    days = environ.get("HISTORY_DAYS", "")
    if not days:
        return HISTORY
    if not days.isascii() or not days.isdigit() or not 1 <= int(days) <= MAX_HISTORY_DAYS:
        raise InternalServerError(f"HISTORY_DAYS is a number from 1 to {MAX_HISTORY_DAYS}.")
    return int(days) * DAY


def forgotten_at(session: Session, history: float) -> float | None:
    """When an ended session is forgotten; None for one that is not ended."""
    if session.status not in ENDED:
        return None
    return (session.ended or session.status_since or session.started) + history


def place_of(session: Session) -> str:
    """A session's place among others: by start, then by id; sorts as text."""
    return f"{session.started:019.7f}#{session.session_id}"
