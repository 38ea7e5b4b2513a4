"""The end of a session by somebody's decision: its state, then its client, then its agent.

TerminateSession and the review end sessions alike.
"""

from __future__ import annotations

from typing import Protocol

from hatchway.core.lifecycle import ENDED, Event, Status
from lambdas.ports import Clients, Clock, Downlink, NodeStore, Random, Session, SessionStore
from lambdas.transitions import Change, change, farewell, moved


class Reach(Protocol):
    """What an end needs of the family that decides it."""

    @property
    def sessions(self) -> SessionStore: ...

    @property
    def nodes(self) -> NodeStore: ...

    @property
    def clients(self) -> Clients: ...

    @property
    def downlink(self) -> Downlink: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def random(self) -> Random: ...


def begin_end(reach: Reach, session: Session, reason: str) -> Change:
    """The state first, so that nobody attaches any more."""
    return change(
        reach.sessions, session.session_id, lambda read: _ending(reach, read, reason), session
    )


def conclude(reach: Reach, begun: Change) -> bool:
    """Then the client's connection, so that no byte enters any more; then the agent is told to
    look. Again where another call has begun the end: its farewell may have been lost.

    False where a client was there and could not be told.
    """
    if begun.before.status in ENDED:
        return True
    session = begun.after
    told = farewell(reach.clients, session, session.end_reason, reach.clock(), reach.random)
    reach.downlink.hint(session.target, session.session_id)
    return told


def _ending(reach: Reach, session: Session, reason: str) -> Session:
    """Terminating until the agent says that it is over; over at once where no agent can."""
    now = reach.clock()
    ending = moved(session, Event.TERMINATE, now, reason=reason)
    if ending.status is not Status.TERMINATING or _agent_runs_it(reach, ending):
        return ending
    return moved(ending, Event.NODE_LOST, now, reason=reason)


def _agent_runs_it(reach: Reach, session: Session) -> bool:
    node = reach.nodes.get(session.target)
    return bool(session.agent_instance) and node is not None and node.online
