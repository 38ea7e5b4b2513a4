"""Events of sessions, each from the change between two images of the session's record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hatchway.core.lifecycle import ENDED, Status
from lambdas.details.text import moment, plain, quoted, who
from lambdas.details.told import Detail, Told, head
from lambdas.ports import Session

__all__ = [
    "SESSION_CHANGE",
    "SESSION_TAKEN_OVER",
    "SESSION_WARNING",
    "session_changes",
    "session_members",
]

SESSION_CHANGE = "Session State Change"
SESSION_TAKEN_OVER = "Session Taken Over"
SESSION_WARNING = "Session Warning"


def session_changes(
    stage: str, old: Session | None, new: Session, written: float = 0.0
) -> Sequence[Told]:
    """All events of one write of a session; none where it is nobody's news. `written` is when, in
    unix seconds."""
    time = written or new.status_since or new.started
    found = (
        _status(stage, old, new),
        _takeover(stage, old, new),
        *_warnings(stage, old, new, time),
    )
    return tuple(each for each in found if each is not None)


def session_members(session: Session) -> Detail:
    """What every event about a session says of it."""
    return {
        "sessionId": session.session_id,
        "target": session.target,
        "owner": session.owner_arn,
        "ownerUserId": session.owner.userid,
        "documentName": session.document_name,
    }


# --- changes of state ---------------------------------------------------------------------------


def _status(stage: str, old: Session | None, new: Session) -> Told | None:
    if old is not None and old.status is new.status:
        return None
    time = new.status_since or new.started
    detail: Detail = {
        **head(stage, f"{new.session_id}/{new.version}", time),
        **session_members(new),
        "change": _change(old, new),
        "status": new.status.value,
        "previousStatus": old.status.value if old is not None else "",
        "reason": new.reason,
        "startDate": new.started,
        "summary": plain(_status_summary(stage, old, new)),
    }
    if new.status in ENDED:
        detail["endDate"] = new.ended
        detail["durationSeconds"] = _duration(new)
        detail["endReason"] = new.end_reason
        if new.exit_code is not None:
            detail["exitCode"] = new.exit_code
    return Told(SESSION_CHANGE, detail, time)


def _change(old: Session | None, new: Session) -> str:
    """The state in small letters; `resumed` where it was lost before."""
    return "resumed" if _came_back(old, new) else new.status.value.lower()


def _came_back(old: Session | None, new: Session) -> bool:
    lost = old is not None and old.status is Status.DISCONNECTED
    return lost and new.status is Status.CONNECTED


def _duration(session: Session) -> int:
    return int(max(0.0, session.ended - session.started))


_VERBS = {
    Status.CONNECTING: "is opening a session on",
    Status.CONNECTED: "opened a session on",
    Status.DISCONNECTED: "lost the connection to",
    Status.TERMINATING: "is being disconnected from",
    Status.TERMINATED: "left",
    Status.FAILED: "could not open a session on",
}


def _status_summary(stage: str, old: Session | None, new: Session) -> str:
    """One or two sentences, the session id last. The reason is in quotes: its owner wrote it."""
    verb = "came back to" if _came_back(old, new) else _VERBS[new.status]
    text = f"{who(new.owner_arn)} {verb} {new.target}"
    if new.status in ENDED:
        text += f" after {timedelta(seconds=_duration(new))}"
        text += f" ({new.end_reason}" if new.end_reason else " (no reason given"
        text += f", exit code {new.exit_code})" if new.exit_code is not None else ")"
    reason = f" Reason: {quoted(new.reason)}." if new.reason else ""
    at = moment(new.status_since or new.started)
    return f"Hatchway {stage}: {text}, {at}.{reason} Session {new.session_id}."


# --- what happens within a state ----------------------------------------------------------------


def _takeover(stage: str, old: Session | None, new: Session) -> Told | None:
    """Another client in the place of one that was there; a program's own reconnection is none."""
    if old is None or new.takeovers <= old.takeovers:
        return None
    text = f"another client took over {who(new.owner_arn)}'s session on {new.target}"
    detail: Detail = {
        **head(stage, f"{new.session_id}/{new.version}/takenOver", new.attached),
        **session_members(new),
        "generation": new.generation,
        "summary": plain(
            f"Hatchway {stage}: {text}, {moment(new.attached)}. Session {new.session_id}."
        ),
    }
    return Told(SESSION_TAKEN_OVER, detail, new.attached)


def _warnings(stage: str, old: Session | None, new: Session, time: float) -> Sequence[Told | None]:
    if old is None or new.status in ENDED:
        return ()
    ends = {
        "idle": (old.idle_ends, new.idle_ends),
        "duration": (old.duration_ends, new.duration_ends),
        "access": (old.access_ends, new.access_ends),
    }
    return [_warning(stage, new, kind, *each, time) for kind, each in ends.items()]


_WHY = {
    "idle": "nothing was typed for a while",
    "duration": "its longest duration is reached then",
    "access": "the owner's permission ends then",
}


def _warning(
    stage: str, session: Session, kind: str, before: float, ends: float, time: float
) -> Told | None:
    """Once for each end that somebody is warned of: its time makes the id."""
    if not ends or ends == before:
        return None
    text = f"{who(session.owner_arn)}'s session on {session.target} ends at {moment(ends)}"
    detail: Detail = {
        **head(stage, f"{session.session_id}/{kind}/{ends:.3f}", time),
        **session_members(session),
        "warning": kind,
        "endsAt": ends,
        "summary": plain(f"Hatchway {stage}: {text}: {_WHY[kind]}. Session {session.session_id}."),
    }
    return Told(SESSION_WARNING, detail, time)
