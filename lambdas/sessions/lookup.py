"""LookupEvents: calls in the audit trail. It is one itself, and leaves a record like any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from hatchway.core import api
from hatchway.core.errors import InvalidNextToken, ValidationException
from lambdas.access import Access
from lambdas.request import Request
from lambdas.sessions.service import Service

#: Seconds looked at where nobody says since when.
RECENT = 3600
#: Bytes of records in an answer: a Lambda function's is 6 MB at most, API Gateway's 10 MB.
MAX_ANSWER = 4 * 1024 * 1024


def lookup_events(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Oldest first. The log is asked for records that hold the words; which of them are meant is
    looked at here."""
    access.demand(api.LOOKUP_EVENTS.action, "*")
    now = int(service.clock())
    until = int(request.text("EndTime") or now)
    since = int(request.text("StartTime") or until - RECENT)
    if since > until:
        raise ValidationException("StartTime is after EndTime.")
    if service.trail is None:
        raise ValidationException("This deployment keeps no audit trail.")
    # The time of the first page stands for all, since the log's token is for one question only.
    until, token = _continued(request.text("NextToken"), until)
    words = [each for each in (request.text("Target"), request.text("EventName")) if each]
    page = service.trail.read(since * 1000, until * 1000 + 999, words, token)
    found: dict[str, Mapping[str, object]] = {}
    size = 0
    for text in page.records:
        size += len(text)
        if size > MAX_ANSWER:
            raise ValidationException("There are too many calls at once: ask for a shorter time.")
        event = _event(text, request)
        if event is not None:
            found[str(event["EventId"])] = event
    answer: dict[str, object] = {"Events": list(found.values())}
    more = f"{until}:{page.next_token}" if page.next_token else ""
    return answer | ({"NextToken": more} if more else {})


def _continued(token: str, until: int) -> tuple[int, str]:
    if not token:
        return until, ""
    time, _, rest = token.partition(":")
    if not (time.isascii() and time.isdecimal() and len(time) <= 12 and rest):
        raise InvalidNextToken()
    return int(time), rest


def _event(text: str, request: Request) -> Mapping[str, object] | None:
    """The call that a record tells of, if it is one that was asked for."""
    try:
        record = json.loads(text)
        time = datetime.strptime(record["eventTime"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        meant = _meant(record, request)
        name, identity = record["eventName"], record["eventID"]
    except (ValueError, KeyError, TypeError):
        return None  # nothing of ours: whoever may write the log group wrote it
    members = {"EventId": identity, "EventName": name, "EventTime": time.timestamp()}
    return {**members, "Record": text} if meant else None


def _meant(record: Mapping[str, object], request: Request) -> bool:
    user, target, name = (request.text(each) for each in ("User", "Target", "EventName"))
    asked = _mapping(record.get("requestParameters"))
    return (
        (not name or record.get("eventName") == name)
        and (not target or target in (asked.get("target"), asked.get("nodeId")))
        and (not user or user in _names(_mapping(record.get("userIdentity"))))
    )


def _names(identity: Mapping[str, object]) -> set[object]:
    """All that somebody may be called by."""
    arn, principal = str(identity.get("arn", "")), str(identity.get("principalId", ""))
    session = arn.rpartition("/")[2] if ":assumed-role/" in arn else ""
    role_and_session = arn.partition(":assumed-role/")[2]
    return {arn, principal, identity.get("userName"), session, role_and_session} - {"", None}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
