"""Names, versions and ARNs of session documents."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatchway.core.errors import InvalidDocument

#: The document of a session that names none: it holds the preferences of a deployment.
DEFAULT = "SSM-SessionManagerRunShell"
#: The version that stands for whichever one is the default, and for the newest.
DEFAULT_VERSION = "$DEFAULT"
LATEST_VERSION = "$LATEST"
#: Beginnings, in lower case, of names that a deployment's own documents may not have.
_RESERVED = ("aws", "amazon", "amzn", "hatchway-")

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):ssm:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})?"
    r":document/(?P<name>[a-zA-Z0-9_.-]{3,128})\Z"
)
_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,128}\Z")
_VERSION = re.compile(r"[1-9][0-9]{0,7}\Z")
_OWNED_BY_AWS = ("AWS-", "Amazon-", "AMZN-")


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


def pinned(text: str, place: Place) -> tuple[str, str]:
    """Name and version of `name`, `name:3` or their ARN; the version is "" where none is given."""
    head, colon, tail = text.rpartition(":")
    if colon and _VERSION.match(tail):
        return reference(head, place), tail
    return reference(text, place), ""


def arn(name: str, place: Place) -> str:
    """A document's ARN; documents that AWS owns have no account in theirs."""
    account = "" if owned_by_aws(name) else place.account
    return f"arn:{place.partition}:ssm:{place.region}:{account}:document/{name}"


def reserved(name: str) -> bool:
    """Whether nobody may write a document of this name."""
    return name.lower().startswith(_RESERVED)


def owned_by_aws(name: str) -> bool:
    return name.startswith(_OWNED_BY_AWS)
