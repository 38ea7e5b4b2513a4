"""`end`: the agent says that what it ran is over, or never began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hatchway.core.errors import SessionEnded
from hatchway.core.lifecycle import ENDED, Event, Status
from hatchway.core.transcript.stated import MAX_CLIENT, MAX_COUNT, Stated
from lambdas.agents.claims import instance, on_node
from lambdas.edge import Call, Members
from lambdas.endings import End, last_word
from lambdas.logline import Line
from lambdas.ports import LATE, Clients, Clock, Look, Looks, Random, Session, SessionStore, Why
from lambdas.transitions import MAX_REASON, change, farewell, moved

#: Exit statuses: POSIX has 0 to 255, Windows 32 bits.
LOWEST_EXIT, HIGHEST_EXIT = -(1 << 31), (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends sessions on the agent's word."""

    sessions: SessionStore
    clients: Clients
    looks: Looks
    clock: Clock
    random: Random

    def end(self, node: str, call: Call, line: Line) -> Mapping[str, object]:
        """Ends it once; the same word again is taken and says farewell again, in case the first
        farewell was lost on the way."""
        members = call.members({"AgentInstanceId", "Reason", "ExitCode", "Sent", "Taken", "Client"})
        agent = instance(members)
        reason = "".join(c for c in members.text("Reason", MAX_REASON) if c.isprintable())
        code = (
            members.integer("ExitCode", LOWEST_EXIT, HIGHEST_EXIT)
            if members.has("ExitCode")
            else None
        )
        stated = _stated(members)

        def plan(session: Session) -> Session:
            on_node(session, node)
            if session.agent_instance not in ("", agent):
                raise SessionEnded()
            event = _event(session, reason, code)
            after = moved(session, event, self.clock(), reason=reason, exit_code=code)
            if stated is None or session.stated is not None:
                return after
            if session.status in ENDED:  # the archive's last look may be over
                self._asked(session)
            return replace(after, stated=stated)  # said once, also of what was ended before

        done = change(self.sessions, call.session_id, plan)
        session = done.after
        line.note(status=session.status.value, reason=session.end_reason)
        first = done.ended and done.before.status is not Status.TERMINATING
        now = self.clock()
        farewell(self.clients, session, last_word(session), now, self.random, first=first)
        return {}

    def _asked(self, session: Session) -> None:
        """Before the count is stored: one that is asked for in vain finds nothing, and a count
        that is there already asks for none."""
        self.looks.ask([Look(session_id=session.session_id, why=Why.LATE)], LATE)


def _stated(members: Members) -> Stated | None:
    """How much there was, from an agent that counts; None from one that says nothing of it."""
    if not members.has("Sent"):
        return None
    return Stated(
        sent=members.integer("Sent", 0, MAX_COUNT),
        taken=members.integer("Taken", 0, MAX_COUNT, default=0),
        client=members.text("Client", MAX_CLIENT, default=""),
    )


def _event(session: Session, reason: str, code: int | None) -> Event:
    """FAIL for what never ran: said so, and perhaps why, or ended without a status before both
    sides were there."""
    if code is not None or session.status in ENDED:
        return Event.EXITED
    if reason.startswith(End.NOT_STARTED) or session.status is Status.CONNECTING:
        return Event.FAIL
    return Event.EXITED
