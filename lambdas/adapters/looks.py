"""SQS: which sessions the archive looks at, from itself, from ends and from failed recordings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from lambdas.adapters import aws
from lambdas.ports import Look, Why

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

PATIENCE = aws.Patience(connect=1.0, read=3.0, attempts=3)
#: Seconds that SQS keeps a message back at most.
MAX_DELAY = 900
#: Of the message's form.
VERSION = 1


class SqsLooks:
    """The port Looks; `queue` is the queue's URL."""

    def __init__(self, queue: str, client: SQSClient | None = None) -> None:
        self._queue = queue
        self._given = client

    @cached_property
    def _client(self) -> SQSClient:
        """Made where it is needed: not while an agent waits for a session to open."""
        client: SQSClient = self._given or aws.client("sqs", PATIENCE)
        return client

    def ask(self, looks: Sequence[Look], seconds: int = 0) -> None:
        if not 0 <= seconds <= MAX_DELAY:
            raise ValueError(f"SQS keeps a message back for 0 to {MAX_DELAY} seconds")
        for look in looks:
            with aws.calling("SQS"):
                self._client.send_message(
                    QueueUrl=self._queue, MessageBody=written(look), DelaySeconds=seconds
                )

    def again(self, receipt: str, seconds: int) -> None:
        with aws.calling("SQS"):
            self._client.change_message_visibility(
                QueueUrl=self._queue, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )


def written(look: Look) -> str:
    """A message's body."""
    return json.dumps(
        {"v": VERSION, "why": look.why.value, "session": look.session_id}, separators=(",", ":")
    )


def read(body: str) -> Look:
    """What `written` wrote, or `recordings.trouble`, or EventBridge; ValueError for others."""
    found = json.loads(body)
    if not isinstance(found, dict) or found.get("v") != VERSION:
        raise ValueError("not a message of this version")
    session = found.get("session")
    if not isinstance(session, str) or not session:
        raise ValueError("the message names no session")
    return Look(session_id=session, why=Why(str(found.get("why"))))
