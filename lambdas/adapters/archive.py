"""S3: the archive's bucket. KMS: the keys that sign and open. CloudWatch Logs: what passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hatchway.core.errors import DoesNotExistException, MalformedRecording
from lambdas.adapters import aws
from lambdas.adapters.signatures import signed_by
from lambdas.ports import MAX_NAMES, MAX_OBJECT, NamePage, PassedPage, Signature

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetLogEventsRequestTypeDef
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2RequestTypeDef

PATIENCE = aws.Patience(connect=1.0, read=10.0, attempts=3)
ALGORITHM: Final = "ECDSA_SHA_256"
WRAPPING: Final = "RSAES_OAEP_SHA_256"
#: What another key wrapped, or nobody did.
_NO_KEY: aws.Expected = {"InvalidCiphertextException": MalformedRecording}


class _Absent(DoesNotExistException):
    """There is no such object or stream."""


class ArchiveBucket:
    """The port Archive. What encrypts and locks an object is the bucket's own default."""

    def __init__(self, bucket: str, client: S3Client | None = None) -> None:
        self._bucket = bucket
        self._client: S3Client = client or aws.client("s3", PATIENCE)

    def put(self, name: str, data: bytes) -> None:
        with aws.calling("S3"):
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data)

    def get(self, name: str) -> bytes | None:
        try:
            with aws.calling("S3", {"NoSuchKey": _Absent, "404": _Absent}):
                answer = self._client.get_object(Bucket=self._bucket, Key=name)
                if answer["ContentLength"] > MAX_OBJECT:
                    raise MalformedRecording("An object of the archive is too large.")
                return answer["Body"].read()
        except _Absent:
            return None

    def names(self, prefix: str, next_token: str = "") -> NamePage:
        asked: ListObjectsV2RequestTypeDef = {
            "Bucket": self._bucket,
            "Prefix": prefix,
            "MaxKeys": MAX_NAMES,
        }
        if next_token:
            asked["ContinuationToken"] = next_token
        with aws.calling("S3"):
            answer = self._client.list_objects_v2(**asked)
        return NamePage(
            names=[each["Key"] for each in answer.get("Contents", [])],
            next_token=answer.get("NextContinuationToken", ""),
        )


class KmsSigner:
    """The port Signer; `key` is a key's id or ARN. Its public half is asked for once."""

    def __init__(self, key: str, client: KMSClient | None = None) -> None:
        self._key = key
        self._client: KMSClient = client or aws.client("kms", PATIENCE)
        self._public = KmsPublicKeys(key, self._client)

    def sign(self, digest: bytes) -> Signature:
        with aws.calling("KMS"):
            answer = self._client.sign(
                KeyId=self._key,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm=ALGORITHM,
            )
        return Signature(key=answer["KeyId"], algorithm=ALGORITHM, value=answer["Signature"])

    def made(self, digest: bytes, signature: Signature) -> bool:
        try:
            key = self._public.public_key(signature.key)
        except DoesNotExistException:
            return False
        return signed_by(key, digest, signature.value)


class KmsPublicKeys:
    """The port PublicKeys; `key` is the one key that may be asked for, and is kept."""

    def __init__(self, key: str, client: KMSClient | None = None) -> None:
        self._key = key
        self._client: KMSClient = client or aws.client("kms", PATIENCE)
        self._kept: dict[str, bytes] = {}

    def public_key(self, key: str) -> bytes:
        if not self._kept:
            with aws.calling("KMS"):
                answer = self._client.get_public_key(KeyId=self._key)
            self._kept[answer["KeyId"]] = answer["PublicKey"]
        if key not in self._kept:
            raise DoesNotExistException("The recording is signed with a key that is none of ours.")
        return self._kept[key]


class KmsUnwrapper:
    """The port Unwrapper; `key` is the one key that is asked."""

    def __init__(self, key: str, client: KMSClient | None = None) -> None:
        self._key = key
        self._client: KMSClient = client or aws.client("kms", PATIENCE)

    def unwrap(self, wrapped: bytes) -> bytes:
        with aws.calling("KMS", _NO_KEY):
            answer = self._client.decrypt(
                KeyId=self._key, CiphertextBlob=wrapped, EncryptionAlgorithm=WRAPPING
            )
        return answer["Plaintext"]


class LogPassed:
    """The port PassedLog, over one log group."""

    def __init__(self, group: str, client: CloudWatchLogsClient | None = None) -> None:
        self._group = group
        self._client: CloudWatchLogsClient = client or aws.client("logs", PATIENCE)

    def read(self, session_id: str, since: int, next_token: str = "") -> PassedPage:
        asked: GetLogEventsRequestTypeDef = {
            "logGroupName": self._group,
            "logStreamName": session_id,
            "startTime": max(0, since),
            "startFromHead": True,
        }
        if next_token:
            asked["nextToken"] = next_token
        try:
            with aws.calling("CloudWatch Logs", {"ResourceNotFoundException": _Absent}):
                answer = self._client.get_log_events(**asked)
        except _Absent:
            return PassedPage(events=())
        following = answer["nextForwardToken"]
        return PassedPage(
            events=[(event["timestamp"], event["message"]) for event in answer["events"]],
            # The same token again is the end, and nothing else is: a page may be empty, says
            # GetLogEvents, and more behind it.
            next_token="" if following == next_token else following,
        )
