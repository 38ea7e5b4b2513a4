"""Marks: what shows the service that it passed something on, when, and on whose connection.

`relay` puts one beside what a client typed, `uplink` answers one for what an agent printed; neither
reads or writes a table. The agent brings the last one back when it renews its ticket. It has no key
to make or change one, so its word alone keeps no session from idling out.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from hatchway.core.errors import MarkInvalid
from hatchway.core.keys import mark_key
from hatchway.core.sealing import KEY_ID_BYTES
from hatchway.core.wire import CREDITED, AgentMessage, MessageType, PayloadType

#: Whose doing a mark shows: the directions of its key.
INPUT, OUTPUT = "down", "up"
MAC_BYTES = 16
# key id, generation, sequence, unix seconds
_FIELDS = struct.Struct(f">{KEY_ID_BYTES}sIQI")
MARK_BYTES = _FIELDS.size + MAC_BYTES
#: Characters of a mark as text.
MARK_TEXT = (MARK_BYTES + 2) // 3 * 4

#: What a person does at a client: typing and changing the terminal's size.
_DONE = frozenset({PayloadType.OUTPUT, PayloadType.SIZE})


@dataclass(frozen=True, slots=True)
class Mark:
    """`sequence` is the number of the last message it stands for, `time` unix seconds by the
    service's clock, rounded down."""

    key_id: str
    generation: int
    sequence: int
    time: int


@dataclass(frozen=True, slots=True)
class Done:
    """What messages show: the highest number of something done, and how many seconds ago it was
    done when the messages were sent."""

    sequence: int
    age: float


def typed(messages: Sequence[AgentMessage]) -> Done | None:
    """What a person did, of one client's messages that came together; None for nothing.

    A message that is sent again, because nobody acknowledged it, is as old as the newest beside it
    says by the same clock: our client sends an acknowledgement along. So a node that acknowledges
    nothing has nobody's keys pressed again.
    """
    done = [m for m in messages if m.message_type is MessageType.INPUT and m.payload_type in _DONE]
    if not done:
        return None
    last = max(done, key=lambda message: message.sequence)
    newest = max(message.created for message in messages)
    return Done(last.sequence, (newest - last.created) / 1000)


def printed(messages: Sequence[AgentMessage]) -> Done | None:
    """What an agent sent of what its session prints; None for nothing."""
    return max(
        (
            Done(message.sequence, 0.0)
            for message in messages
            if message.message_type is MessageType.OUTPUT and message.payload_type in CREDITED
        ),
        key=lambda done: done.sequence,
        default=None,
    )


def of(done: Done, key_id: str, generation: int, now: float) -> Mark:
    """The mark of something done; `now` in unix seconds by the service's clock."""
    return Mark(key_id, generation, done.sequence, max(0, int(now - done.age)))


def make(mark: Mark, secret: bytes, *, node: str, session: str, direction: str) -> bytes:
    """The mark's MARK_BYTES bytes, for one session and direction."""
    fields = _FIELDS.pack(mark.key_id.encode("ascii"), mark.generation, mark.sequence, mark.time)
    key = mark_key(secret, key_id=mark.key_id, node=node, session=session, direction=direction)
    return fields + _mac(fields, key)


def claimed(data: bytes) -> Mark:
    """What a mark says, unchecked: to choose a key, or the later of two. MarkInvalid."""
    if len(data) != MARK_BYTES:
        raise MarkInvalid()
    key_id, generation, sequence, time = _FIELDS.unpack_from(data)
    try:
        return Mark(key_id.decode("ascii"), generation, sequence, time)
    except UnicodeDecodeError:
        raise MarkInvalid() from None


def check(data: bytes, secret: bytes, *, node: str, session: str, direction: str) -> Mark:
    """The mark, if it was made with `secret` for this session and direction; MarkInvalid."""
    mark = claimed(data)
    key = mark_key(secret, key_id=mark.key_id, node=node, session=session, direction=direction)
    if not hmac.compare_digest(data[_FIELDS.size :], _mac(data[: _FIELDS.size], key)):
        raise MarkInvalid()
    return mark


def to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")


def from_text(text: str) -> bytes:
    """The bytes of a mark as text; MarkInvalid for anything else."""
    if len(text) > MARK_TEXT:
        raise MarkInvalid()
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise MarkInvalid() from None


def _mac(fields: bytes, key: bytes) -> bytes:
    return hmac.digest(key, fields, "sha256")[:MAC_BYTES]
