"""Opens what `sealing` sealed: the log of what passed, as if it stood there in clear.

A data key is asked for once in this instance's life: each instance that records has one for an
hour, so that reading costs a call now and then, and never one for an event.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from hatchway.core.envelope import Envelope, peek
from hatchway.core.errors import MalformedRecording
from hatchway.core.keys import record_key
from hatchway.core.recording import dump
from hatchway.core.sealing import Cipher
from lambdas.ports import PassedLog, PassedPage, Unwrapper
from lambdas.recent import keep

MakeCipher = Callable[[bytes], Cipher]
#: Data keys kept, those among them that are none; and ciphers, one for each key and session.
MAX_KEYS, MAX_CIPHERS = 1024, 1024


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """The port PassedLog over another one. What cannot be opened stays as it is: who reads it
    counts it as malformed. Events from before there were envelopes stay as they are, too.

    Where the key cannot be used now, nothing is given: errors are the unwrapper's.
    """

    log: PassedLog
    unwrapper: Unwrapper
    make: MakeCipher
    _keys: OrderedDict[bytes, bytes] = field(default_factory=OrderedDict)
    _ciphers: OrderedDict[tuple[bytes, str], Cipher] = field(default_factory=OrderedDict)

    def read(self, session_id: str, since: int, next_token: str = "") -> PassedPage:
        page = self.log.read(session_id, since, next_token)
        events = [(at, self._opened(session_id, text)) for at, text in page.events]
        return PassedPage(events=events, next_token=page.next_token)

    def _opened(self, session: str, text: str) -> str:
        try:
            envelope = peek(text)
            if envelope is None:
                return text
            return dump(envelope.open(self._cipher(envelope, session), session))
        except MalformedRecording:
            return text

    def _cipher(self, envelope: Envelope, session: str) -> Cipher:
        place = (envelope.wrapped, session)
        cipher = self._ciphers.get(place)
        if cipher is None:
            cipher = self.make(record_key(self._key(envelope.wrapped), session=session))
        return keep(self._ciphers, place, cipher, MAX_CIPHERS)

    def _key(self, wrapped: bytes) -> bytes:
        """MalformedRecording for what is none, also when it is asked for again."""
        key = self._keys.get(wrapped)
        if key is None:
            try:
                key = self.unwrapper.unwrap(wrapped)
            except MalformedRecording:
                key = b""
        if not keep(self._keys, wrapped, key, MAX_KEYS):
            raise MalformedRecording("A recorded event has a key that is none of ours.")
        return key
