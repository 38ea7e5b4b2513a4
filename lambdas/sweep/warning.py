"""Warnings before a session's time is over: written first, so that of two sweeps one tells.

A warning of idle time is an event as well, also where no client is attached: the table's stream
tells it (`lambdas/events`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from hatchway.core.errors import HatchwayError
from hatchway.core.lifecycle import Status
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Session, SessionStore
from lambdas.timeouts import duration_end, idle_end, timeouts
from lambdas.transitions import change

#: What a client is told (`hatchway/core/api/stream.py`), with the seconds that are left.
IDLE_ENDING, DURATION_ENDING = "idleEnding", "durationEnding"
_RUNNING = (Status.CONNECTED, Status.DISCONNECTED)


@dataclass(frozen=True, slots=True)
class Warnings:
    """Tells clients, once for each end, that a limit is near."""

    sessions: SessionStore
    clients: Clients
    clock: Clock

    def consider(self, session: Session, line: Line) -> None:
        """Warns of what is near; the session is read again only where something is."""
        now = self.clock()
        if _warned(session, now) is session:
            return
        done = change(self.sessions, session.session_id, lambda read: _warned(read, now), session)
        before, after = done.before, done.after
        if after.idle_ends != before.idle_ends:
            self._tell(after, IDLE_ENDING, after.idle_ends - now, line)
        if after.duration_ends != before.duration_ends:
            self._tell(after, DURATION_ENDING, after.duration_ends - now, line)

    def _tell(self, session: Session, notice: str, left: float, line: Line) -> None:
        line.count(notice)
        if not session.connection:
            return
        text = json.dumps({"notice": notice, "Seconds": max(0, int(left))})
        try:
            told = self.clients.post(session.connection, text)
        except HatchwayError:
            told = False
        if not told:
            line.count("unheard")


def _warned(session: Session, now: float) -> Session:
    """The session with the ends that are near now; the same object where it has them already."""
    if session.status not in _RUNNING:
        return session
    limits = timeouts(session)
    idle, longest = idle_end(session), duration_end(session)
    if idle != session.idle_ends and 0 < idle - now <= limits.idle_warning:
        session = replace(session, idle_ends=idle)
    due = longest is not None and 0 < longest - now <= limits.duration_warning
    # Somebody has to be there to be told; whoever attaches later is told then.
    if due and longest is not None and longest != session.duration_ends and session.connection:
        session = replace(session, duration_ends=longest)
    return session
