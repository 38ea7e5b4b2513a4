"""Seals what is recorded, with a key of this instance's own that it cannot take out again.

What wraps the key is public: whoever gets into a function that records, reads nothing that any
instance has stored before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from hatchway.core import envelope
from hatchway.core.keys import KEY_BYTES, record_key
from hatchway.core.recording import Passed
from hatchway.core.sealing import NONCE_BYTES, Cipher
from lambdas.ports import Clock, Random, Wrapper
from lambdas.recent import keep

MakeCipher = Callable[[bytes], Cipher]
#: Seconds for which a data key is used. Nonces are random: 2^32 events are far from an hour's.
LIFE = 3600.0
#: Sessions whose ciphers are kept.
MAX_CIPHERS = 256


@dataclass(slots=True)
class Sealing:
    """Gives the text of a log event. The key is made, and wrapped, with the first of them."""

    wrapper: Wrapper
    make: MakeCipher
    clock: Clock
    random: Random
    _key: bytes = b""
    _wrapped: bytes = b""
    _made: float = 0.0
    _ciphers: OrderedDict[str, Cipher] = field(default_factory=OrderedDict)

    def __call__(self, session: str, passed: Passed) -> str:
        """Errors are the wrapper's; then nothing is stored, sealed or not."""
        self._renew()
        return envelope.close(
            passed,
            self._cipher(session),
            session=session,
            wrapped=self._wrapped,
            nonce=self.random(NONCE_BYTES),
        )

    def _renew(self) -> None:
        now = self.clock()
        if self._wrapped and now - self._made < LIFE:
            return
        key = self.random(KEY_BYTES)
        wrapped = self.wrapper.wrap(key)
        self._key, self._wrapped, self._made = key, wrapped, now
        self._ciphers.clear()

    def _cipher(self, session: str) -> Cipher:
        cipher = self._ciphers.get(session)
        if cipher is None:
            cipher = self.make(record_key(self._key, session=session))
        return keep(self._ciphers, session, cipher, MAX_CIPHERS)
