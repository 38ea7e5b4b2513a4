"""AgentMessages for the families' tests."""

from __future__ import annotations

from uuid import UUID

from hatchway.core.wire import AgentMessage, MessageType, PayloadType, pack


def frame(kind: MessageType, payload: bytes = b"x", sequence: int = 0) -> bytes:
    return pack(
        AgentMessage(
            message_type=kind,
            sequence=sequence,
            message_id=UUID(int=sequence + 1),
            created=1_800_000_000_000,
            payload=payload,
            payload_type=PayloadType.OUTPUT,
        )
    )
