"""What is archived of the audit trail."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.deployment import STAGE
from local.emulator import ACCOUNT, REGION
from local.stack import Stack


def archived(stack: Stack) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Keys and their records."""
    s3 = stack.emulator.client("s3")
    bucket = f"hatchway-{STAGE}-archive-{ACCOUNT}-{REGION}"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="audit/"):
        for each in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            text = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
            yield each["Key"], json.loads(text)["Records"]
