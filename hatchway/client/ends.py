"""What a session's end means: its exit code, from the stream or from the service's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatchway.client.events import Ended
from hatchway.core.errors import HatchwayError, SessionEnded

if TYPE_CHECKING:
    from hatchway.client.service import Hatchway


def recorded(hatchway: Hatchway, session_id: str, ended: Ended) -> tuple[int | None, str]:
    """Exit code and reason; the service is asked where the message with the code did not arrive,
    and nothing is known where we may not know it."""
    if ended.exit_code is not None:
        return ended.exit_code, ended.reason
    try:
        record = hatchway.session(session_id)
    except HatchwayError:
        return None, ended.reason
    return record.exit_code, ended.reason or record.end_reason


def exit_code(hatchway: Hatchway, session_id: str, ended: Ended) -> int:
    """The exit code; the stream's error, or SessionEnded where there is no code."""
    if ended.error is not None:
        raise ended.error
    code, reason = recorded(hatchway, session_id, ended)
    if code is None:
        raise SessionEnded(f"The session ended: {reason}." if reason else "")
    return code
