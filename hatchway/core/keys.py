"""Key derivation: HKDF-SHA256 with distinct labels, from the secrets that the service keeps.

Source: RFC 5869. A label names purpose, direction, node, session and key id, each with its length
before it, so that no two labels can be the same bytes.
"""

from __future__ import annotations

import hmac

KEY_BYTES = 32


def hkdf(secret: bytes, label: bytes, length: int = KEY_BYTES) -> bytes:
    """`length` bytes (at most 8,160) derived from `secret` for `label`; RFC 5869, empty salt."""
    if not 0 < length <= 255 * 32:
        raise ValueError("HKDF-SHA256 gives 1 to 8160 bytes")
    pseudorandom = hmac.digest(bytes(32), secret, "sha256")
    output = block = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac.digest(pseudorandom, block + label + bytes([counter]), "sha256")
        output += block
    return output[:length]


def label(*parts: str) -> bytes:
    """The parts, each with its length in bytes before it."""
    encoded = [part.encode() for part in ("hatchway/v1", *parts)]
    return b"".join(len(part).to_bytes(2, "big") + part for part in encoded)


def seal_key(secret: bytes, *, key_id: str, node: str, session: str) -> bytes:
    """The AES-256 key of one session's messages from client to node."""
    return hkdf(secret, label("seal", "down", node, session, key_id))


def ticket_key(secret: bytes, *, key_id: str) -> bytes:
    """The HMAC key of tickets; never given to an agent."""
    return hkdf(secret, label("ticket", "", "", "", key_id))


def mark_key(secret: bytes, *, key_id: str, node: str, session: str, direction: str) -> bytes:
    """The HMAC key of one session's marks (`marks.py`); never given to an agent."""
    return hkdf(secret, label("mark", direction, node, session, key_id))


def record_key(data_key: bytes, *, session: str) -> bytes:
    """The AES-256 key of one session's recorded events, from the key of whoever records it."""
    return hkdf(data_key, label("recorded", session))
