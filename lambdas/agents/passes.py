"""What lets an agent go on with a session: a ticket for uploads, the key of what comes down."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from hatchway.core.keys import seal_key, ticket_key
from hatchway.core.lifecycle import Status
from hatchway.core.recording import Mode
from hatchway.core.tickets import TICKET_LIFE, Ticket, seal_ticket
from lambdas.ports import Clock, Secrets, Session
from lambdas.terms import terms_of


@dataclass(frozen=True, slots=True)
class Passes:
    """Makes tickets and derives keys, from two secrets that no agent ever sees."""

    seal: Secrets
    ticket: Secrets
    clock: Clock
    floor: Mode = Mode.BESIDE

    def of(self, session: Session) -> dict[str, object]:
        """The members of an answer. While the session is Terminating the ticket has expired when
        it is given: nothing more is fed to the process, and nothing reaches the client."""
        now = int(self.clock())
        ending = session.status is Status.TERMINATING
        expires = now if ending else now + TICKET_LIFE
        connection = "" if ending else session.connection
        seal = self.seal.current()
        key = seal_key(
            seal.value, key_id=seal.key_id, node=session.target, session=session.session_id
        )
        return {
            "Ticket": self._ticket(session, connection, expires),
            "TicketExpires": expires,
            "Generation": session.generation,
            "Connected": bool(connection),
            "SealKeyId": seal.key_id,
            "SealKey": base64.b64encode(key).decode("ascii"),
            "ServerTime": self.clock(),
        }

    def recorded(self, session: Session) -> bool:
        """Whether what passes is recorded at all."""
        return terms_of(session, self.floor).mode is not Mode.OFF

    def _ticket(self, session: Session, connection: str, expires: int) -> str:
        secret, terms = self.ticket.current(), terms_of(session, self.floor)
        ticket = Ticket(
            key_id=secret.key_id,
            session=session.session_id,
            node=session.target,
            connection=connection,
            generation=session.generation,
            activity=int(session.activity),
            expires=expires,
            record=terms.mode.value,
            cap=terms.cap,
        )
        return seal_ticket(ticket, ticket_key(secret.value, key_id=secret.key_id))
