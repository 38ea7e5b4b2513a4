"""Calls of the audit trail, as `hatchway audit` shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One call; `record` is all that is known of it, in CloudTrail's format."""

    event_id: str
    name: str
    time: datetime
    record: Mapping[str, Any]

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> AuditEvent:
        time = members["EventTime"]
        moment = time if isinstance(time, datetime) else datetime.fromtimestamp(float(time), UTC)
        return cls(
            event_id=str(members["EventId"]),
            name=str(members["EventName"]),
            time=moment,
            record=json.loads(members["Record"]),
        )

    @property
    def who(self) -> str:
        """The end of the caller's ARN, or else the user id; "" where nobody was known."""
        identity = self._part("userIdentity")
        arn = str(identity.get("arn", ""))
        return arn.rpartition(":")[2] or str(identity.get("principalId", ""))

    @property
    def about(self) -> str:
        """The session, or else the node, that it was about."""
        asked, answered = self._part("requestParameters"), self._part("responseElements")
        found = (
            answered.get("sessionId"),
            asked.get("sessionId"),
            asked.get("target"),
            asked.get("nodeId"),
        )
        return next((str(each) for each in found if each), "")

    @property
    def outcome(self) -> str:
        """The code of the refusal, and who refused if it was not the service; or "allowed"."""
        code = str(self.record.get("errorCode", ""))
        if not code:
            return "allowed"
        gateway = self._part("additionalEventData").get("recordedBy") == "gateway"
        return f"{code} (gateway)" if gateway else code

    @property
    def source_ip(self) -> str:
        return str(self.record.get("sourceIPAddress", ""))

    def _part(self, name: str) -> Mapping[str, Any]:
        value = self.record.get(name)
        return value if isinstance(value, Mapping) else {}
