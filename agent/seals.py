"""Opens sealed data messages of one session, and says why it will not take one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from agent.clock import ServiceClock
from agent.ports import CipherOf
from hatchway.core.errors import SealBroken
from hatchway.core.sealing import Cipher, Sealed, peek, unseal

#: Nonces remembered: IoT Core delivers at most 100 messages/s, and none lives longer than 30 s.
MAX_NONCES = 4096
#: Keys of rotated secrets that are still taken.
MAX_KEYS = 2


class Refusal(StrEnum):
    """Why a message was not taken: the kinds that are reported."""

    FORGED = "forged"
    EXPIRED = "expired"
    REPLAYED = "replayed"
    OLDER = "olderGeneration"
    UNKNOWN_KEY = "unknownKey"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class Refused:
    why: Refusal


class Opener:
    """The keys of one session, and the nonces it has seen."""

    def __init__(self, node: str, session: str, clock: ServiceClock, cipher_of: CipherOf) -> None:
        self._node, self._session, self._clock = node, session, clock
        self._cipher_of = cipher_of
        self._ciphers: dict[str, Cipher] = {}
        self._seen: set[bytes] = set()
        self._order: deque[tuple[float, bytes]] = deque()

    def add_key(self, key_id: str, key: bytes) -> None:
        """The service's current key; an older one stays for what is on its way."""
        if key_id in self._ciphers:
            return
        self._ciphers[key_id] = self._cipher_of(key)
        while len(self._ciphers) > MAX_KEYS:
            del self._ciphers[next(iter(self._ciphers))]

    def open(self, data: bytes, generation: int) -> Sealed | Refused:
        """The message, authentic, fresh and of `generation` or a later one; or why not."""
        try:
            header = peek(data)
        except SealBroken:
            return Refused(Refusal.FORGED)
        if (cipher := self._ciphers.get(header.key_id)) is None:
            return Refused(Refusal.UNKNOWN_KEY)
        now = self._clock.unix()
        if now >= header.expires:
            return Refused(Refusal.EXPIRED)
        try:
            sealed = unseal(cipher, data, node=self._node, session=self._session, now=now)
        except SealBroken:
            return Refused(Refusal.FORGED)
        return self._fresh(sealed, generation, now)

    def _fresh(self, sealed: Sealed, generation: int, now: float) -> Sealed | Refused:
        if sealed.nonce in self._seen:
            return Refused(Refusal.REPLAYED)
        if sealed.header.generation < generation:
            return Refused(Refusal.OLDER)
        self._forget(now)
        if len(self._seen) >= MAX_NONCES:
            return Refused(Refusal.FLOOD)
        self._seen.add(sealed.nonce)
        self._order.append((sealed.header.expires, sealed.nonce))
        return sealed

    def _forget(self, now: float) -> None:
        """Expired messages are refused as such: their nonces need no memory."""
        while self._order and self._order[0][0] <= now:
            self._seen.discard(self._order.popleft()[1])
