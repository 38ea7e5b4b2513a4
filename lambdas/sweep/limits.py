"""What is over by the clock alone: the time limits of each state, as one pure decision."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.lifecycle import Event, Status
from lambdas.endings import End
from lambdas.ports import Disconnection, Node, Session
from lambdas.timeouts import duration_end, idle_end

#: Seconds that both sides have to attach, and an agent to end what it was told to end.
CONNECT_LIMIT = 90.0
TERMINATE_LIMIT = 60.0
#: Seconds offline after which a node's sessions are given up by the sweep of a minute. It is the
#: safety net: the nodes function has a node that went looked at again after its own, shorter grace
#: (`lambdas/nodes/presence.py`), and with 45 s until IoT Core sees a silent node go, the sessions
#: are over within two minutes. By this limit alone they are within three.
NODE_LOST_LIMIT = 75.0


@dataclass(frozen=True, slots=True)
class Overdue:
    """What has to happen to a session, why, and since when: unix seconds, 0 where no clock says."""

    event: Event
    reason: End
    since: float = 0.0


def overdue(session: Session, lost: bool, now: float) -> Overdue | None:
    """What ran out, if anything; `lost` says that the session's node is given up."""
    since = session.status_since or session.started
    if session.status is Status.TERMINATING and now - since > TERMINATE_LIMIT:
        return Overdue(Event.EXPIRE, End.AGENT_SILENT, since + TERMINATE_LIMIT)
    if lost:
        return Overdue(Event.NODE_LOST, End.NODE_LOST)
    if session.status is Status.CONNECTING and now - since > CONNECT_LIMIT:
        return Overdue(Event.EXPIRE, End.NEVER_CONNECTED, since + CONNECT_LIMIT)
    if session.status in (Status.CONNECTED, Status.DISCONNECTED):
        return _timed_out(session, now)
    return None


def _timed_out(session: Session, now: float) -> Overdue | None:
    """Idle time goes on while nobody is attached; then the reason is that nobody came back."""
    longest = duration_end(session)
    if longest is not None and now > longest:
        return Overdue(Event.EXPIRE, End.TOO_LONG, longest)
    idle = idle_end(session)
    if now > idle:
        away = session.status is Status.DISCONNECTED
        return Overdue(Event.EXPIRE, End.NOT_RESUMED if away else End.IDLE, idle)
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
