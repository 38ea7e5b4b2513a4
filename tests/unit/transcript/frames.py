"""Frames as they pass the relay, and the chunks that are made of them."""

from __future__ import annotations

from uuid import UUID

from hatchway.core.compression import deflate
from hatchway.core.handshake import Extensions, HandshakeRequest, pack_request, pack_size
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.wire import (
    FLAG_DEFLATED,
    FLAG_SYN,
    AgentMessage,
    MessageType,
    PayloadType,
    pack,
)

ANN, BOB = UUID(int=1), UUID(int=2)
AT = 1_700_000_000_000


def message(
    kind: MessageType, sequence: int, payload: bytes, payload_type: int, flags: int, who: UUID
) -> bytes:
    return pack(AgentMessage(kind, sequence, who, AT, payload, payload_type, flags))


def output(
    sequence: int, payload: bytes, payload_type: int = PayloadType.OUTPUT, flags: int = 0
) -> bytes:
    return message(MessageType.OUTPUT, sequence, payload, payload_type, flags, UUID(int=9))


def typed(
    sequence: int, payload: bytes, who: UUID = ANN, payload_type: int = PayloadType.OUTPUT
) -> bytes:
    """A client's numbered message; the first one bears the client's identity."""
    identity = who if sequence == 0 else UUID(int=1000 + sequence)
    return message(MessageType.INPUT, sequence, payload, payload_type, 0, identity)


def size(sequence: int, columns: int, rows: int, who: UUID = ANN) -> bytes:
    return typed(sequence, pack_size(columns, rows), who, PayloadType.SIZE)


def offer(sequence: int = 0, again: bool = False) -> bytes:
    request = HandshakeRequest("3.3.0.0", "Standard_Stream", {}, Extensions(4096))
    flags = FLAG_SYN if again else 0
    return output(sequence, pack_request(request), PayloadType.HANDSHAKE_REQUEST, flags)


def deflated(sequence: int, data: bytes) -> bytes:
    packed = deflate(data)
    assert packed is not None
    return output(sequence, packed, flags=FLAG_DEFLATED)


def report(payload: bytes) -> bytes:
    kind = MessageType.AGENT_SESSION_STATE
    return message(kind, 0, payload, PayloadType.NONE, 0, UUID(int=9))


def chunk(data: bytes, kind: Kind = Kind.OUTPUT, at: int = AT, **more: object) -> Chunk:
    side = Side.CLIENT if kind is Kind.INPUT else Side.NODE
    members: dict[str, object] = {"side": side, "generation": 1, "at": at, **more}
    return Chunk(kind=kind, data=data, **members)  # type: ignore[arg-type]
