"""AgentMessage: Session Manager's binary message, header of 120 bytes and payload; pure codec.

Source: message/clientmessage.go of aws/session-manager-plugin and its twin in amazon-ssm-agent.
It packs, parses and checks one message; what messages mean is in `messages` and `channel`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from uuid import UUID

from hatchway.core.errors import MalformedMessage

HEADER_LENGTH = 116  # what the field says: the offset of PayloadLength
PAYLOAD_OFFSET = 120
SCHEMA_VERSION = 1

#: API Gateway: a WebSocket frame is at most 32 KB, a message (and a PostToConnection) 128 KB.
MAX_TEXT_FRAME = 32 * 1024
MAX_TEXT_MESSAGE = 128 * 1024
#: The largest payload whose message fits one frame as base64.
MAX_PAYLOAD = MAX_TEXT_FRAME // 4 * 3 - PAYLOAD_OFFSET
#: What the original sends at most, and all that may be sent before both sides agreed on more.
ORIGINAL_PAYLOAD = 1024

FLAG_SYN = 1
FLAG_FIN = 2
#: Hatchway's own: the payload is compressed (see `compression`); only after both sides agreed.
FLAG_DEFLATED = 4

_HEADER = struct.Struct(">I32sIQqQ16s32sII")


class MessageType(StrEnum):
    """The seven message types; the last one is for the service only."""

    INPUT = "input_stream_data"
    OUTPUT = "output_stream_data"
    ACKNOWLEDGE = "acknowledge"
    CHANNEL_CLOSED = "channel_closed"
    START_PUBLICATION = "start_publication"
    PAUSE_PUBLICATION = "pause_publication"
    AGENT_SESSION_STATE = "agent_session_state"


#: How each stands in a header.
_FIELD = {kind: kind.value.encode().ljust(32) for kind in MessageType}
_KIND = {field: kind for kind, field in _FIELD.items()}

#: For these the original checks neither digest nor date.
_UNCHECKED = frozenset({MessageType.START_PUBLICATION, MessageType.PAUSE_PUBLICATION})


class PayloadType(IntEnum):
    """What a stream message carries. NONE is what acks and control messages have."""

    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    ENC_CHALLENGE_REQUEST = 8
    ENC_CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12
    #: Hatchway's own, sent only after HatchwayExtensions was agreed on.
    GAP = 1001


#: Payload types whose bytes count against the receiver's credit.
CREDITED = frozenset({PayloadType.OUTPUT, PayloadType.STDERR})


#: Flags from here on are Hatchway's own, sent only after HatchwayExtensions was agreed on.
OWN_FLAGS = 0x1000


class FlagValue(IntEnum):
    """The four-byte payload of a FLAG message. A SIGNAL_ is 0x1100 and Linux's number of it."""

    DISCONNECT_TO_PORT = 1
    TERMINATE_SESSION = 2
    CONNECT_TO_PORT_ERROR = 3
    #: Client: no input follows. It keeps its place behind the data.
    END_OF_INPUT = 0x1001
    SIGNAL_HANGUP = 0x1101
    SIGNAL_INTERRUPT = 0x1102
    SIGNAL_QUIT = 0x1103
    SIGNAL_USER_1 = 0x110A
    SIGNAL_USER_2 = 0x110C
    SIGNAL_TERMINATE = 0x110F

    @property
    def own(self) -> bool:
        """Hatchway's, not the original's."""
        return self >= OWN_FLAGS

    @property
    def signal(self) -> int:
        """Linux's number of the signal that it stands for, 0 for none."""
        return self - SIGNAL_FLAGS if self > SIGNAL_FLAGS else 0


SIGNAL_FLAGS = 0x1100


#: SHA-256 of a payload: an agent brings its own, and does without a second OpenSSL.
Digest = Callable[[bytes], bytes]


def sha256(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """One message. `created` is in epoch milliseconds; the digest is computed when packed.

    `payload_type` is a PayloadType, or a number that a later version gave a meaning to.
    """

    message_type: MessageType
    sequence: int
    message_id: UUID
    created: int
    payload: bytes
    payload_type: int = PayloadType.NONE
    flags: int = 0

    def __post_init__(self) -> None:
        lenient = self.message_type in _UNCHECKED
        if not self.payload and not lenient:
            raise MalformedMessage("A message without payload cannot be sent.")
        if len(self.payload) > MAX_PAYLOAD:
            raise MalformedMessage(f"A payload is at most {MAX_PAYLOAD} bytes.")
        if not 0 <= self.sequence < 1 << 63:
            raise MalformedMessage("A sequence number is 0 to 2^63-1.")
        if not (lenient or self.created) or not 0 <= self.created < 1 << 64:
            raise MalformedMessage("CreatedDate is missing.")


def _swap_halves(message_id: bytes) -> bytes:
    """The message id goes least significant half first."""
    return message_id[8:] + message_id[:8]


def pack(message: AgentMessage, digest: Digest = sha256) -> bytes:
    """The message's bytes: 120 of header, big-endian, then the payload."""
    return (
        _HEADER.pack(
            HEADER_LENGTH,
            _FIELD[message.message_type],
            SCHEMA_VERSION,
            message.created,
            message.sequence,
            message.flags,
            _swap_halves(message.message_id.bytes),
            digest(message.payload),
            message.payload_type,
            len(message.payload),
        )
        + message.payload
    )


def parse(data: bytes, digest: Digest = sha256) -> AgentMessage:
    """The message in `data`, all of it; MalformedMessage when a field is not as it must be.

    As in the original the payload is all that follows the header; a length that says otherwise
    is refused here, since nothing legitimate sends one.
    """
    if len(data) < PAYLOAD_OFFSET:
        raise MalformedMessage("A message is at least 120 bytes.")
    if len(data) > PAYLOAD_OFFSET + MAX_PAYLOAD:
        raise MalformedMessage(f"A payload is at most {MAX_PAYLOAD} bytes.")
    length, kind, version, created, sequence, flags, identity, claimed, payload_type, size = (
        _HEADER.unpack_from(data)
    )
    if length != HEADER_LENGTH:
        raise MalformedMessage("HeaderLength is not 116.")
    if version != SCHEMA_VERSION:
        raise MalformedMessage("SchemaVersion is not 1.")
    payload = data[PAYLOAD_OFFSET:]
    if size != len(payload):
        raise MalformedMessage("PayloadLength does not match the payload.")
    message_type = _KIND.get(kind) or _message_type(kind)
    if message_type not in _UNCHECKED and not hmac.compare_digest(claimed, digest(payload)):
        raise MalformedMessage("PayloadDigest does not match the payload.")
    return AgentMessage(
        message_type=message_type,
        sequence=sequence,
        message_id=UUID(bytes=_swap_halves(identity)),
        created=created,
        payload=payload,
        payload_type=payload_type,
        flags=flags,
    )


def _message_type(field: bytes) -> MessageType:
    """The type from its 32 bytes, padded with spaces or NULs, in any way."""
    try:
        return MessageType(field.strip(b"\0").decode("ascii").strip())
    except (UnicodeDecodeError, ValueError):
        raise MalformedMessage("MessageType is not known.") from None


# --- text frames --------------------------------------------------------------------------------
# API Gateway WebSocket carries text only: messages travel as base64, one per line.


#: Standard base64 both ways. `decode` refuses what is not, by binascii.Error. Ends that carry whole
#: floods pass faster ones than the standard library's, which decodes 5 ms a MB.
Encode = Callable[[bytes], str]
Decode = Callable[[str], bytes]


def _encode(frame: bytes) -> str:
    return base64.b64encode(frame).decode("ascii")


def _decode(line: str) -> bytes:
    return base64.b64decode(line, validate=True)


def to_text(frames: Iterable[bytes], encode: Encode = _encode) -> str:
    """One WebSocket text message that carries these packed messages."""
    return "\n".join([encode(frame) for frame in frames])


def from_text(text: str, decode: Decode = _decode) -> list[bytes]:
    """The packed messages in a text message; MalformedMessage for what is not base64 lines."""
    if len(text) > MAX_TEXT_MESSAGE:
        raise MalformedMessage("A text message is at most 128 KB.")
    try:
        return [decode(line) for line in text.split("\n") if line]
    except (binascii.Error, ValueError):
        raise MalformedMessage("A line of the text message is not base64.") from None


def text_length(frame_bytes: int) -> int:
    """Length of a packed message's line in a text message, newline included."""
    return (frame_bytes + 2) // 3 * 4 + 1
