"""Changes of a session: read, advance by the table, write if nobody else did; bounded.

Every family that moves a session does it here, so that a lost race is always a fresh decision on
fresh state, and the end of a session always looks the same to its client.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from hatchway.core.errors import ConflictException, DoesNotExistException, HatchwayError
from hatchway.core.lifecycle import ENDED, Event, Status, advance
from hatchway.core.messages import channel_closed
from hatchway.core.wire import to_text
from lambdas.ports import Clients, Random, Session, SessionStore, Stale

#: How often a change is tried while others change the same session.
ATTEMPTS = 5
#: Seconds after a client attached in which its connection may be too new to be closed.
YOUNG = 10.0
#: Characters of an end reason.
MAX_REASON = 256

#: Decides on the state as read: the session as it shall be, or the same object for no change.
#: What it raises ends the change and leaves the session as it was.
Plan = Callable[[Session], Session]


@dataclass(frozen=True, slots=True)
class Change:
    """A session before and after; the same object twice where nothing was to be written."""

    before: Session
    after: Session

    @property
    def written(self) -> bool:
        return self.after is not self.before

    @property
    def ended(self) -> bool:
        """Whether it was this change that ended the session."""
        return self.after.status in ENDED and self.before.status not in ENDED


def change(store: SessionStore, session_id: str, plan: Plan, read: Session | None = None) -> Change:
    """Applies `plan` to the session, again on fresh state while others are faster.

    `read` spares the first read. DoesNotExistException where there is no such session,
    ConflictException after ATTEMPTS lost races, IllegalTransition or whatever else `plan` raises.
    """
    for _ in range(ATTEMPTS):
        before = read if read is not None else store.get(session_id)
        if before is None:
            raise DoesNotExistException()
        planned = plan(before)
        if planned is before:
            return Change(before, before)
        try:
            return Change(before, store.update(before, planned))
        except Stale:
            read = None
    raise ConflictException()


def moved(
    session: Session, event: Event, now: float, *, reason: str = "", exit_code: int | None = None
) -> Session:
    """The session after `event`: status, since when, and at the end why and with what exit code.

    The first reason stands: a session that is told to end for its idle time ends for that. The
    same object where nothing changes; IllegalTransition where the table has no such pair.
    """
    status = advance(session.status, event)
    if status is session.status:
        return session
    ended = status in ENDED
    return replace(
        session,
        status=status,
        status_since=now,
        ended=now if ended else 0.0,
        end_reason=session.end_reason or reason[:MAX_REASON],
        exit_code=exit_code if ended else session.exit_code,
        spare="" if ended or status is Status.TERMINATING else session.spare,
    )


def farewell(
    clients: Clients,
    session: Session,
    output: str,
    now: float,
    random: Random,
    *,
    first: bool = False,
) -> bool:
    """Tells the attached client that the session is over, and closes its connection. The `first`
    to do so waits, a little, for a connection that is only just being made.

    False where a client was there and could not be told or closed: then `$disconnect`, its own
    liveness or a repeated end come instead. It never raises: the session has ended already.
    """
    if not session.connection:
        return True
    closed = channel_closed(
        session.session_id, output, int(now * 1000), UUID(bytes=random(16), version=4)
    )
    told = _try(lambda: clients.post(session.connection, to_text([closed])))
    young = first and now - session.attached < YOUNG
    return _try(lambda: clients.close(session.connection, young)) and told


def _try(act: Callable[[], object]) -> bool:
    try:
        act()
    except HatchwayError:
        return False
    return True
