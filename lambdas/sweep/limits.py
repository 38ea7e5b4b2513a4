"""What is over by the clock alone: the time limits of each state, as one pure decision."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hatchway.core.lifecycle import Event, Status
from lambdas.endings import End
from lambdas.ports import Disconnection, Node, Session

#: Seconds that both sides have to attach, and an agent to end what it was told to end.
CONNECT_LIMIT = 90.0
TERMINATE_LIMIT = 60.0
#: Seconds offline after which a node's sessions are given up by the sweep of a minute. It is the
#: safety net: the nodes function has a node that went looked at again after its own, shorter grace
#: (`lambdas/nodes/presence.py`), and with 45 s until IoT Core sees a silent node go, the sessions
#: are over within two minutes. By this limit alone they are within three.
NODE_LOST_LIMIT = 75.0
#: Minutes, by Systems Manager: idle 1 to 60 with a default of 20, duration 1 to 1440 or none.
DEFAULT_IDLE = 20
MAX_IDLE = 60
MAX_DURATION = 1440


@dataclass(frozen=True, slots=True)
class Overdue:
    """What has to happen to a session, and why."""

    event: Event
    reason: End


def overdue(session: Session, lost: bool, now: float) -> Overdue | None:
    """What ran out, if anything; `lost` says that the session's node is given up."""
    since = session.status_since or session.started
    if session.status is Status.TERMINATING and now - since > TERMINATE_LIMIT:
        return Overdue(Event.EXPIRE, End.AGENT_SILENT)
    if lost:
        return Overdue(Event.NODE_LOST, End.NODE_LOST)
    if session.status is Status.CONNECTING and now - since > CONNECT_LIMIT:
        return Overdue(Event.EXPIRE, End.NEVER_CONNECTED)
    if session.status is Status.DISCONNECTED and now - since > _idle(session):
        return Overdue(Event.EXPIRE, End.NOT_RESUMED)
    if session.status in (Status.CONNECTED, Status.DISCONNECTED):
        return _timed_out(session, now)
    return None


def _timed_out(session: Session, now: float) -> Overdue | None:
    longest = _duration(session)
    if longest and now - session.started > longest:
        return Overdue(Event.EXPIRE, End.TOO_LONG)
    if now - max(session.activity, session.started) > _idle(session):
        return Overdue(Event.EXPIRE, End.IDLE)
    return None


def away_for_long(node: Node | None, now: float) -> bool:
    """By the clock. A node that nobody knows any more is lost as well."""
    return node is None or (not node.online and now - node.last_seen > NODE_LOST_LIMIT)


def away_since(node: Node | None, gone: Disconnection) -> bool:
    """Whether the node has not been back since; nobody's clock has a say in it."""
    return (
        node is not None
        and not node.online
        and (node.presence_session, node.presence_version)
        == (gone.presence_session, gone.presence_version)
    )


def _idle(session: Session) -> float:
    return 60.0 * _minutes(session, "idleSessionTimeout", MAX_IDLE, DEFAULT_IDLE)


def _duration(session: Session) -> float:
    return 60.0 * _minutes(session, "maxSessionDuration", MAX_DURATION, 0)


def _minutes(session: Session, name: str, most: int, default: int) -> int:
    """A limit of the session's document, which was checked when it was stored; the default where
    it has none, or one that nobody could mean."""
    try:
        value = json.loads(session.document)["inputs"][name]
        minutes = int(value)
    except (ValueError, TypeError, KeyError):
        return default
    return minutes if 1 <= minutes <= most else default
