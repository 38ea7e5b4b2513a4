"""A recorded event that nobody reads but who may use the recordings' key.

Each instance of a function that records makes a key of its own, wraps it with the public half of
that key, and puts it so into each event: an event needs nothing but itself and the private half.
What is sealed is bound to its session, side and generation. The cipher comes through a port.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass

from hatchway.core.errors import MalformedRecording
from hatchway.core.keys import label
from hatchway.core.recording import MAX_EVENT, MAX_MARK, MAX_NOTE, Passed
from hatchway.core.sealing import NONCE_BYTES, TAG_BYTES, Cipher
from hatchway.core.transcript.chunks import Side
from hatchway.core.wire import MAX_PAYLOAD, PAYLOAD_OFFSET

#: `recording.VERSION` is that of an event that is not sealed.
VERSION = 2
#: Bytes of a wrapped key: RSA with 4,096 bits at most.
MAX_WRAPPED = 512
#: Frames of one event; an upload has room for no more.
MAX_FRAMES = 1024
_LENGTH, _FRAME_LENGTH = 2, 4


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed event as it stands in the log: `wrapped` is the key it was sealed with."""

    side: Side
    generation: int
    wrapped: bytes
    sealed: bytes

    def open(self, cipher: Cipher, session: str) -> Passed:
        """What it holds; MalformedRecording where that was changed, or is another session's."""
        nonce, body = self.sealed[:NONCE_BYTES], self.sealed[NONCE_BYTES:]
        bound = _bound(session, self.side, self.generation, self.wrapped)
        try:
            plain = cipher.decrypt(nonce, body, bound)
        except Exception:  # the cipher's own type is the adapter's; every failure is a refusal
            raise MalformedRecording("A recorded event is not what was sealed.") from None
        return _unpacked(plain, self.side, self.generation)


def close(passed: Passed, cipher: Cipher, *, session: str, wrapped: bytes, nonce: bytes) -> str:
    """The log event's text; `nonce` is 12 bytes, used once with this cipher."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
    bound = _bound(session, passed.side, passed.generation, wrapped)
    members: dict[str, object] = {
        "v": VERSION,
        "side": passed.side.value,
        "gen": passed.generation,
        "key": base64.b64encode(wrapped).decode("ascii"),
        "sealed": base64.b64encode(nonce + cipher.encrypt(nonce, _packed(passed), bound)).decode(),
    }
    return json.dumps(members, separators=(",", ":"))


def peek(text: str) -> Envelope | None:
    """The envelope, None for an event without one; MalformedRecording for what is neither."""
    if len(text) > MAX_EVENT:
        raise MalformedRecording("A recorded event is too long.")
    try:
        members = json.loads(text)
        if not isinstance(members, dict) or members["v"] != VERSION:
            return None
        wrapped, sealed = _decoded(members["key"]), _decoded(members["sealed"])
        if not 1 <= len(wrapped) <= MAX_WRAPPED or len(sealed) < NONCE_BYTES + TAG_BYTES:
            raise MalformedRecording("A recorded event has no key.")
        return Envelope(Side(members["side"]), int(members["gen"]), wrapped, sealed)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise MalformedRecording("A recorded event cannot be read.") from None


def _decoded(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError from None


def _bound(session: str, side: Side, generation: int, wrapped: bytes) -> bytes:
    return label("recorded", session, side.value, str(generation)) + wrapped


def _packed(passed: Passed) -> bytes:
    """Note and mark, each behind its length, then the frames: base64 once, not twice."""
    texts = [passed.note[:MAX_NOTE].encode(), passed.mark[:MAX_MARK].encode()]
    head = b"".join(len(text).to_bytes(_LENGTH, "big") + text for text in texts)
    frames = (len(each).to_bytes(_FRAME_LENGTH, "big") + each for each in passed.frames)
    return head + b"".join(frames)


def _unpacked(plain: bytes, side: Side, generation: int) -> Passed:
    note, rest = _text(plain)
    mark, rest = _text(rest)
    frames = tuple(_frames(rest))
    return Passed(side=side, generation=generation, frames=frames, note=note, mark=mark)


def _text(plain: bytes) -> tuple[str, bytes]:
    end = _LENGTH + int.from_bytes(plain[:_LENGTH], "big")
    if len(plain) < end:
        raise MalformedRecording("A recorded event is cut short.")
    return plain[_LENGTH:end].decode("utf-8", "replace"), plain[end:]


def _frames(plain: bytes) -> Iterator[bytes]:
    at = count = 0
    while at < len(plain):
        size = int.from_bytes(plain[at : at + _FRAME_LENGTH], "big")
        at, count = at + _FRAME_LENGTH, count + 1
        if size > MAX_PAYLOAD + PAYLOAD_OFFSET or at + size > len(plain) or count > MAX_FRAMES:
            raise MalformedRecording("A recorded event is cut short.")
        yield plain[at : at + size]
        at += size
