"""CloudWatch Logs, SQS and S3 for the audit trail."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hatchway.core.errors import ConflictException, DoesNotExistException, InvalidNextToken
from lambdas.adapters import aws
from lambdas.ports import Kept, TrailPage

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sqs.client import SQSClient

PATIENCE = aws.Patience(connect=1.0, read=5.0, attempts=3)
#: CloudWatch Logs takes so many events and bytes at once, and counts 26 bytes more for each.
#: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MAX_EVENTS = 10_000
MAX_BYTES = 1_000_000
EVENT_OVERHEAD = 26
#: Events looked at in one page of a search.
PAGE = 1000
#: Bytes of one message: SQS takes 256 KB.
MAX_MESSAGE = 200_000
MESSAGES_AT_ONCE = 10


class LogGroup:
    """The port TrailLog. Each warm function writes a log stream of its own."""

    def __init__(self, group: str, client: CloudWatchLogsClient | None = None) -> None:
        self._group = group
        self._client: CloudWatchLogsClient = client or aws.client("logs", PATIENCE)
        self._stream = ""

    def append(self, records: Sequence[Kept]) -> None:
        ordered = sorted(records, key=lambda each: each.time)
        for batch in _batches(ordered, MAX_BYTES, EVENT_OVERHEAD, MAX_EVENTS):
            self._put(batch)

    def _put(self, batch: Sequence[Kept]) -> None:
        stream = self._stream or self._make_stream()
        with aws.calling("CloudWatch Logs"):
            self._client.put_log_events(
                logGroupName=self._group,
                logStreamName=stream,
                logEvents=[{"timestamp": each.time, "message": each.text} for each in batch],
            )

    def _make_stream(self) -> str:
        name = f"{datetime.now(UTC):%Y/%m/%d}/{secrets.token_hex(8)}"
        known: aws.Expected = {"ResourceAlreadyExistsException": ConflictException}
        with aws.calling("CloudWatch Logs", known):
            self._client.create_log_stream(logGroupName=self._group, logStreamName=name)
        self._stream = name
        return name

    def read(self, since: int, until: int, words: Sequence[str], next_token: str) -> TrailPage:
        pattern = " ".join(f'"{word}"' for word in words)
        more = {"nextToken": next_token} if next_token else {}
        known: aws.Expected = {
            "InvalidParameterException": InvalidNextToken,
            "ResourceNotFoundException": DoesNotExistException,
        }
        with aws.calling("CloudWatch Logs", known):
            answer = self._client.filter_log_events(
                logGroupName=self._group,
                startTime=since,
                endTime=until,
                filterPattern=pattern,
                limit=PAGE,
                **more,  # type: ignore[arg-type]
            )
        found = [each.get("message", "") for each in answer.get("events", [])]
        return TrailPage(records=found, next_token=answer.get("nextToken", ""))


class Queue:
    """The port RecordQueue: several records a message, one on a line."""

    def __init__(self, url: str, client: SQSClient | None = None) -> None:
        self._url = url
        self._client: SQSClient = client or aws.client("sqs", PATIENCE)

    def put(self, records: Sequence[Kept]) -> None:
        bodies = [written(batch) for batch in _batches(records, MAX_MESSAGE, 24, MAX_EVENTS)]
        for body in bodies:
            with aws.calling("SQS"):
                self._client.send_message(QueueUrl=self._url, MessageBody=body)


class Objects:
    """The port TrailObjects."""

    def __init__(self, bucket: str, account: str, client: S3Client | None = None) -> None:
        self._bucket, self._account = bucket, account
        self._client: S3Client = client or aws.client("s3", PATIENCE)

    def write(self, key: str, content: bytes) -> None:
        with aws.calling("S3"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType="application/json",
                ContentEncoding="gzip",
                ExpectedBucketOwner=self._account,
            )


def written(batch: Sequence[Kept]) -> str:
    """A message's body."""
    return "\n".join(json.dumps([each.time, each.text]) for each in batch)


def read(body: str) -> Sequence[Kept]:
    """What `written` wrote; ValueError for anything else."""
    found = []
    for line in body.splitlines():
        values = json.loads(line)
        if not isinstance(values, list) or [type(each) for each in values] != [int, str]:
            raise ValueError("not a line of this queue")
        found.append(Kept(time=values[0], text=values[1]))
    return found


def _batches(
    records: Sequence[Kept], most_bytes: int, overhead: int, most: int
) -> Iterator[Sequence[Kept]]:
    """Runs of records that fit together; each by itself is far smaller than any limit."""
    batch: list[Kept] = []
    size = 0
    for each in records:
        # Quotes and backslashes become two bytes where a record is written within a message.
        own = len(json.dumps(each.text)) + overhead
        if batch and (size + own > most_bytes or len(batch) >= most):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += own
    if batch:
        yield batch
