"""A client of the stream API written from the documents: websockets, struct, hashlib, json, base64.

It speaks the original protocol without extensions and shares no code with Hatchway, so that what
it gets done is what anybody can do who reads docs/protocol.md.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import struct
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

# HeaderLength, MessageType, SchemaVersion, CreatedDate, SequenceNumber, Flags, MessageId,
# PayloadDigest, PayloadType, PayloadLength; big-endian, the payload follows.
HEADER = struct.Struct(">I32sIQqQ16s32sII")
OUTPUT, ERROR, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE = 1, 2, 3, 5, 6, 7
STANDARD_ERROR, EXIT = 11, 12
SYN_AND_FIN = 3
#: Bytes in one message, as the original has it.
CHUNK = 1024
#: Seconds after which an unacknowledged message is sent again, and until a step must be done.
RESEND, PATIENCE = 1.0, 20.0


@dataclass(frozen=True, slots=True)
class Message:
    """The fields of one AgentMessage that mean anything to a client."""

    kind: str
    sequence: int
    message_id: uuid.UUID
    payload_type: int
    payload: bytes


def pack(kind: str, sequence: int, payload: bytes, payload_type: int = 0, flags: int = 0) -> str:
    """One line of text: a message, as base64."""
    identity = uuid.uuid4().bytes
    header = HEADER.pack(
        116,
        kind.encode().ljust(32),
        1,
        int(time.time() * 1000),
        sequence,
        flags,
        identity[8:] + identity[:8],
        hashlib.sha256(payload).digest(),
        payload_type,
        len(payload),
    )
    return base64.b64encode(header + payload).decode()


def parse(line: str) -> Message:
    """A message from its line; AssertionError where a field is not as the table says."""
    data = base64.b64decode(line, validate=True)
    length, kind, version, created, sequence, _, identity, digest, payload_type, size = (
        HEADER.unpack_from(data)
    )
    payload = data[HEADER.size :]
    assert (length, version, size) == (116, 1, len(payload))
    assert created > 0
    assert digest == hashlib.sha256(payload).digest()
    message_id = uuid.UUID(bytes=identity[8:] + identity[:8])
    return Message(kind.decode().strip(" \0"), sequence, message_id, payload_type, payload)


def open_socket(url: str, ca_bundle: Path, *protocols: str) -> ClientConnection:
    """A WebSocket that offers these subprotocols; InvalidStatus where it is refused."""
    return connect(
        url,
        ssl=ssl.create_default_context(cafile=ca_bundle),
        subprotocols=[Subprotocol(protocol) for protocol in protocols] or None,
        compression=None,
        open_timeout=PATIENCE,
        close_timeout=1,
        ping_interval=None,
        proxy=None,
        legacy=True,  # it outlives a with block: tests move from one to the next
    )


@dataclass(slots=True)
class BareClient:
    """One session's stream, over one socket after the other."""

    socket: ClientConnection
    handshakes: list[int] = field(default_factory=list)
    output: bytearray = field(default_factory=bytearray)
    standard_error: bytearray = field(default_factory=bytearray)
    answers: list[dict[str, object]] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    exit_code: str = ""
    closed: dict[str, object] | None = None
    largest: int = 0
    lost: bool = False
    _sequence: int = 0
    _expected: int = 0
    _early: dict[int, Message] = field(default_factory=dict)
    _unacknowledged: dict[int, tuple[float, str]] = field(default_factory=dict)

    # --- what a person does ---------------------------------------------------------------------

    @property
    def unacknowledged(self) -> int:
        """How many messages are on their way."""
        return len(self._unacknowledged)

    def type(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        for at in range(0, len(data), CHUNK):
            self.send(data[at : at + CHUNK], OUTPUT)

    def greet(self) -> None:
        """Waits for the handshake: nothing typed before it is taken."""
        self.until(lambda: HANDSHAKE_COMPLETE in self.handshakes)

    def resize(self, columns: int, rows: int) -> None:
        self.send(json.dumps({"cols": columns, "rows": rows}).encode(), SIZE)

    def ask(self, action: str, **members: str) -> dict[str, object]:
        """The answer to one JSON route."""
        request_id = uuid.uuid4().hex
        self.socket.send(json.dumps({"action": action, "RequestId": request_id, **members}))
        self.until(lambda: any(a.get("RequestId") == request_id for a in self.answers))
        return next(a for a in self.answers if a.get("RequestId") == request_id)

    def run(self, command: str, end: str) -> str:
        """Types a line and reads until `end` has come after it; what came."""
        at = len(self.output)
        self.type(command + "\r")
        self.until(lambda: end.encode() in self.output[at:])
        return self.output[at:].decode(errors="replace")

    def move_to(self, socket: ClientConnection) -> None:
        """Goes on over another connection: what was not acknowledged is sent again."""
        self.socket, self.lost = socket, False
        self._unacknowledged = {n: (0.0, text) for n, (_, text) in self._unacknowledged.items()}

    # --- the protocol ---------------------------------------------------------------------------

    def send(self, payload: bytes, payload_type: int) -> None:
        line = pack("input_stream_data", self._sequence, payload, payload_type)
        self._unacknowledged[self._sequence] = (time.monotonic(), line)
        self._sequence += 1
        self.socket.send(line)

    def until(self, done: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Reads, acknowledges and resends until `done`."""
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds} s; {self.output[-400:]!r}"
            assert not self.lost, f"the connection ended; {self.output[-400:]!r}"
            self._step()

    def _step(self) -> None:
        now = time.monotonic()
        try:
            for number, (at, line) in list(self._unacknowledged.items()):
                if now - at >= RESEND:
                    self._unacknowledged[number] = (now, line)
                    self.socket.send(line)
            self._read(self.socket.recv(timeout=0.2))
        except TimeoutError:
            return
        except ConnectionClosed:
            self.lost = True

    def _read(self, text: str | bytes) -> None:
        assert isinstance(text, str), "API Gateway carries text only"
        if text.startswith("{"):
            self.answers.append(json.loads(text))
            return
        for line in text.splitlines():
            self._take(parse(line))

    def _take(self, message: Message) -> None:
        if message.kind == "acknowledge":
            number = json.loads(message.payload)["AcknowledgedMessageSequenceNumber"]
            self._unacknowledged.pop(number, None)
            self.acknowledged.add(number)
        elif message.kind == "channel_closed":
            self.closed = json.loads(message.payload)
        elif message.kind == "output_stream_data":
            self._acknowledge(message)
            if message.sequence >= self._expected:
                self._early[message.sequence] = message
            while (turn := self._early.pop(self._expected, None)) is not None:
                self._expected += 1
                self._use(turn)

    def _acknowledge(self, message: Message) -> None:
        payload = {
            "AcknowledgedMessageType": message.kind,
            "AcknowledgedMessageId": str(message.message_id),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        self.socket.send(pack("acknowledge", 0, json.dumps(payload).encode(), 0, SYN_AND_FIN))

    def _use(self, message: Message) -> None:
        if message.payload_type == HANDSHAKE_REQUEST:
            self.send(_response(json.loads(message.payload)), HANDSHAKE_RESPONSE)
        if message.payload_type in (HANDSHAKE_REQUEST, HANDSHAKE_COMPLETE):
            self.handshakes.append(message.payload_type)
        elif message.payload_type == EXIT:
            self.exit_code = message.payload.decode()
        elif message.payload_type == STANDARD_ERROR:
            self.standard_error += message.payload
        else:
            assert message.payload_type in (OUTPUT, ERROR), "not a payload of the original protocol"
            self.largest = max(self.largest, len(message.payload))
            self.output += message.payload


def _response(request: dict[str, list[dict[str, str]]]) -> bytes:
    """What the original client answers: an action that it does not know keeps its status of 0."""
    processed: list[dict[str, object]] = [
        {"ActionType": kind, "ActionStatus": 1, "ActionResult": None, "Error": ""}
        if (kind := action["ActionType"]) == "SessionType"
        else {
            "ActionType": kind,
            "ActionStatus": 0,
            "ActionResult": "Unsupported",
            "Error": f"Unsupported action {kind}",
        }
        for action in request["RequestedClientActions"]
    ]
    answer = {"ClientVersion": "1.2.0.0", "ProcessedClientActions": processed, "Errors": None}
    return json.dumps(answer).encode()
