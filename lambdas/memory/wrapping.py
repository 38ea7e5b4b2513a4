"""The recordings' key in memory, both halves."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from hatchway.core.errors import HatchwayError, MalformedRecording
from lambdas.adapters.wrapping import padding

BITS = 2048


@cache
def _pair() -> RSAPrivateKey:
    """One for all: making one takes long."""
    return generate_private_key(public_exponent=65537, key_size=BITS)


class MemoryWrapping:
    """The ports Wrapper and Unwrapper; `wrapped` and `unwrapped` count. Set `failure` to refuse."""

    def __init__(self) -> None:
        self.wrapped = self.unwrapped = 0
        self.failure: HatchwayError | None = None

    def wrap(self, key: bytes) -> bytes:
        self._fail()
        self.wrapped += 1
        return _pair().public_key().encrypt(key, padding())

    def unwrap(self, wrapped: bytes) -> bytes:
        self._fail()
        self.unwrapped += 1
        try:
            return _pair().decrypt(wrapped, padding())
        except ValueError:
            raise MalformedRecording("The key is wrapped for somebody else.") from None

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
