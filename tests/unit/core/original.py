"""The original's client and agent as their sources describe them, for interoperability tests.

1,024-byte payloads, one acknowledgement per message, no window, no repeat of an acknowledgement
for a message seen before (the client), and only the oldest message is ever sent again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from uuid import UUID

from hatchway.core.wire import AgentMessage, MessageType, PayloadType, pack, parse

RESEND_AFTER = 0.3


@dataclass
class OriginalEnd:
    """One end: what it receives in order, what it still has to send, and when."""

    sends: MessageType
    takes: MessageType
    reacknowledges: bool = False
    received: list[tuple[int, bytes]] = field(default_factory=list)
    expected: int = 0
    early: dict[int, AgentMessage] = field(default_factory=dict)
    outgoing: list[bytes] = field(default_factory=list)
    unacknowledged: dict[int, tuple[float, bytes]] = field(default_factory=dict)
    sequence: int = 0
    count: int = 0

    def send(self, payload: bytes, payload_type: int, now: float) -> None:
        frame = self._pack(self.sends, self.sequence, payload, payload_type)
        self.unacknowledged[self.sequence] = (now, frame)
        self.sequence += 1
        self.outgoing.append(frame)

    def type(self, data: bytes, now: float) -> None:
        for at in range(0, len(data), 1024):
            self.send(data[at : at + 1024], PayloadType.OUTPUT, now)

    def take(self, frame: bytes, now: float) -> None:
        message = parse(frame)
        if message.message_type is MessageType.ACKNOWLEDGE:
            number = json.loads(message.payload)["AcknowledgedMessageSequenceNumber"]
            self.unacknowledged.pop(number, None)
            return
        if message.message_type is not self.takes:
            return
        assert len(message.payload) <= 1024 or message.payload_type in (5, 7)
        assert message.payload_type in range(1, 13), "not a payload of the original"
        if message.sequence < self.expected:
            if self.reacknowledges:
                self._acknowledge(message)
            return
        self._acknowledge(message)
        self.early[message.sequence] = message
        while (turn := self.early.pop(self.expected, None)) is not None:
            self.expected += 1
            self.received.append((turn.payload_type, turn.payload))
            self.react(turn, now)

    def react(self, message: AgentMessage, now: float) -> None:
        """What a client answers to the handshake."""
        if message.payload_type != PayloadType.HANDSHAKE_REQUEST:
            return
        actions = json.loads(message.payload)["RequestedClientActions"]
        processed = [
            {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None, "Error": ""}
            if action["ActionType"] == "SessionType"
            else {
                "ActionType": action["ActionType"],
                "ActionStatus": 0,
                "ActionResult": "Unsupported",
                "Error": f"Unsupported action {action['ActionType']}",
            }
            for action in actions
        ]
        answer = {"ClientVersion": "1.2.0.0", "ProcessedClientActions": processed, "Errors": [""]}
        self.send(json.dumps(answer).encode(), PayloadType.HANDSHAKE_RESPONSE, now)

    def resend(self, now: float) -> None:
        """Only the head of the list, as in the original."""
        if not self.unacknowledged:
            return
        number = min(self.unacknowledged)
        at, frame = self.unacknowledged[number]
        if now - at >= RESEND_AFTER:
            self.unacknowledged[number] = (now, frame)
            self.outgoing.append(frame)

    def text(self, *payload_types: int) -> bytes:
        return b"".join(data for kind, data in self.received if kind in (payload_types or (1,)))

    def _acknowledge(self, message: AgentMessage) -> None:
        payload = {
            "AcknowledgedMessageType": message.message_type,
            "AcknowledgedMessageId": str(message.message_id),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        self.outgoing.append(
            self._pack(MessageType.ACKNOWLEDGE, 0, json.dumps(payload).encode(), 0, flags=3)
        )

    def _pack(
        self, kind: MessageType, sequence: int, payload: bytes, payload_type: int, flags: int = 0
    ) -> bytes:
        self.count += 1
        return pack(
            AgentMessage(
                kind,
                sequence,
                UUID(int=self.count),
                1_700_000_000_000,
                payload,
                payload_type,
                flags,
            )
        )


def original_client() -> OriginalEnd:
    return OriginalEnd(MessageType.INPUT, MessageType.OUTPUT)


def original_agent() -> OriginalEnd:
    return OriginalEnd(MessageType.OUTPUT, MessageType.INPUT, reacknowledges=True)
