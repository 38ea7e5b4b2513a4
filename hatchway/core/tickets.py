"""Tickets: what lets an agent upload frames without anyone reading the database.

A ticket names session, node, client connection, generation and the last activity that the service
saw, and is authenticated with HMAC-SHA256. It carries no secret, and the agent can neither make
nor check one.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import asdict, dataclass

from hatchway.core.errors import TicketExpired, TicketInvalid
from hatchway.core.keys import KEY_BYTES

#: Seconds a ticket lives past its renewal; and the age at which an agent renews.
TICKET_LIFE = 60
TICKET_RENEW_AFTER = 30
#: A ticket is shorter than this; checked before it is decoded.
MAX_TICKET = 1024


@dataclass(frozen=True, slots=True)
class Ticket:
    """`connection` is the client's connection id, or "" while no client is attached.

    `activity` and `expires` are unix seconds by the service's clock. `record` is the session's
    `recording.Mode`, and `cap` the most bytes that are recorded of it in a minute, 0 for no cap.
    """

    key_id: str
    session: str
    node: str
    connection: str
    generation: int
    activity: int
    expires: int
    record: str = "beside"
    cap: int = 0


def seal_ticket(ticket: Ticket, key: bytes) -> str:
    """The ticket as text, `payload.mac`, both base64url; `key` is 32 bytes (`keys.ticket_key`)."""
    payload = json.dumps(asdict(ticket), separators=(",", ":"), sort_keys=True).encode()
    return f"{_encode(payload)}.{_encode(_mac(payload, key))}"


def key_id_of(text: str) -> str:
    """The key id that a ticket claims, to look the key up; nothing else of it is trusted yet."""
    return _fields(_split(text)[0]).key_id


def open_ticket(text: str, key: bytes, *, node: str, session: str, now: int) -> Ticket:
    """The ticket, checked; `node` and `session` are those of the path it came with.

    Raises TicketInvalid when it is malformed, forged or for another session or node, and
    TicketExpired when its time is over.
    """
    payload, mac = _split(text)
    if not hmac.compare_digest(mac, _mac(payload, key)):
        raise TicketInvalid()
    ticket = _fields(payload)
    if ticket.node != node or ticket.session != session:
        raise TicketInvalid()
    if now >= ticket.expires:
        raise TicketExpired()
    return ticket


def _mac(payload: bytes, key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a ticket key has {KEY_BYTES} bytes")
    return hmac.digest(key, payload, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TicketInvalid() from None


def _split(text: str) -> tuple[bytes, bytes]:
    if len(text) > MAX_TICKET or text.count(".") != 1:
        raise TicketInvalid()
    payload, mac = text.split(".")
    return _decode(payload), _decode(mac)


def _fields(payload: bytes) -> Ticket:
    try:
        fields = json.loads(payload)
        ticket = Ticket(**fields)
    except (ValueError, TypeError, RecursionError):
        raise TicketInvalid() from None
    texts = (ticket.key_id, ticket.session, ticket.node, ticket.connection, ticket.record)
    numbers = (ticket.generation, ticket.activity, ticket.expires, ticket.cap)
    if not all(type(t) is str for t in texts) or not all(type(n) is int for n in numbers):
        raise TicketInvalid()
    return ticket
