"""`ticket`: a fresh ticket for a session that goes on; activity, and clients gone silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hatchway.core.errors import HatchwayError
from hatchway.core.lifecycle import Event
from lambdas.agents.claims import instance, on_node, run_by
from lambdas.agents.passes import Passes
from lambdas.edge import Call
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Session, SessionStore
from lambdas.transitions import change, moved

#: Activity that is newer by less than this many seconds is not worth a write.
ACTIVITY_GRAIN = 15.0
#: Beyond any unix time and any generation.
MAX_TIME = float(1 << 40)
MAX_GENERATION = 1 << 32


@dataclass(frozen=True, slots=True)
class Renewal:
    """Renews tickets: one read, and a write where there is news."""

    sessions: SessionStore
    clients: Clients
    passes: Passes
    clock: Clock

    def renew(self, node: str, call: Call, line: Line) -> Mapping[str, object]:
        """Status, ticket and key; SessionEnded where this process has nothing to run any more."""
        members = call.members({"AgentInstanceId", "Activity", "ClientSilent"})
        agent = instance(members)
        activity = members.number("Activity", 0.0, MAX_TIME)
        silent = members.integer("ClientSilent", 0, MAX_GENERATION, default=0)

        def plan(session: Session) -> Session:
            run_by(on_node(session, node), agent)
            return self._silenced(self._used(session, activity), silent)

        done = change(self.sessions, call.session_id, plan)
        session = done.after
        line.note(status=session.status.value, generation=session.generation)
        if done.before.connection and not session.connection:
            self._close(done.before.connection, line)
        return {"Status": session.status.value, **self.passes.of(session)}

    def _used(self, session: Session, activity: float) -> Session:
        """Never later than our own clock, never backwards: an agent can neither keep a session
        from idling out by a clock that is ahead, nor have it end early."""
        latest = min(activity, self.clock())
        if latest < session.activity + ACTIVITY_GRAIN:
            return session
        return replace(session, activity=latest)

    def _silenced(self, session: Session, silent: int) -> Session:
        if not silent or silent != session.generation or not session.connection:
            return session
        return replace(moved(session, Event.CLIENT_LOST, self.clock()), connection="")

    def _close(self, connection: str, line: Line) -> None:
        line.note(clientSilent=True)
        try:
            self.clients.close(connection)
        except HatchwayError as error:  # it is not attached any more, that is what counts
            line.note(close=error.code)
