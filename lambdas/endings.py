"""Why sessions end by the service's own decision, in words for people, events and clients."""

from __future__ import annotations

from enum import StrEnum

from lambdas.ports import Session


class End(StrEnum):
    """End reasons. Agents and people give others, in words of their own."""

    EXITED = "exited"
    NOT_STARTED = "could not be started"
    NEVER_CONNECTED = "not connected in time"
    IDLE = "idle for too long"
    TOO_LONG = "longest duration reached"
    NOT_RESUMED = "not resumed in time"
    AGENT_SILENT = "agent did not answer"
    AGENT_RESTARTED = "agent restarted"
    NODE_LOST = "node lost"
    REVOKED = "access revoked"
    UNRECORDED = "recording failed"
    CONTRADICTED = "recording contradicts itself"


def last_word(session: Session) -> str:
    """What the client is shown at the end; nothing where the shell was simply left."""
    return "" if session.end_reason == End.EXITED else session.end_reason
