"""`$default`: a client's frames, checked and sealed for the node. It reads no table.

Whatever cannot be used is dropped and counted; the client's own retransmission does the rest. The
client is told nothing: an answer would be one more thing to trust.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hatchway.core import marks
from hatchway.core.errors import HatchwayError, MalformedMessage
from hatchway.core.keys import seal_key
from hatchway.core.recording import Passed, from_client
from hatchway.core.sealing import MAX_FRAMES, NONCE_BYTES, SEAL_LIFE, Cipher, SealHeader, seal
from hatchway.core.transcript.chunks import Side
from hatchway.core.wire import (
    MAX_TEXT_MESSAGE,
    AgentMessage,
    MessageType,
    from_text,
    parse,
)
from lambdas import stream
from lambdas.logline import Line
from lambdas.ports import Clock, Downlink, Random, Secrets
from lambdas.recent import keep
from lambdas.recording import Recorder
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
#: A packed message, and what it says.
_Frame = tuple[bytes, AgentMessage]


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
            cipher = self.make(key)
        return secret.key_id, keep(self.kept, place, cipher, MAX_CIPHERS)


@dataclass(frozen=True, slots=True)
class Relay:
    """Client messages to the node."""

    secrets: Secrets
    downlink: Downlink
    recorder: Recorder
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
                self._carry(client, frames, line)
        except HatchwayError as error:
            line.count("dropped")
            line.refused(error)
        except Exception as error:  # API Gateway would write "Internal server error" to the client
            line.count("dropped")
            line.failed(error)
        return {"statusCode": 200}

    def _carry(self, client: Attached, frames: list[_Frame], line: Line) -> None:
        self.recorder.carry(
            client.session_id,
            client.terms,
            Passed(
                side=Side.CLIENT,
                generation=client.generation,
                frames=from_client(frames, typed=client.terms.typed),
            ),
            lambda: self._publish(client, frames),
            line,
        )

    def _publish(self, client: Attached, frames: list[_Frame]) -> None:
        key_id, cipher = self.ciphers.of(self.secrets, client.node, client.session_id)
        header = SealHeader(
            key_id=key_id,
            generation=client.generation,
            expires=int(self.clock()) + SEAL_LIFE,
        )
        sealed = seal(
            cipher,
            header,
            [packed for packed, _ in frames],
            node=client.node,
            session=client.session_id,
            nonce=self.random(NONCE_BYTES),
            mark=self._mark(client, [message for _, message in frames]),
        )
        self.downlink.data(client.node, client.session_id, sealed)

    def _mark(self, client: Attached, messages: list[AgentMessage]) -> bytes:
        """What shows that a person did something; nothing for what a client does by itself."""
        done = marks.typed(messages)
        if done is None:
            return b""
        secret = self.secrets.current()
        return marks.make(
            marks.of(done, secret.key_id, client.generation, self.clock()),
            secret.value,
            node=client.node,
            session=client.session_id,
            direction=marks.INPUT,
        )


def _frames(event: Mapping[str, object]) -> list[_Frame]:
    """The packed messages to pass on; none for the greeting that original clients send first."""
    body = event.get("body")
    if not isinstance(body, str) or event.get("isBase64Encoded"):
        raise MalformedMessage("The message is not text.")
    if len(body) > MAX_TEXT_MESSAGE:
        raise MalformedMessage("A text message is at most 128 KB.")
    if body.lstrip()[:1] == "{":
        _greeting(body)
        return []
    packed = from_text(body)
    if not 1 <= len(packed) <= MAX_FRAMES:
        raise MalformedMessage(f"A message carries 1 to {MAX_FRAMES} frames.")
    frames = [(each, parse(each)) for each in packed]
    if any(message.message_type not in CLIENT_TYPES for _, message in frames):
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
