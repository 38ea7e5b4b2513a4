"""One record per API call, in the format of CloudTrail's records.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
Whatever reads CloudTrail's reads these. They do not pretend to be AWS's: `eventSource` ends in
`.hatchway`, `eventType` is `HatchwayApiCall`. What is secret in a call is hidden as CloudTrail
hides it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

EVENT_VERSION = "1.11"
EVENT_TYPE = "HatchwayApiCall"
HIDDEN = "Value hidden due to security reasons."
#: Characters of a text, elements of a list or map, levels of nesting, bytes of a record.
MAX_TEXT = 1024
MAX_ITEMS = 64
MAX_DEPTH = 6
MAX_RECORD = 32 * 1024
#: What operations that change nothing begin with.
READS = ("Describe", "Explain", "Get", "List", "Lookup", "Search", "Verify", "WhatCan", "WhoCan")
#: Members that no record shows, whatever they are in. A test holds the API's secrets against it.
SECRET = frozenset(
    {
        "agentinstanceid",
        "credentials",
        "enrolmentsecret",
        "lines",
        "sealkey",
        "secretaccesskey",
        "sessiontoken",
        "text",
        "ticket",
        "tokenvalue",
        "url",
        "urls",
    }
)

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


class Source(StrEnum):
    """Which door a call came by."""

    PEOPLE = "people.hatchway"
    AGENTS = "agents.hatchway"
    STREAM = "stream.hatchway"


class RecordedBy(StrEnum):
    """Who wrote the record. API Gateway knows less: what it refuses, no function ever saw."""

    SERVICE = "service"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who called; texts are "" where that is not known. `principal_id` is the whole aws:userid."""

    arn: str = ""
    principal_id: str = ""
    account: str = ""
    access_key_id: str = ""

    def members(self) -> dict[str, Json]:
        """`userIdentity`. Of a role session, its role's id and name; the role's path, and so its
        ARN, and the session's MFA and age are not known here and left out."""
        kind = _ARN.match(self.arn)
        found: dict[str, Json]
        if kind is None:
            found = {"type": _KINDS.get(self.principal_id[:4], "Unknown")}
        elif kind["kind"] == "assumed-role":
            role, _, _session = self.principal_id.partition(":")
            issuer = {
                "type": "Role",
                "principalId": role,
                "accountId": self.account,
                "userName": kind["name"].partition("/")[0],
            }
            found = {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}
        elif kind["kind"] == "user":
            found = {"type": "IAMUser", "userName": kind["name"].rpartition("/")[2]}
        else:
            found = {"type": "FederatedUser"}
        known = {
            "principalId": self.principal_id,
            "arn": self.arn,
            "accountId": self.account,
            "accessKeyId": self.access_key_id,
        }
        return found | {name: value for name, value in known.items() if value}


_ARN = re.compile(
    r"arn:[a-z-]+:(?:iam|sts)::[0-9]{12}:(?P<kind>user|assumed-role|federated-user)/(?P<name>.+)\Z"
)
#: Where the ARN is not known, the unique id's first letters tell.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_KINDS = {"AIDA": "IAMUser", "AROA": "AssumedRole"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One call. `time` in unix seconds; `request` and `response` are shown with their secrets
    hidden; `more` is what CloudTrail has no member for (`additionalEventData`)."""

    source: Source
    name: str
    time: float
    caller: Caller
    request_id: str
    read_only: bool
    recorded_by: RecordedBy = RecordedBy.SERVICE
    source_ip: str = ""
    user_agent: str = ""
    vpc_endpoint: str = ""
    recipient: str = ""
    error_code: str = ""
    error_message: str = ""
    request: Mapping[str, object] | None = None
    response: Mapping[str, object] | None = None
    more: Mapping[str, Json] | None = None

    @property
    def event_id(self) -> str:
        """The same for the same request, so that a record that is written twice is one."""
        about = (self.source, self.request_id, self.name, self.recorded_by, self.error_code)
        digest = hashlib.sha256("\n".join(about).encode()).hexdigest()
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))

    def members(self) -> dict[str, Json]:
        """The record as CloudTrail writes it; what has no value is left out, except what each of
        CloudTrail's has."""
        found: dict[str, Json] = {
            "eventVersion": EVENT_VERSION,
            "userIdentity": self.caller.members(),
            "eventTime": f"{datetime.fromtimestamp(self.time, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": self.source.value,
            "eventName": self.name,
            "sourceIPAddress": self.source_ip,
            "userAgent": self.user_agent[:MAX_TEXT],
            "requestParameters": shown(self.request),
            "responseElements": shown(self.response),
            "requestID": self.request_id,
            "eventID": self.event_id,
            "readOnly": self.read_only,
            "eventType": EVENT_TYPE,
            "managementEvent": True,
            "eventCategory": "Management",
            "recipientAccountId": self.recipient,
            "additionalEventData": {"recordedBy": self.recorded_by.value, **(self.more or {})},
        }
        if self.error_code:
            found["errorCode"] = self.error_code
            found["errorMessage"] = self.error_message[:MAX_TEXT]
        if self.vpc_endpoint:
            found["vpcEndpointId"] = self.vpc_endpoint
        return _bounded(found)


def _bounded(record: dict[str, Json]) -> dict[str, Json]:
    """What makes a record too large is left out, and the record says so, as CloudTrail's do."""
    for name in ("responseElements", "requestParameters", "userAgent"):
        size = len(written(record).encode())
        if size <= MAX_RECORD:
            break
        record[name] = {"omitted": True, "originalSize": size, "reason": "the record is too large"}
    return record


def written(record: Mapping[str, Json]) -> str:
    """A record as one line of JSON."""
    return json.dumps(record, separators=(",", ":"))


def reads(name: str) -> bool:
    """Whether an operation changes nothing, by its name."""
    return name.startswith(READS)


def shown(members: Mapping[str, object] | None) -> Json:
    """Members under CloudTrail's spelling, bounded, and with their secrets hidden."""
    if members is None:
        return None
    found: dict[str, Json] = {}
    for name, value in list(members.items())[:MAX_ITEMS]:
        found[name[:1].lower() + name[1:MAX_TEXT]] = _hidden(name, value, 1)
    return found


def _hidden(name: str, value: object, depth: int) -> Json:
    if name.lower() in SECRET and value not in (None, ""):
        return HIDDEN
    return _plain(value, depth)


def _plain(value: object, depth: int) -> Json:
    """The value as JSON: whatever is no JSON, or too deep, only by its type."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:MAX_TEXT]
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        items = list(value.items())[:MAX_ITEMS]
        return {str(k)[:MAX_TEXT]: _hidden(str(k), v, depth + 1) for k, v in items}
    if depth < MAX_DEPTH and isinstance(value, list | tuple):
        return [_plain(each, depth + 1) for each in value[:MAX_ITEMS]]
    return f"({type(value).__name__})"
