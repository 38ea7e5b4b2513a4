"""`ticket`: a fresh ticket for a session that goes on; activity, and clients gone silent.

What an agent says of activity counts for nothing: it brings back the marks of what the service
itself passed on (`hatchway/core/marks.py`), and those are checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hatchway.core import marks
from hatchway.core.errors import HatchwayError, MarkInvalid
from hatchway.core.lifecycle import Event
from hatchway.core.marks import INPUT, MARK_TEXT, OUTPUT, Mark
from lambdas.agents.claims import instance, on_node, run_by
from lambdas.agents.passes import Passes
from lambdas.edge import Call, Members
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Secrets, Session, SessionStore
from lambdas.timeouts import timeouts
from lambdas.transitions import change, moved

#: Activity that is newer by less than this many seconds is not worth a write, unless what is
#: written is twice as old.
ACTIVITY_GRAIN = 15.0
#: Beyond any generation.
MAX_GENERATION = 1 << 32


@dataclass(frozen=True, slots=True)
class _Brought:
    """The marks that came with a call, checked; None for none that is good."""

    typed: Mark | None
    printed: Mark | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """Renews tickets: one read, and a write where there is news."""

    sessions: SessionStore
    clients: Clients
    passes: Passes
    clock: Clock

    def renew(self, node: str, call: Call, line: Line) -> Mapping[str, object]:
        """Status, ticket and key; SessionEnded where this process has nothing to run any more."""
        members = call.members({"AgentInstanceId", "InputMark", "OutputMark", "ClientSilent"})
        agent = instance(members)
        brought = self._brought(node, call.session_id, members, line)
        silent = members.integer("ClientSilent", 0, MAX_GENERATION, default=0)

        def plan(session: Session) -> Session:
            run_by(on_node(session, node), agent)
            return self._silenced(self._used(session, brought), silent)

        done = change(self.sessions, call.session_id, plan)
        session = done.after
        line.note(status=session.status.value, generation=session.generation)
        if done.before.connection and not session.connection:
            self._close(done.before.connection, line)
        return {"Status": session.status.value, **self.passes.of(session)}

    def _brought(self, node: str, session: str, members: Members, line: Line) -> _Brought:
        def checked(name: str, secrets: Secrets, direction: str) -> Mark | None:
            """One that is not good is worth a line in the log; the ticket does not hang on it:
            its secret may have been rotated."""
            text = members.text(name, MARK_TEXT, default="")
            if not text:
                return None
            try:
                data = marks.from_text(text)
                secret = secrets.version(marks.claimed(data).key_id)
                if secret is None:
                    raise MarkInvalid()
                return marks.check(
                    data, secret.value, node=node, session=session, direction=direction
                )
            except MarkInvalid:
                line.warning()
                line.count("markRefused")
                return None

        return _Brought(
            typed=checked("InputMark", self.passes.seal, INPUT),
            printed=checked("OutputMark", self.passes.ticket, OUTPUT),
        )

    def _used(self, session: Session, brought: _Brought) -> Session:
        """Never later than our own clock, never backwards."""
        now = self.clock()
        typed, printed = brought.typed, brought.printed
        marked, latest = session.marked, session.activity
        if typed is not None and _is_new(typed, session):
            marked, latest = typed.sequence, max(latest, min(typed.time, now))
        if printed is not None and _counts(printed, session):
            latest = max(latest, min(printed.time, now))
        news, old = latest - session.activity, now - session.activity
        if news < ACTIVITY_GRAIN and (news <= 0 or old < 2 * ACTIVITY_GRAIN):
            return session
        return replace(session, activity=latest, marked=marked)

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


def _is_new(mark: Mark, session: Session) -> bool:
    """Of the attached client, and of something that it had not sent before: what it sends again,
    because the agent acknowledges nothing, was counted when it was typed."""
    return mark.generation == session.generation and mark.sequence > session.marked


def _counts(mark: Mark, session: Session) -> bool:
    """Output was passed on to the attached client, and the session's document lets it count."""
    return mark.generation == session.generation and timeouts(session).output_counts
