"""`frames`: what an agent uploads is checked and posted to the client. It reads no table."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from hatchway.core import marks
from hatchway.core.errors import ClientGone, MalformedMessage, TicketInvalid, ValidationException
from hatchway.core.keys import ticket_key
from hatchway.core.recording import Mode, Passed, Terms, from_node
from hatchway.core.tickets import Ticket, key_id_of, open_ticket
from hatchway.core.transcript.chunks import Side
from hatchway.core.wire import AgentMessage, MessageType, from_text, parse, to_text
from lambdas.edge import Call
from lambdas.identity import channel_node
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Secrets
from lambdas.recording import Recorder

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

#: A packed message, and what it says.
_Frame = tuple[bytes, AgentMessage]


@dataclass(frozen=True, slots=True)
class Uplink:
    """Agent uploads to the client."""

    secrets: Secrets
    clients: Clients
    recorder: Recorder
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
        frames = _frames(call.body)
        text, passed = _for_client(call.body, frames)
        line.note(generation=ticket.generation, frames=passed, size=len(text))
        if not ticket.connection:
            raise ClientGone()
        if not self._deliver(ticket, text, frames, line):
            raise ClientGone()
        return self._marked(ticket, [message for _, message in frames])

    def _marked(self, ticket: Ticket, messages: list[AgentMessage]) -> Mapping[str, object]:
        """The mark of output that was passed on: documents may let it count as activity."""
        done = marks.printed(messages)
        secret = self.secrets.version(ticket.key_id)
        if done is None or secret is None:
            return {}
        data = marks.make(
            marks.of(done, secret.key_id, ticket.generation, self.clock()),
            secret.value,
            node=ticket.node,
            session=ticket.session,
            direction=marks.OUTPUT,
        )
        return {"Mark": marks.to_text(data)}

    def _deliver(self, ticket: Ticket, text: str, frames: list[_Frame], line: Line) -> bool:
        """Posts and records it; False where there is no client (any more)."""
        return self.recorder.carry(
            ticket.session,
            Terms(Mode(ticket.record), cap=ticket.cap),
            Passed(side=Side.NODE, generation=ticket.generation, frames=from_node(frames)),
            lambda: not text or self.clients.post(ticket.connection, text),
            line,
        )

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


def _frames(body: str) -> list[_Frame]:
    """All of an upload, as it came and read."""
    frames = [(packed, parse(packed)) for packed in from_text(body)]  # at most 128 KB
    if not frames:
        raise MalformedMessage("An upload carries a message at least.")
    known = AGENT_TYPES | {MessageType.AGENT_SESSION_STATE}
    if any(message.message_type not in known for _, message in frames):
        raise MalformedMessage("An agent does not send this type of message.")
    return frames


def _for_client(body: str, frames: list[_Frame]) -> tuple[str, int]:
    """What the client gets, and how many messages; agents' own state reports are eaten."""
    passed = [packed for packed, message in frames if message.message_type in AGENT_TYPES]
    return (body if len(passed) == len(frames) else to_text(passed)), len(passed)
