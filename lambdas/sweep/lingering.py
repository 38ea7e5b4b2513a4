"""Connections of sessions that have ended are closed a second time.

The farewell may have failed, or come while API Gateway still said that the connection was gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hatchway.core.errors import HatchwayError
from hatchway.core.lifecycle import ENDED
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Session, SessionStore
from lambdas.transitions import change

#: Sessions looked at in one sweep.
MOST = 100
#: Seconds since the end, in which the farewell and `$disconnect` do this by themselves.
GRACE = 20.0


@dataclass(frozen=True, slots=True)
class Lingering:
    """Closes what should be closed, and forgets the connection."""

    sessions: SessionStore
    clients: Clients
    clock: Clock

    def close(self, until: float, line: Line) -> None:
        """Until that time at most; the next sweep goes on."""
        for session in self.sessions.lingering(MOST):
            if self.clock() > until:
                return
            if self.clock() - session.ended > GRACE:
                self._one(session, line)

    def _one(self, session: Session, line: Line) -> None:
        try:
            self.clients.close(session.connection)
            change(self.sessions, session.session_id, _forgotten, session)
        except HatchwayError as error:  # again in a minute
            line.warning()
            line.note(lingering=error.code)
        line.count("lingering")


def _forgotten(session: Session) -> Session:
    ended = session.status in ENDED and session.connection
    return replace(session, connection="") if ended else session
