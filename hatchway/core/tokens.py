"""One-time stream tokens: 256 random bits as text, and the digest that is all the service keeps."""

from __future__ import annotations

import base64
import hashlib
import re

TOKEN_BYTES = 32
TOKEN_SECONDS = 60
#: A spare is given out on an open connection, for the next one. Clients ask for another at half of
#: its life at the latest, so that it outlasts the 20 minutes for which they try to come back.
SPARE_SECONDS = 40 * 60

# 43 characters of base64url carry 258 bits: the last one has two bits that are zero.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")


def new_token(random: bytes) -> str:
    """A token from `random` (32 bytes): base64url without padding, fit for a header."""
    if len(random) != TOKEN_BYTES:
        raise ValueError(f"a token takes {TOKEN_BYTES} random bytes")
    return base64.urlsafe_b64encode(random).rstrip(b"=").decode()


def is_token(text: str) -> bool:
    """Whether `text` could be a token at all."""
    return _TOKEN.match(text) is not None


def token_digest(token: str) -> str:
    """What is stored and looked up in a token's place: SHA-256 of its text, hexadecimal."""
    return hashlib.sha256(token.encode("ascii", "replace")).hexdigest()
