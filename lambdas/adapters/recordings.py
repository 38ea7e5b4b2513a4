"""CloudWatch Logs: the log group of what passed, and SQS: word that it could not be stored.

Without the SDK, like all that every message waits for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

from hatchway.core.errors import InternalServerError, PayloadTooLarge
from hatchway.core.recording import MAX_EVENT
from lambdas.adapters.calls import Expected, Patience
from lambdas.adapters.signed import Service, Signed

LOGS = Service("CloudWatch Logs", "logs", "logs", "CLOUDWATCH_LOGS")
QUEUES = Service("SQS", "sqs", "sqs", "SQS")
#: Two short attempts: what is carried beside the recording waits for it no longer.
PATIENCE = Patience(connect=1.0, read=1.5, attempts=2)
_TARGET = "Logs_20140328."


class _Exists(InternalServerError):
    """The stream is there already."""


class _Absent(InternalServerError):
    """There is no such stream or log group."""


_ABSENT: Expected = {"ResourceNotFoundException": _Absent}


class Calls(Protocol):
    """As much of `Signed` as is used here."""

    def json(
        self, target: str, members: Mapping[str, object], expected: Expected
    ) -> Mapping[str, object]: ...


class LogRecordings:
    """The port Recordings, over one log group."""

    def __init__(self, group: str, calls: Calls | None = None) -> None:
        self._group = group
        self._calls = calls or Signed(LOGS, PATIENCE)

    def begin(self, session_id: str) -> None:
        names = {"logGroupName": self._group, "logStreamName": session_id}
        try:
            self._calls.json(
                f"{_TARGET}CreateLogStream", names, {"ResourceAlreadyExistsException": _Exists}
            )
        except _Exists:
            return

    def append(self, session_id: str, event: str, at: int) -> None:
        if len(event) > MAX_EVENT:
            raise PayloadTooLarge()
        try:
            self._put(session_id, event, at)
        except _Absent:  # it could not be made when the session began
            self.begin(session_id)
            self._put(session_id, event, at)

    def _put(self, session_id: str, event: str, at: int) -> None:
        put = {
            "logGroupName": self._group,
            "logStreamName": session_id,
            "logEvents": [{"timestamp": at, "message": event}],
        }
        answer = self._calls.json(f"{_TARGET}PutLogEvents", put, _ABSENT)
        if answer.get("rejectedLogEventsInfo"):  # its time is off by hours
            raise InternalServerError("CloudWatch Logs refused an event of the service.")


class QueuedTroubles:
    """The port Troubles; `queue` is the URL of the archive's queue."""

    def __init__(self, queue: str, calls: Signed | None = None) -> None:
        self._queue = queue
        self._calls = calls or Signed(QUEUES, PATIENCE)

    def tell(self, session_id: str) -> None:
        body = json.dumps(
            {"QueueUrl": self._queue, "MessageBody": trouble(session_id)}, separators=(",", ":")
        )
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": "AmazonSQS.SendMessage",
        }
        self._calls.call("POST", "/", body.encode(), headers=headers)


def trouble(session_id: str) -> str:
    """The message's body: `lambdas/adapters/looks.py` reads it."""
    return json.dumps({"v": 1, "why": "failed", "session": session_id}, separators=(",", ":"))
