"""`frames`: what an agent uploads is checked and posted to the client. It reads no table."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from hatchway.core.errors import ClientGone, MalformedMessage, TicketInvalid, ValidationException
from hatchway.core.keys import ticket_key
from hatchway.core.tickets import Ticket, key_id_of, open_ticket
from hatchway.core.wire import MessageType, from_text, parse, to_text
from lambdas.edge import Call
from lambdas.identity import channel_node
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Secrets

#: What an agent may send to a client. `channel_closed` is the service's word, after `end`.
AGENT_TYPES = frozenset(
    {
        MessageType.OUTPUT,
        MessageType.ACKNOWLEDGE,
        MessageType.START_PUBLICATION,
        MessageType.PAUSE_PUBLICATION,
    }
)
#: Derived ticket keys kept: the versions in use, and those just rotated out.
MAX_KEYS = 4
ROUTE = "POST /agent/{nodeId}/sessions/{sessionId}/frames"


@dataclass(frozen=True, slots=True)
class Uplink:
    """Agent uploads to the client."""

    secrets: Secrets
    clients: Clients
    channel_role_id: str
    clock: Clock
    keys: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    def handle(self, call: Call, line: Line) -> Mapping[str, object]:
        """Posts the upload; ClientGone when there is no client (any more)."""
        if call.route != ROUTE:
            raise ValidationException("There is no such route.")
        node, session = channel_node(call, self.channel_role_id), call.session_id
        line.note(node=node, session=session)
        ticket = self._ticket(call.header("X-Hatchway-Ticket"), node, session)
        text, frames = _for_client(call.body)
        line.note(generation=ticket.generation, frames=frames, size=len(text))
        if not ticket.connection:
            raise ClientGone()
        if text and not self.clients.post(ticket.connection, text):
            raise ClientGone()
        return {}

    def _ticket(self, text: str, node: str, session: str) -> Ticket:
        key = self._key(key_id_of(text))
        return open_ticket(text, key, node=node, session=session, now=int(self.clock()))

    def _key(self, key_id: str) -> bytes:
        """The key a ticket claims to be made with, if its version of the secret is in use."""
        secret = self.secrets.version(key_id)
        if secret is None:
            raise TicketInvalid()
        if key_id not in self.keys:
            self.keys[key_id] = ticket_key(secret.value, key_id=key_id)
            if len(self.keys) > MAX_KEYS:
                self.keys.popitem(last=False)
        return self.keys[key_id]


def _for_client(body: str) -> tuple[str, int]:
    """What the client gets, and how many messages; agents' own state reports are eaten."""
    frames = from_text(body)  # at most 128 KB
    if not frames:
        raise MalformedMessage("An upload carries a message at least.")
    kinds = [parse(frame).message_type for frame in frames]
    passed = [f for f, kind in zip(frames, kinds, strict=True) if kind in AGENT_TYPES]
    if any(kind not in AGENT_TYPES | {MessageType.AGENT_SESSION_STATE} for kind in kinds):
        raise MalformedMessage("An agent does not send this type of message.")
    return (body if len(passed) == len(frames) else to_text(passed)), len(passed)
