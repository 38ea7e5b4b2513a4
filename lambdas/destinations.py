"""Which log destinations a deployment allows, and what a session's document asks of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.documents import Inputs
from hatchway.core.errors import LogDestinationRefused
from lambdas.environment import EnvironmentIncomplete, required

#: Of the archive's own bucket: nobody's logs go among what it keeps.
RESERVED = ("recordings", "audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """The deployment's own bucket and log group, which are encrypted as they are made, and the
    others that it lets documents name. `owner` is the account of them all."""

    own_bucket: str
    own_group: str
    owner: str
    buckets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def check(self, inputs: Inputs) -> None:
        """LogDestinationRefused for a document whose logs would go anywhere else."""
        bucket, group = inputs.s3_bucket_name, inputs.cloud_watch_log_group_name
        if bucket and bucket not in self.buckets | {self.own_bucket}:
            raise LogDestinationRefused(f"The bucket {bucket} is no log destination here.")
        if group and group not in self.groups | {self.own_group}:
            raise LogDestinationRefused(f"The log group {group} is no log destination here.")
        first = inputs.s3_key_prefix.strip("/").partition("/")[0]
        if bucket == self.own_bucket and first in RESERVED:
            raise LogDestinationRefused(f"The prefix {first} of the archive is the archive's own.")


def allowed(environ: Mapping[str, str]) -> Allowed:
    """LOG_DESTINATIONS, JSON; EnvironmentIncomplete where it is missing or damaged."""
    try:
        found = json.loads(required(environ, "LOG_DESTINATIONS"))
        return Allowed(
            own_bucket=str(found["ownBucket"]),
            own_group=str(found["ownGroup"]),
            owner=str(found["owner"]),
            buckets=frozenset(map(str, found["buckets"])),
            groups=frozenset(map(str, found["groups"])),
        )
    except (ValueError, KeyError, TypeError):
        raise EnvironmentIncomplete("LOG_DESTINATIONS cannot be read.") from None


def log_key(inputs: Inputs, session_id: str) -> str:
    """`<prefix>/<session-id>.log`, as in the original."""
    prefix = inputs.s3_key_prefix.strip("/")
    return f"{prefix}/{session_id}.log" if prefix else f"{session_id}.log"
