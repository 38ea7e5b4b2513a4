"""The review: all sessions that are not ended, by their owners, against what IAM says now.

Where IAM or EC2 cannot be asked, nothing is ended: it is counted, and the next review asks again.
Reviews that overlap end nothing twice and warn nobody twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hatchway.core.errors import AccessDeniedException, HatchwayError
from hatchway.core.lifecycle import ACTIVE, Status
from lambdas.access import Held, held_by
from lambdas.edge import Caller
from lambdas.endings import End
from lambdas.logline import Line
from lambdas.opinion import SecondOpinion
from lambdas.ports import (
    Clients,
    Clock,
    Count,
    Downlink,
    InstanceFacts,
    Instances,
    NodeStore,
    Policies,
    Random,
    Session,
    SessionStore,
)
from lambdas.principal import admit
from lambdas.review.counting import put_right
from lambdas.review.judging import Finding, judge
from lambdas.terminating import begin_end, conclude
from lambdas.transitions import change

#: Pages of one run; what lies behind them waits for those before it to end.
MAX_PAGES = 100
#: Owners in a row for whom IAM does not answer, after which this run asks it no more.
MAX_UNANSWERED = 5
#: Seconds after which a run begins with no other owner; the function has a minute.
BUDGET = 40.0

Facts = Mapping[str, InstanceFacts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Ends what is not permitted any more, warns of what soon will not be, counts anew."""

    sessions: SessionStore
    nodes: NodeStore
    clients: Clients
    downlink: Downlink
    instances: Instances
    policies: Policies
    clock: Clock
    random: Random
    region: str
    channel_role_id: str
    second: SecondOpinion | None = None

    def run(self, line: Line) -> None:
        """One pass over everything that is not ended, within MAX_PAGES and BUDGET."""
        until = self.clock() + BUDGET
        counts = self._counts(line)  # before the sessions: see `put_right`
        found, whole = self._active()
        line.note(seen=len(found))
        if not whole:
            line.warning()
            line.note(truncated=True)
        running = [session for session in found if _goes_on(session)]
        try:
            facts = self.instances.facts_of(sorted({session.target for session in running}))
        except HatchwayError as error:
            _unasked(line, running, error)
        else:
            self._owners(self._in_turn(running), facts, until, line)
        if whole and counts is not None:
            self._put_right(counts, found, line)

    def _counts(self, line: Line) -> Sequence[Count] | None:
        try:
            return self.sessions.counts()
        except HatchwayError as error:
            _failed(line, error)
            return None

    def _put_right(self, counts: Sequence[Count], found: Sequence[Session], line: Line) -> None:
        """Last, and nothing hangs on it: a wrong count makes a limit wrong until the next run."""
        try:
            put_right(self.sessions, counts, found, self.clock(), line)
        except HatchwayError as error:
            _failed(line, error)

    def _active(self) -> tuple[list[Session], bool]:
        """The sessions, and whether these are all of them."""
        found: list[Session] = []
        token = ""
        for _ in range(MAX_PAGES):
            page = self.sessions.active(token)
            found += page.sessions
            token = page.next_token
            if not token:
                return found, True
        return found, False

    def _in_turn(self, sessions: Sequence[Session]) -> list[list[Session]]:
        """By owner, whose policies are read once; the first is another each time, so that nobody
        is left for last for ever where a run does not get to all."""
        owners: dict[tuple[str, str], list[Session]] = {}
        for session in sessions:
            owners.setdefault((session.owner.key, session.owner_arn), []).append(session)
        groups = list(owners.values())
        first = int.from_bytes(self.random(4)) % len(groups) if groups else 0
        return groups[first:] + groups[:first]

    # --- one owner ------------------------------------------------------------------------------

    def _owners(
        self, groups: Sequence[Sequence[Session]], facts: Facts, until: float, line: Line
    ) -> None:
        unanswered = 0
        for group in groups:
            if unanswered >= MAX_UNANSWERED or self.clock() > until:
                _unasked(line, group)
                continue
            try:
                held = self._held(group[0])
            except HatchwayError as error:
                _unasked(line, group, error)
                unanswered += 1
                continue
            unanswered = 0
            for number, session in enumerate(group):
                if self.clock() > until:
                    _unasked(line, group[number:])
                    break
                _each(line, session, lambda s=session, h=held: self._act(s, h, facts, line))  # type: ignore[misc]

    def _held(self, session: Session) -> Held | None:
        """The owner's policies; None where the owner is gone, or may not call any more."""
        owner = Caller(session.owner.account, session.owner.userid, session.owner_arn)
        try:
            principal = admit(owner, session.owner.account, self.nodes, self.channel_role_id)
            return held_by(self, principal)
        except AccessDeniedException:
            return None

    # --- one session ----------------------------------------------------------------------------

    def _act(self, session: Session, held: Held | None, facts: Facts, line: Line) -> None:
        now = self.clock()
        found = Finding(permitted=False)
        if held is not None:
            try:
                found = judge(held, session, facts.get(session.target), now, self.second)
            except HatchwayError as error:  # the simulator's: IAM does not answer it
                _unasked(line, [session], error)
                return
        if found.undecided:
            line.count("undecided")
        if not found.permitted:
            self._end(session, line)
        elif found.ends:
            self._warn(session, found.ends, now, line)

    def _end(self, session: Session, line: Line) -> None:
        begun = begin_end(self, session, End.REVOKED)
        if not begun.written:
            return
        line.count("revoked")
        if not conclude(self, begun):
            line.count("unheard")

    def _warn(self, session: Session, ends: float, now: float, line: Line) -> None:
        """Once for each end. It is written first, so that of two reviews one tells the client."""

        def claim(read: Session) -> Session:
            told = read.access_ends == ends
            if told or not read.connection or not _goes_on(read):
                return read
            return replace(read, access_ends=ends)

        claimed = change(self.sessions, session.session_id, claim, session)
        if not claimed.written:
            return
        text = json.dumps({"notice": "accessEnding", "Seconds": max(0, int(ends - now))})
        if self._told(claimed.after.connection, text):
            line.count("warned")
        else:  # not there any more: whoever comes back is told then
            line.count("unheard")
            change(self.sessions, session.session_id, _untold, claimed.after)

    def _told(self, connection: str, text: str) -> bool:
        try:
            return self.clients.post(connection, text)
        except HatchwayError:
            return False


def _untold(read: Session) -> Session:
    return replace(read, access_ends=0.0) if read.status in ACTIVE else read


def _goes_on(session: Session) -> bool:
    return session.status in ACTIVE and session.status is not Status.TERMINATING


def _unasked(line: Line, sessions: Sequence[Session], error: HatchwayError | None = None) -> None:
    line.warning()
    line.count("unasked", len(sessions))
    if error is not None:
        line.note(code=error.code, detail=error.message)


def _failed(line: Line, error: HatchwayError) -> None:
    line.warning()
    line.count("failed")
    line.note(code=error.code)


def _each(line: Line, session: Session, act: Callable[[], None]) -> None:
    """One session that fails stops no other."""
    try:
        act()
    except HatchwayError as error:
        line.note(session=session.session_id)
        _failed(line, error)
    except Exception as error:
        line.count("failed")
        line.failed(error)
