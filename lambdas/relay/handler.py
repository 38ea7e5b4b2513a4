"""`$default`: a client's frames, checked and sealed for the node. It reads no table.

Whatever cannot be used is dropped and counted; the client's own retransmission does the rest. The
client is told nothing: an answer would be one more thing to trust.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hatchway.core.errors import HatchwayError, MalformedMessage
from hatchway.core.keys import seal_key
from hatchway.core.sealing import MAX_FRAMES, NONCE_BYTES, SEAL_LIFE, Cipher, SealHeader, seal
from hatchway.core.wire import MAX_TEXT_MESSAGE, MessageType, from_text, parse
from lambdas import stream
from lambdas.logline import Line
from lambdas.ports import Clock, Downlink, Random, Secrets
from lambdas.relay.pace import Pace
from lambdas.stream import Attached

#: What a client may send; the other types are the agent's or the service's own.
CLIENT_TYPES = frozenset(
    {
        MessageType.INPUT,
        MessageType.ACKNOWLEDGE,
        MessageType.START_PUBLICATION,
        MessageType.PAUSE_PUBLICATION,
    }
)
#: Ciphers kept; a function instance serves one message at a time, and a session sends many.
MAX_CIPHERS = 256

MakeCipher = Callable[[bytes], Cipher]


@dataclass(frozen=True, slots=True)
class Ciphers:
    """The ciphers of the sessions seen last, by key id, node and session."""

    make: MakeCipher
    kept: OrderedDict[tuple[str, str, str], Cipher] = field(default_factory=OrderedDict)

    def of(self, secrets: Secrets, node: str, session: str) -> tuple[str, Cipher]:
        """The current key id, and the session's cipher with the key derived from it."""
        secret = secrets.current()
        place = (secret.key_id, node, session)
        cipher = self.kept.get(place)
        if cipher is None:
            key = seal_key(secret.value, key_id=secret.key_id, node=node, session=session)
            cipher = self.kept[place] = self.make(key)
            if len(self.kept) > MAX_CIPHERS:
                self.kept.popitem(last=False)
        self.kept.move_to_end(place)
        return secret.key_id, cipher


@dataclass(frozen=True, slots=True)
class Relay:
    """Client messages to the node."""

    secrets: Secrets
    downlink: Downlink
    ciphers: Ciphers
    pace: Pace
    clock: Clock
    random: Random

    def handle(self, event: Mapping[str, object], line: Line) -> dict[str, object]:
        """Publishes one message, or drops it; the answer is always the same."""
        try:
            client = stream.attached(event)
            line.note(session=client.session_id, generation=client.generation)
            self.pace.spend(client.connection)
            frames = _frames(event)
            line.note(frames=len(frames))
            if frames:
                self._publish(client, frames)
        except HatchwayError as error:
            line.count("dropped")
            line.refused(error)
        except Exception as error:  # API Gateway would write "Internal server error" to the client
            line.count("dropped")
            line.failed(error)
        return {"statusCode": 200}

    def _publish(self, client: Attached, frames: list[bytes]) -> None:
        key_id, cipher = self.ciphers.of(self.secrets, client.node, client.session_id)
        header = SealHeader(
            key_id=key_id,
            generation=client.generation,
            expires=int(self.clock()) + SEAL_LIFE,
        )
        sealed = seal(
            cipher,
            header,
            frames,
            node=client.node,
            session=client.session_id,
            nonce=self.random(NONCE_BYTES),
        )
        self.downlink.data(client.node, client.session_id, sealed)


def _frames(event: Mapping[str, object]) -> list[bytes]:
    """The packed messages to pass on; none for the greeting that original clients send first."""
    body = event.get("body")
    if not isinstance(body, str) or event.get("isBase64Encoded"):
        raise MalformedMessage("The message is not text.")
    if len(body) > MAX_TEXT_MESSAGE:
        raise MalformedMessage("A text message is at most 128 KB.")
    if body.lstrip()[:1] == "{":
        _greeting(body)
        return []
    frames = from_text(body)
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise MalformedMessage(f"A message carries 1 to {MAX_FRAMES} frames.")
    for frame in frames:
        if parse(frame).message_type not in CLIENT_TYPES:
            raise MalformedMessage("A client does not send this type of message.")
    return frames


def _greeting(body: str) -> None:
    """Accepts OpenDataChannelInput: here the token has been used when the connection was made."""
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedMessage("The message is neither JSON nor frames.") from None
    if "MessageSchemaVersion" not in members or "TokenValue" not in members:
        raise MalformedMessage("There is no such route.")
