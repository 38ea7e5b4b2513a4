"""EventBridge: one event for one change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hatchway.core.errors import InternalServerError, ThrottlingException
from lambdas.adapters import aws

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient

PATIENCE = aws.Patience(connect=1.0, read=3.0, attempts=3)
SOURCE = "hatchway"


class EventBridge:
    """The port EventBus; `bus` is a name or ARN."""

    def __init__(self, bus: str, client: EventBridgeClient | None = None) -> None:
        self._bus = bus
        self._client: EventBridgeClient = client or aws.client("events", PATIENCE)

    def put(self, detail_type: str, detail: Mapping[str, object], time: float) -> None:
        with aws.calling("EventBridge"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus,
                        "Source": SOURCE,
                        "DetailType": detail_type,
                        "Detail": json.dumps(detail),
                        "Time": datetime.fromtimestamp(time, UTC),
                    }
                ]
            )
        if answer["FailedEntryCount"]:
            code = answer["Entries"][0].get("ErrorCode", "")
            throttled = code in aws.THROTTLED
            raise (ThrottlingException if throttled else InternalServerError)(
                "EventBridge did not take an event."
            )
