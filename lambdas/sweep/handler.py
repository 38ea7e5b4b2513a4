"""The sweep: all sessions that are not ended, oldest first, each judged by the clock; and the
sessions of one node that did not come back.

Running it twice, or two at once, ends nothing twice; one session that fails stops no other.
"""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.errors import HatchwayError
from hatchway.core.lifecycle import ACTIVE, ENDED, Event, Status
from lambdas.endings import last_word
from lambdas.logline import Line
from lambdas.ports import (
    Clients,
    Clock,
    Disconnection,
    Downlink,
    NodeStore,
    Random,
    Session,
    SessionStore,
)
from lambdas.sweep.limits import Overdue, away_for_long, away_since, overdue
from lambdas.transitions import Change, change, farewell, moved

#: Pages of one run; what lies behind them waits for those before it to end.
MAX_PAGES = 100


@dataclass(frozen=True, slots=True)
class Sweep:
    """Ends what ran out of time."""

    sessions: SessionStore
    nodes: NodeStore
    clients: Clients
    downlink: Downlink
    clock: Clock
    random: Random

    def run(self, line: Line) -> None:
        """One pass over everything that is not ended, within MAX_PAGES."""
        lost: dict[str, bool] = {}
        token = ""
        for _ in range(MAX_PAGES):
            page = self.sessions.active(token)
            for session in page.sessions:
                self._judge(session, lost, line)
            if page.unreadable:
                line.warning()
                line.count("unreadable", page.unreadable)
            token = page.next_token
            if not token:
                return
        line.warning()
        line.note(truncated=True)

    def recheck(self, gone: Disconnection, line: Line) -> bool:
        """Ends the node's sessions unless it has been back since; False where one is left."""
        if not away_since(self.nodes.get(gone.node_id), gone):
            line.count("back")
            return True
        line.count("lost")
        sessions = self.sessions.active_on(gone.node_id)
        judged = [self._judge(session, {gone.node_id: True}, line) for session in sessions]
        return all(judged)

    def _judge(self, session: Session, lost: dict[str, bool], line: Line) -> bool:
        """Ends the session if it is overdue; False where it should have been looked at again."""
        line.count("seen")
        try:
            if session.target not in lost:
                lost[session.target] = away_for_long(self.nodes.get(session.target), self.clock())
            node_lost = lost[session.target]
            if session.status in ACTIVE and overdue(session, node_lost, self.clock()):
                self._end(session, node_lost, line)
            return True
        except HatchwayError as error:
            line.warning()
            line.count("failed")
            line.note(code=error.code, session=session.session_id)
        except Exception as error:
            line.count("failed")
            line.failed(error)
        return False

    def _end(self, read: Session, lost: bool, line: Line) -> None:
        """Writes first: a client is only cut off from a session that really is over."""
        done = change(self.sessions, read.session_id, lambda s: self._overdue(s, lost), read)
        if not done.written:
            return
        after = done.after
        line.count("ended" if after.status in ENDED else "ending")
        if not farewell(self.clients, after, last_word(after), self.clock(), self.random):
            line.count("unheard")
        if _agent_may_run_it(done):
            self.downlink.hint(after.target, after.session_id)

    def _overdue(self, session: Session, lost: bool) -> Session:
        found: Overdue | None = None
        if session.status in ACTIVE:
            found = overdue(session, lost, self.clock())
        if found is None:
            return session
        now = self.clock()
        ending = moved(session, found.event, now, reason=found.reason)
        if ending.status is Status.TERMINATING and not session.agent_instance:
            return moved(ending, Event.EXPIRE, now)  # nothing runs that could be waited for
        return ending


def _agent_may_run_it(done: Change) -> bool:
    return done.after.status is Status.TERMINATING or bool(done.before.agent_instance)
