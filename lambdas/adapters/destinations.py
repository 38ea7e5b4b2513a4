"""CloudWatch Logs and S3 as destinations of sessions' logs, and whether they encrypt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hatchway.core.errors import (
    InternalServerError,
    LogDestinationAbsent,
    LogDestinationDenied,
)
from lambdas.adapters import aws
from lambdas.adapters.cache import Cache

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PATIENCE = aws.Patience(connect=1.0, read=10.0, attempts=3)
#: Bytes of a part of an object that is larger; S3 takes 5 MB at least and 10,000 parts.
PART = 8 * 1024 * 1024
#: Seconds for which an answer about encryption is believed, and how many are kept.
BELIEVED, KEPT = 15.0, 256
_EXPECTED: aws.Expected = {
    "ResourceNotFoundException": LogDestinationAbsent,
    "AccessDeniedException": LogDestinationDenied,
    "NoSuchBucket": LogDestinationAbsent,
    "AccessDenied": LogDestinationDenied,
    403: LogDestinationDenied,
    404: LogDestinationAbsent,
}


class _Exists(InternalServerError):
    """The stream is there already."""


class _Unencrypted(InternalServerError):
    """The bucket has no encryption of its own."""


class CloudWatchGroups:
    """The port LogGroups."""

    def __init__(self, client: CloudWatchLogsClient | None = None) -> None:
        self._client: CloudWatchLogsClient = client or aws.client("logs", PATIENCE)

    def append(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        try:
            self._put(group, stream, events)
        except LogDestinationAbsent:
            self._begin(group, stream)
            self._put(group, stream, events)

    def _begin(self, group: str, stream: str) -> None:
        exists: aws.Expected = {**_EXPECTED, "ResourceAlreadyExistsException": _Exists}
        try:
            with aws.calling("CloudWatch Logs", exists):
                self._client.create_log_stream(logGroupName=group, logStreamName=stream)
        except _Exists:
            return

    def _put(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        with aws.calling("CloudWatch Logs", _EXPECTED):
            answer = self._client.put_log_events(
                logGroupName=group,
                logStreamName=stream,
                logEvents=[{"timestamp": at, "message": text} for at, text in events],
            )
        if answer.get("rejectedLogEventsInfo"):
            raise InternalServerError("CloudWatch Logs refused events of a session.")


class S3Buckets:
    """The port Buckets; `owner` is the account that every bucket must belong to."""

    def __init__(self, owner: str, client: S3Client | None = None) -> None:
        self._owner = owner
        self._client: S3Client = client or aws.client("s3", PATIENCE)

    def put(self, bucket: str, key: str, parts: Iterable[bytes]) -> None:
        held, uploads = bytearray(), _Upload(self._client, bucket, key, self._owner)
        try:
            for part in parts:
                held += part
                if len(held) >= PART:
                    uploads.add(bytes(held))
                    held.clear()
            uploads.finish(bytes(held))
        except Exception:
            uploads.abandon()
            raise


class _Upload:
    """One object, in parts where it is large."""

    def __init__(self, client: S3Client, bucket: str, key: str, owner: str) -> None:
        self._client, self._bucket, self._key, self._owner = client, bucket, key, owner
        self._id = ""
        self._parts: list[CompletedPartTypeDef] = []

    def add(self, data: bytes) -> None:
        if not self._id:
            with aws.calling("S3", _EXPECTED):
                self._id = self._client.create_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._key,
                    ExpectedBucketOwner=self._owner,
                    ContentType="text/plain; charset=utf-8",
                )["UploadId"]
        number = len(self._parts) + 1
        with aws.calling("S3", _EXPECTED):
            tag = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                PartNumber=number,
                Body=data,
                ExpectedBucketOwner=self._owner,
            )["ETag"]
        self._parts.append({"PartNumber": number, "ETag": tag})

    def finish(self, rest: bytes) -> None:
        if not self._id:
            with aws.calling("S3", _EXPECTED):
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key,
                    Body=rest,
                    ExpectedBucketOwner=self._owner,
                    ContentType="text/plain; charset=utf-8",
                )
            return
        if rest:
            self.add(rest)
        with aws.calling("S3", _EXPECTED):
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                MultipartUpload={"Parts": self._parts},
                ExpectedBucketOwner=self._owner,
            )

    def abandon(self) -> None:
        """What S3 does not hear of, the bucket's own rule takes away."""
        if not self._id:
            return
        try:
            with aws.calling("S3", _EXPECTED):
                self._client.abort_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._key,
                    UploadId=self._id,
                    ExpectedBucketOwner=self._owner,
                )
        except (InternalServerError, LogDestinationAbsent, LogDestinationDenied):
            return


class AwsEncryption:
    """The port Encryption, believed for BELIEVED seconds; what cannot be asked is an error."""

    def __init__(
        self,
        owner: str,
        s3: S3Client | None = None,
        logs: CloudWatchLogsClient | None = None,
    ) -> None:
        self._owner = owner
        self._s3: S3Client = s3 or aws.client("s3", PATIENCE)
        self._logs: CloudWatchLogsClient = logs or aws.client("logs", PATIENCE)
        self._known: Cache[str, bool] = Cache(KEPT, BELIEVED)

    def bucket(self, name: str) -> bool:
        return self._known.get(f"s3/{name}", lambda: self._bucket(name))

    def group(self, name: str) -> bool:
        return self._known.get(f"logs/{name}", lambda: self._group(name))

    def _bucket(self, name: str) -> bool:
        code = "ServerSideEncryptionConfigurationNotFoundError"
        try:
            with aws.calling("S3", {**_EXPECTED, code: _Unencrypted}):
                answer = self._s3.get_bucket_encryption(
                    Bucket=name, ExpectedBucketOwner=self._owner
                )
        except _Unencrypted:
            return False
        return bool(answer["ServerSideEncryptionConfiguration"]["Rules"])

    def _group(self, name: str) -> bool:
        with aws.calling("CloudWatch Logs", _EXPECTED):
            answer = self._logs.describe_log_groups(logGroupNamePrefix=name, limit=50)
        # Names sort with the shortest first: the group itself is on the first page.
        for group in answer["logGroups"]:
            if group.get("logGroupName") == name:
                return bool(group.get("kmsKeyId"))
        raise LogDestinationAbsent()
