"""The JSON payloads of AgentMessages: what each message type carries, built and packed.

Source: message/messageparser.go and contracts of aws/amazon-ssm-agent.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from hatchway.core.wire import SCHEMA_VERSION, AgentMessage, MessageType, pack

#: Characters of the text that a closed channel shows.
MAX_OUTPUT = 512


def channel_closed(session_id: str, output: str, created_ms: int, message_id: UUID) -> bytes:
    """The service's last word to a client, packed; `output` says why, "" for an ordinary end.

    It is outside the sequence, as acknowledgements are. Control characters, which a terminal would
    obey, are taken out of `output`.
    """
    created = datetime.fromtimestamp(created_ms / 1000, UTC)
    payload = {
        "MessageId": str(message_id),
        "CreatedDate": created.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "DestinationId": session_id,
        "SessionId": session_id,
        "MessageType": MessageType.CHANNEL_CLOSED.value,
        "SchemaVersion": SCHEMA_VERSION,
        "Output": "".join(c for c in output if c.isprintable())[:MAX_OUTPUT],
    }
    return pack(
        AgentMessage(
            message_type=MessageType.CHANNEL_CLOSED,
            sequence=0,
            message_id=message_id,
            created=created_ms,
            payload=json.dumps(payload, separators=(",", ":")).encode(),
        )
    )
