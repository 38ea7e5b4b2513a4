"""The service's JSON on the stream: answers to our own requests, and notices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from hatchway.client.records import Started
from hatchway.core.errors import InternalServerError
from hatchway.core.lifecycle import ENDED
from hatchway.core.tokens import TOKEN_SECONDS

#: JSON larger than this is nothing that the service sends.
MAX_NOTICE = 16 * 1024
#: No warning comes more seconds ahead.
MAX_AHEAD = 86400


class Notice(Enum):
    """What a client is told without having asked."""

    NODE_OFFLINE = "nodeOffline"
    NODE_ONLINE = "nodeOnline"
    TAKEN_OVER = "takenOver"
    ACCESS_ENDING = "accessEnding"
    IDLE_ENDING = "idleEnding"
    DURATION_ENDING = "durationEnding"
    #: API Gateway's own: a message of ours was lost on its way.
    LOST = "Internal server error"


@dataclass(frozen=True, slots=True)
class NextToken:
    """The answer to `resumeSession`: a token for the next connection, good for so many seconds;
    None when refused. `request_id` is the question's."""

    started: Started | None
    request_id: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ending:
    """So many seconds until an end: of the owner's permission, of idle time, of the duration."""

    seconds: int
    what: Notice


@dataclass(frozen=True, slots=True)
class Over:
    """The answer to `describeSession` for a session that has ended."""

    exit_code: int | None
    reason: str


def is_json(text: str) -> bool:
    """Whether a text message is JSON rather than AgentMessages (base64 has no brace)."""
    return text.startswith("{")


def parse(text: str) -> Notice | NextToken | Ending | Over | None:
    """What the JSON means to a client; None for all that it does not know."""
    if len(text) > MAX_NOTICE:
        return None
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(members, dict):
        return None
    if members.get("action") == "resumeSession":
        return _next_token(members)
    if members.get("action") == "describeSession":
        return _over(members)
    said = members.get("notice") or members.get("message")
    found = next((notice for notice in Notice if notice.value == said), None)
    return _ending(members, found) if found in _ENDINGS else found


_ENDINGS = (Notice.ACCESS_ENDING, Notice.IDLE_ENDING, Notice.DURATION_ENDING)


def _ending(members: dict[str, object], what: Notice) -> Ending | None:
    seconds = _seconds(members.get("Seconds"))
    return None if seconds is None else Ending(seconds, what)


def _seconds(value: object) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and isinstance(value, int) and 0 <= value <= MAX_AHEAD else None


def _over(members: dict[str, object]) -> Over | None:
    status, code, reason = (members.get(name) for name in ("Status", "ExitCode", "EndReason"))
    if not isinstance(status, str) or status not in ENDED:
        return None
    whole = isinstance(code, int) and not isinstance(code, bool)
    return Over(
        exit_code=code if whole and isinstance(code, int) else None,
        reason=reason if isinstance(reason, str) else "",
    )


def _next_token(members: dict[str, object]) -> NextToken:
    asked = members.get("RequestId")
    request_id = asked if isinstance(asked, str) else ""
    seconds = _seconds(members.get("ExpiresIn"))
    try:
        return NextToken(
            Started.of(members), request_id, TOKEN_SECONDS if seconds is None else seconds
        )
    except InternalServerError:
        return NextToken(None, request_id)


def request(action: str, request_id: str, session_id: str) -> str:
    """A request to a JSON route of the stream API."""
    return json.dumps({"action": action, "RequestId": request_id, "SessionId": session_id})
