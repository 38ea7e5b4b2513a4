"""AES-256-GCM from `cryptography`, for the core's sealing and the envelopes of recordings."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hatchway.core.keys import KEY_BYTES
from hatchway.core.sealing import Cipher


def cipher(key: bytes) -> Cipher:
    """The cipher of one session's key (32 bytes, `hatchway.core.keys.seal_key`)."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a seal key has {KEY_BYTES} bytes")
    return AESGCM(key)
