"""Log destinations outside the deployment, which its functions are told of for a while.

What the stacks do for `allowedLogBuckets` and `allowedLogGroups` is done to the deployed functions
by hand: their environment, and what their roles may. The template tests hold the stacks to it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from local.emulator import ACCOUNT, REGION
from local.stack import Stack
from tests.integration import functions


@dataclass(frozen=True, slots=True)
class Outside:
    """A bucket and a log group under a key of their own; a log group without any (`plain`), a
    bucket that nobody may ask about (`hidden`), and a name of neither (`missing`)."""

    stack: Stack
    bucket: str
    group: str
    plain: str
    hidden: str
    missing: str
    key: str

    def make(self) -> None:
        """Both that are encrypted: again, where they have been removed."""
        s3, logs = self.stack.emulator.client("s3"), self.stack.emulator.client("logs")
        s3.create_bucket(Bucket=self.bucket)
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.key}
        rules = [{"ApplyServerSideEncryptionByDefault": default}]
        s3.put_bucket_encryption(
            Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": rules}
        )
        logs.create_log_group(logGroupName=self.group, kmsKeyId=self.key)

    def remove(self) -> None:
        s3, logs = self.stack.emulator.client("s3"), self.stack.emulator.client("logs")
        for each in s3.list_objects_v2(Bucket=self.bucket).get("Contents", []):
            s3.delete_object(Bucket=self.bucket, Key=each["Key"])
        s3.delete_bucket(Bucket=self.bucket)
        logs.delete_log_group(logGroupName=self.group)

    @property
    def streams(self) -> list[str]:
        """The log group as IAM is asked about it: by action, the group itself or its streams."""
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}"
        return [arn, f"{arn}:*"]

    def inputs(self, **more: object) -> dict[str, Any]:
        """A document's: both destinations, encryption demanded of both."""
        return {
            "s3BucketName": self.bucket,
            "s3KeyPrefix": "logs",
            "s3EncryptionEnabled": True,
            "cloudWatchLogGroupName": self.group,
            "cloudWatchEncryptionEnabled": True,
            **more,
        }

    def object(self, key: str) -> Mapping[str, Any] | None:
        """As S3 answers for it; None where it is not there."""
        s3 = self.stack.emulator.client("s3")
        try:
            answer: Mapping[str, Any] = s3.get_object(Bucket=self.bucket, Key=key)
        except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
            return None
        return answer


@contextmanager
def outside(stack: Stack, **archive: str) -> Iterator[Outside]:
    """They are there, and the functions know of them; `archive` is more of its environment."""
    word = secrets.token_hex(4)
    arn = stack.emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    made = Outside(
        stack,
        bucket=f"outside-{word}",
        group=f"/outside/{word}",
        plain=f"/outside/{word}-plain",
        hidden=f"hidden-{word}",
        missing=f"missing-{word}",
        key=arn,
    )
    logs, s3 = stack.emulator.client("logs"), stack.emulator.client("s3")
    logs.create_log_group(logGroupName=made.plain)
    s3.create_bucket(Bucket=made.hidden)
    made.make()
    feeding = [
        _allow(["logs:CreateLogStream", "logs:PutLogEvents"], made.streams),
        _allow(["s3:AbortMultipartUpload", "s3:PutObject"], [f"arn:aws:s3:::{made.bucket}/*"]),
        _allow(["kms:Decrypt", "kms:GenerateDataKey"], [arn]),
    ]
    asking = [
        _allow(
            ["s3:GetEncryptionConfiguration"],
            [f"arn:aws:s3:::{each}" for each in (made.bucket, made.missing)],
        ),
        _allow(["logs:DescribeLogGroups"], ["*"]),
    ]
    with ExitStack() as undo:
        undo.callback(made.remove)
        undo.callback(logs.delete_log_group, logGroupName=made.plain)
        undo.callback(s3.delete_bucket, Bucket=made.hidden)
        undo.enter_context(policy(stack, "Archive", "outside", feeding))
        undo.enter_context(policy(stack, "Sessions", "outside", asking))
        undo.enter_context(_told(made, "archive", archive))
        undo.enter_context(_told(made, "sessions", {}))
        yield made


def _allow(actions: Sequence[str], resources: Sequence[str]) -> dict[str, object]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


@contextmanager
def policy(
    stack: Stack, family: str, name: str, statements: Sequence[Mapping[str, object]]
) -> Iterator[None]:
    """A function's role has these statements as well, for a while."""
    iam = stack.emulator.client("iam")
    names = iam.get_paginator("list_roles").paginate().search("Roles[].RoleName")
    [role] = [each for each in names if f"-{family}Role" in each]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


@contextmanager
def _told(made: Outside, family: str, more: Mapping[str, str]) -> Iterator[None]:
    """The function's environment names them, for a while."""

    def named(before: Mapping[str, str]) -> Mapping[str, str]:
        known = json.loads(before["LOG_DESTINATIONS"])
        known["buckets"] = [made.bucket, made.hidden, made.missing]
        known["groups"] = [made.group, made.plain, made.missing]
        return {"LOG_DESTINATIONS": json.dumps(known), **more}

    with functions.told(made.stack, family, named):
        yield
