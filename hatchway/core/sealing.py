"""Sealed messages down to the node: AES-256-GCM, bound to session, generation and expiry.

Whoever may publish to or subscribe to the account's IoT topics can neither make, read, change,
replay to another session nor revive one of these. The cipher comes through a port.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hatchway.core.errors import MalformedMessage, SealBroken
from hatchway.core.keys import label
from hatchway.core.wire import MAX_PAYLOAD, PAYLOAD_OFFSET

#: 2: a mark of activity, or nothing, stands before the frames.
VERSION = 2
KEY_ID_BYTES = 8
NONCE_BYTES = 12
TAG_BYTES = 16
#: Seconds after which a sealed message is not taken any more.
SEAL_LIFE = 30
#: IoT Core takes 128 KB.
MAX_SEALED = 128 * 1024
#: Frames in one sealed message.
MAX_FRAMES = 256
#: Bytes of a mark beside the frames; its length takes one.
MAX_MARK = 255

# version, key id, generation, expiry (unix seconds)
_HEADER = struct.Struct(">B8sII")


class Cipher(Protocol):
    """AES-GCM with one key, as `cryptography`'s AESGCM has it: the tag is the last 16 bytes."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class SealHeader:
    """What stands in clear before the ciphertext, and is authenticated with it."""

    key_id: str
    generation: int
    expires: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """An opened message: the packed AgentMessages it carried, its nonce (for replay checks), and
    the mark of activity (`marks.py`) that the service put beside them, b"" for none."""

    header: SealHeader
    nonce: bytes
    frames: tuple[bytes, ...]
    mark: bytes = b""


def seal(
    cipher: Cipher,
    header: SealHeader,
    frames: Sequence[bytes],
    *,
    node: str,
    session: str,
    nonce: bytes,
    mark: bytes = b"",
) -> bytes:
    """The sealed bytes of `frames` for one node and session; `nonce` is 12 bytes, used once."""
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes")
    if len(frames) > MAX_FRAMES:
        raise MalformedMessage(f"A message carries at most {MAX_FRAMES} frames.")
    if len(mark) > MAX_MARK:
        raise MalformedMessage(f"A mark is at most {MAX_MARK} bytes.")
    head = _pack(header)
    plain = bytes([len(mark)]) + mark
    plain += b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
    sealed = head + nonce + cipher.encrypt(nonce, plain, _bound(head, node, session))
    if len(sealed) > MAX_SEALED:
        raise MalformedMessage(f"A sealed message is at most {MAX_SEALED} bytes.")
    return sealed


def peek(data: bytes) -> SealHeader:
    """The clear header, to choose key and generation; not trusted before `unseal`."""
    if not _HEADER.size + NONCE_BYTES + TAG_BYTES <= len(data) <= MAX_SEALED:
        raise SealBroken("The sealed message has a wrong size.")
    version, key_id, generation, expires = _HEADER.unpack_from(data)
    if version != VERSION:
        raise SealBroken("The sealed message has an unknown version.")
    try:
        return SealHeader(key_id.decode("ascii"), generation, expires)
    except UnicodeDecodeError:
        raise SealBroken("The sealed message names no key.") from None


def unseal(cipher: Cipher, data: bytes, *, node: str, session: str, now: float) -> Sealed:
    """The frames in `data`; SealBroken when it is forged, for another session, or expired.

    Generation and nonce are for the caller to compare with what it has seen.
    """
    header = peek(data)
    head, rest = data[: _HEADER.size], data[_HEADER.size :]
    nonce, body = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    try:
        plain = cipher.decrypt(nonce, body, _bound(head, node, session))
    except Exception:  # the cipher's own type is the adapter's; every failure is a refusal
        raise SealBroken("The sealed message is not authentic.") from None
    if now >= header.expires:
        raise SealBroken("The sealed message has expired.")
    if len(plain) < 1 or len(plain) < 1 + plain[0]:
        raise SealBroken("The sealed message is cut short.")
    mark, frames = plain[1 : 1 + plain[0]], plain[1 + plain[0] :]
    return Sealed(header, nonce, tuple(_frames(frames)), mark)


def _pack(header: SealHeader) -> bytes:
    key_id = header.key_id.encode("ascii")
    if len(key_id) != KEY_ID_BYTES:
        raise ValueError(f"a key id has {KEY_ID_BYTES} characters")
    return _HEADER.pack(VERSION, key_id, header.generation, header.expires)


def _bound(head: bytes, node: str, session: str) -> bytes:
    return head + label("down", node, session)


def _frames(plain: bytes) -> list[bytes]:
    frames: list[bytes] = []
    at = 0
    while at < len(plain):
        size = int.from_bytes(plain[at : at + 4], "big")
        at += 4
        if size > MAX_PAYLOAD + PAYLOAD_OFFSET or at + size > len(plain):
            raise SealBroken("The sealed message is cut short.")
        if len(frames) == MAX_FRAMES:
            raise SealBroken(f"A message carries at most {MAX_FRAMES} frames.")
        frames.append(plain[at : at + size])
        at += size
    return frames
