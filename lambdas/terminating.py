"""The end of a session by somebody's decision: its state, then its agent, then its client.

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
    """The state first, so that nobody attaches any more; then at once the agent is told to look,
    so that what runs ends however long its client takes to be told. Again where another call has
    begun the end: its hint may have been lost."""
    begun = change(
        reach.sessions, session.session_id, lambda read: _ending(reach, read, reason), session
    )
    if begun.before.status not in ENDED:
        reach.downlink.hint(begun.after.target, begun.after.session_id)
    return begun


def conclude(reach: Reach, begun: Change) -> bool:
    """Then the client is told, and its connection closed, so that no byte enters any more. Again
    where another call has begun the end: its farewell may have been lost.

    False where a client was there and could not be told.
    """
    if begun.before.status in ENDED:
        return True
    session = begun.after
    return farewell(
        reach.clients,
        session,
        session.end_reason,
        reach.clock(),
        reach.random,
        first=begun.written,
    )


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
