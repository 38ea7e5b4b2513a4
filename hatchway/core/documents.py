"""Session documents: names and ARNs, and the built-in default document resolved to JSON.

Only the default document exists so far; any other name is an InvalidDocument.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hatchway.core.errors import InvalidDocument, ValidationException

DEFAULT = "SSM-SessionManagerRunShell"

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):ssm:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})?"
    r":document/(?P<name>[a-zA-Z0-9_.-]{3,128})\Z"
)
_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,128}\Z")
_OWNED_BY_AWS = ("AWS-", "Amazon-")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment is: what its ARNs have in common."""

    partition: str
    region: str
    account: str


def reference(text: str, place: Place) -> str:
    """The short name of a document named by name or ARN; InvalidDocument where the ARN is of
    another account or Region."""
    if _NAME.match(text):
        return text
    found = _ARN.match(text)
    if found is None or arn(found["name"], place) != text:
        raise InvalidDocument("The document is not of this account and Region.")
    return found["name"]


def arn(name: str, place: Place) -> str:
    """A document's ARN; documents that AWS owns have no account in theirs."""
    account = "" if name.startswith(_OWNED_BY_AWS) else place.account
    return f"arn:{place.partition}:ssm:{place.region}:{account}:document/{name}"


def resolve(name: str, parameters: Mapping[str, Sequence[str]]) -> str:
    """The document as the agent gets it, JSON; InvalidDocument when there is none of the name,
    ValidationException for a parameter that it does not have."""
    if name != DEFAULT:
        raise InvalidDocument(f"There is no session document {name}.")
    if parameters:
        raise ValidationException(f"Document {name} takes no parameters.")
    return json.dumps(_default(), separators=(",", ":"))


def max_session_duration(document: str) -> str:
    """Minutes after which a session with this resolved document ends, "" for no limit."""
    found = json.loads(document).get("inputs", {}).get("maxSessionDuration", "")
    return str(found)


def _default() -> Mapping[str, object]:
    """The preferences that Systems Manager has before anyone has changed them."""
    return {
        "schemaVersion": "1.0",
        "description": "Document to hold regional settings for Session Manager",
        "sessionType": "Standard_Stream",
        "inputs": {
            "s3BucketName": "",
            "s3KeyPrefix": "",
            "s3EncryptionEnabled": True,
            "cloudWatchLogGroupName": "",
            "cloudWatchEncryptionEnabled": True,
            "cloudWatchStreamingEnabled": True,
            "idleSessionTimeout": "20",
            "maxSessionDuration": "",
            "kmsKeyId": "",
            "runAsEnabled": False,
            "runAsDefaultUser": "",
            "shellProfile": {"windows": "", "linux": ""},
        },
    }
