"""The sweep: all sessions that are not ended, oldest first, each judged by the clock; and the
sessions of one node that did not come back.

Running it twice, or two at once, ends nothing twice; one session that fails stops no other. A run
that does not get to all goes on from there the next time, and says that it fell behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hatchway.core.errors import HatchwayError
from hatchway.core.lifecycle import ACTIVE, ENDED, Event, Status
from lambdas.endings import last_word
from lambdas.logline import Line
from lambdas.ports import (
    Clients,
    Clock,
    Disconnection,
    Downlink,
    LifecycleConnections,
    NodeStore,
    Random,
    Session,
    SessionStore,
)
from lambdas.sweep.limits import Overdue, away_for_long, away_since, overdue
from lambdas.sweep.lingering import Lingering
from lambdas.sweep.visits import Visits
from lambdas.sweep.warning import Warnings
from lambdas.transitions import Change, change, farewell, moved

#: Pages of one run, and seconds after which it begins no other; the function has a minute.
MAX_PAGES = 200
BUDGET = 40.0
#: Seconds that a farewell may begin after the budget is spent.
FAREWELLS = 10.0
#: Seconds past its limit from which a session was ended late: a sweep comes each minute.
LATE = 150.0
#: The metric that has an alarm: one for each run that fell behind.
BEHIND = "SweepBehind"

Count = Callable[[str, int], None]


@dataclass(slots=True)
class Place:
    """Where a run that was cut short ended, for the next one of this instance; "" for nowhere."""

    token: str = ""


@dataclass(slots=True)
class _Round:
    """One run: until when, what is known of nodes, and by how much the latest end was late."""

    until: float
    lost: dict[str, bool] = field(default_factory=dict)
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Ends what ran out of time, and warns of what soon will."""

    sessions: SessionStore
    nodes: NodeStore
    clients: Clients
    downlink: Downlink
    clock: Clock
    random: Random
    count: Count = lambda _name, _value: None
    visitors: LifecycleConnections | None = None
    place: Place = field(default_factory=Place)

    def run(self, line: Line) -> None:
        """One pass over everything that is not ended, within MAX_PAGES and BUDGET."""
        now = _Round(self.clock() + BUDGET)
        self.place.token = left = self._pages(self.place.token, now, line)
        if left:
            line.warning()
            line.note(truncated=True)
        if now.late:
            line.note(late=int(now.late))
        if left or now.late > LATE:
            self.count(BEHIND, 1)
        until = now.until + FAREWELLS
        Lingering(self.sessions, self.clients, self.clock).close(until, line)
        if self.visitors is not None:
            Visits(self.visitors, self.clients, self.clock).close(until, line)

    def recheck(self, gone: Disconnection, line: Line) -> bool:
        """Ends the node's sessions unless it has been back since; False where one is left."""
        if not away_since(self.nodes.get(gone.node_id), gone):
            line.count("back")
            return True
        line.count("lost")
        now = _Round(self.clock() + BUDGET, {gone.node_id: True})
        return self._look(self.sessions.active_on(gone.node_id), now, line)

    def _pages(self, token: str, now: _Round, line: Line) -> str:
        """Looks at page after page; where it stopped, "" at the end."""
        for _ in range(MAX_PAGES):
            page = self.sessions.active(token)
            self._learn({session.target for session in page.sessions}, now, line)
            self._look(page.sessions, now, line)
            if page.unreadable:
                line.warning()
                line.count("unreadable", page.unreadable)
            token = page.next_token
            if not token or self.clock() > now.until:
                break
        return token

    def _learn(self, targets: set[str], now: _Round, line: Line) -> None:
        """Which of the nodes are lost. Where that cannot be read, none of them is: their sessions
        are still judged by the clock."""
        unknown = sorted(targets - now.lost.keys())
        if not unknown:
            return
        try:
            found = self.nodes.get_all(unknown)
        except HatchwayError as error:
            line.warning()
            line.note(nodes=error.code)
            return
        time = self.clock()
        now.lost |= {name: away_for_long(found.get(name), time) for name in unknown}

    def _look(self, sessions: Sequence[Session], now: _Round, line: Line) -> bool:
        """Judges each; the states and hints of all that end come before any farewell. False where
        one should have been looked at again."""
        well = True
        ended: list[Change] = []
        for session in sessions:
            line.count("seen")
            try:
                done = self._judge(session, now, line)
                ended += [done] if done is not None else []
            except HatchwayError as error:
                well = False
                line.warning()
                line.count("failed")
                line.note(code=error.code, session=session.session_id)
            except Exception as error:
                well = False
                line.count("failed")
                line.failed(error)
        for done in ended:
            self._farewell(done, now, line)
        return well

    def _judge(self, session: Session, now: _Round, line: Line) -> Change | None:
        """Ends the session if it is overdue, and tells its node; warns if it soon will be."""
        lost = now.lost.get(session.target, False)
        found = overdue(session, lost, self.clock()) if session.status in ACTIVE else None
        if found is None:
            Warnings(self.sessions, self.clients, self.clock).consider(session, line)
            return None
        done = change(
            self.sessions, session.session_id, lambda read: self._overdue(read, lost), session
        )
        if not done.written:
            return None
        now.late = max(now.late, self.clock() - found.since if found.since else 0.0)
        line.count("ended" if done.after.status in ENDED else "ending")
        if _agent_may_run_it(done):
            self.downlink.hint(done.after.target, done.after.session_id)
        return done

    def _farewell(self, done: Change, now: _Round, line: Line) -> None:
        """What there is no time for is told by the agent's end, or closed by a later sweep."""
        after, time = done.after, self.clock()
        in_time = time <= now.until + FAREWELLS
        if not in_time or not farewell(self.clients, after, last_word(after), time, self.random):
            line.count("unheard")

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
