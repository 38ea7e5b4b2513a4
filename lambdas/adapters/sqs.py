"""SQS: second looks at a node that went, as messages that show themselves later, and reviews."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambdas.adapters import aws
from lambdas.ports import Disconnection

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

PATIENCE = aws.Patience(connect=1.0, read=2.0, attempts=3)
#: Seconds that SQS keeps a message back at most.
MAX_DELAY = 900
#: Of the message's form; one of another version is not ours to read.
VERSION = 1


class SqsLater:
    """The port Later; `queue` is the queue's URL."""

    def __init__(self, queue: str, client: SQSClient | None = None) -> None:
        self._queue = queue
        self._client: SQSClient = client or aws.client("sqs", PATIENCE)

    def look_again(self, gone: Disconnection, seconds: int) -> None:
        if not 0 <= seconds <= MAX_DELAY:
            raise ValueError(f"SQS keeps a message back for 0 to {MAX_DELAY} seconds")
        with aws.calling("SQS"):
            self._client.send_message(
                QueueUrl=self._queue, MessageBody=written(gone), DelaySeconds=seconds
            )


class SqsReviews:
    """The port Reviews; `queue` is the URL of the queue that `review` is invoked by."""

    def __init__(self, queue: str, client: SQSClient | None = None) -> None:
        self._queue = queue
        self._client: SQSClient = client or aws.client("sqs", PATIENCE)

    def ask(self, changed: str) -> None:
        with aws.calling("SQS"):
            self._client.send_message(
                QueueUrl=self._queue, MessageBody=json.dumps({"changed": changed})
            )


def written(gone: Disconnection) -> str:
    """A message's body."""
    return json.dumps(
        {
            "v": VERSION,
            "node": gone.node_id,
            "presenceSession": gone.presence_session,
            "presenceVersion": gone.presence_version,
        }
    )


def read(body: str) -> Disconnection:
    """What `written` wrote; ValueError for anything else."""
    found = json.loads(body)
    if not isinstance(found, dict) or found.get("v") != VERSION:
        raise ValueError("not a message of this version")
    node, session = found.get("node"), found.get("presenceSession")
    version = found.get("presenceVersion")
    if not (isinstance(node, str) and isinstance(session, str) and isinstance(version, int)):
        raise ValueError("the message does not name a disconnection")
    return Disconnection(node_id=node, presence_session=session, presence_version=version)
