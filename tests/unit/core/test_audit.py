"""Audit records: CloudTrail's members, nothing secret, never too large, one id for a repeat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core import api
from hatchway.core.audit import (
    HIDDEN,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_RECORD,
    MAX_TEXT,
    SECRET,
    AuditRecord,
    Caller,
    Source,
    reads,
    shown,
    written,
)
from hatchway.core.shapes import Many, Member, Record, Text, Type

USER = Caller(
    arn="arn:aws:iam::123456789012:user/team/john",
    principal_id="AIDAJOHN",
    account="123456789012",
    access_key_id="AKIAEXAMPLE",
)
RECORD = AuditRecord(
    source=Source.PEOPLE,
    name="StartSession",
    time=1_800_000_000.25,
    caller=USER,
    request_id="r-1",
    read_only=False,
    source_ip="192.0.2.7",
    user_agent="hatchway/1",
    recipient="123456789012",
    request={"Target": "i-0123456789abcdef0", "Parameters": {"Host": ["h"]}},
    response={"SessionId": "john-1", "TokenValue": "t" * 43},
)


def test_a_record_has_the_members_of_cloudtrail_s() -> None:
    assert RECORD.members() == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAJOHN",
            "arn": "arn:aws:iam::123456789012:user/team/john",
            "accountId": "123456789012",
            "accessKeyId": "AKIAEXAMPLE",
            "userName": "john",
        },
        "eventTime": "2027-01-15T08:00:00Z",
        "eventSource": "people.hatchway",
        "eventName": "StartSession",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "hatchway/1",
        "requestParameters": {"target": "i-0123456789abcdef0", "parameters": {"Host": ["h"]}},
        "responseElements": {"sessionId": "john-1", "tokenValue": HIDDEN},
        "requestID": "r-1",
        "eventID": RECORD.event_id,
        "readOnly": False,
        "eventType": "HatchwayApiCall",
        "managementEvent": True,
        "eventCategory": "Management",
        "recipientAccountId": "123456789012",
        "additionalEventData": {"recordedBy": "service"},
    }


@pytest.mark.parametrize(
    ("caller", "kind"),
    [
        (USER, "IAMUser"),
        (replace(USER, arn="arn:aws:sts::1:nonsense"), "IAMUser"),
        (replace(USER, arn="arn:aws:sts::123456789012:assumed-role/ops/ann"), "AssumedRole"),
        (replace(USER, arn="", principal_id="AROAOPS:ann"), "AssumedRole"),
        (replace(USER, arn="arn:aws:sts::123456789012:federated-user/f"), "FederatedUser"),
        (Caller(), "Unknown"),
        (replace(USER, arn="", principal_id="123456789012"), "Unknown"),
    ],
)
def test_a_caller_is_of_a_kind_that_cloudtrail_has(caller: Caller, kind: str) -> None:
    assert caller.members()["type"] == kind


def test_of_a_role_session_the_role_is_known_by_id_and_name_and_nothing_is_guessed() -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/ops/ann"
    found: Any = replace(USER, arn=arn, principal_id="AROAOPS:ann").members()
    assert found["sessionContext"] == {
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROAOPS",
            "accountId": "123456789012",
            "userName": "ops",
        }
    }


def test_a_record_written_twice_is_one_and_another_outcome_is_another() -> None:
    assert replace(RECORD, time=0.0).event_id == RECORD.event_id
    others = [
        replace(RECORD, request_id="r-2"),
        replace(RECORD, name="ResumeSession"),
        replace(RECORD, error_code="AccessDeniedException"),
    ]
    assert len({each.event_id for each in (RECORD, *others)}) == 4


def test_a_refusal_says_with_what_and_a_record_without_one_has_no_such_members() -> None:
    refused = replace(RECORD, error_code="X", error_message="why").members()
    assert (refused["errorCode"], refused["errorMessage"]) == ("X", "why")
    assert not {"errorCode", "errorMessage"} & set(RECORD.members())


def secrets(members: Sequence[Member]) -> Iterator[str]:
    """Members that the API calls secret, however deep."""
    for member in members:
        yield from _secrets(member.name, member.type)


def _secrets(name: str, kind: Type) -> Iterator[str]:
    if isinstance(kind, Text) and kind.secret:
        yield name
    if isinstance(kind, Many):
        yield from _secrets(name, kind.element)
    if isinstance(kind, Record):
        yield from secrets(kind.members)


def test_every_secret_of_the_api_is_hidden() -> None:
    found = {name for each in api.OPERATIONS for name in secrets((*each.takes, *each.gives))}
    assert "TokenValue" in found
    for name in found:
        assert name.lower() in SECRET
        nested = {"A": [{"B": 1}], "C": {name: "hush-hush"}, name: "hush-hush"}
        assert "hush-hush" not in json.dumps(shown(nested))


def test_what_is_shown_is_bounded_in_every_direction() -> None:
    deep: object = "bottom"
    for _ in range(MAX_DEPTH + 3):
        deep = {"d": deep}
    found: Any = shown(
        {
            "Long": "x" * (MAX_TEXT + 1),
            "Many": list(range(MAX_ITEMS + 1)),
            "Wide": {str(n): n for n in range(MAX_ITEMS + 1)},
            "Deep": deep,
            "Odd": b"bytes",
        }
    )
    assert len(found["long"]) == MAX_TEXT
    assert len(found["many"]) == len(found["wide"]) == MAX_ITEMS
    assert "bottom" not in json.dumps(found)
    assert found["odd"] == "(bytes)"


def test_a_record_that_would_be_too_large_says_what_it_left_out() -> None:
    large = {f"N{n}": "ü" * MAX_TEXT for n in range(MAX_ITEMS)}
    record = replace(RECORD, request=large, response=None)
    found: Any = record.members()
    assert len(written(found).encode()) <= MAX_RECORD
    assert found["requestParameters"]["omitted"] is True
    assert found["userIdentity"]["principalId"] == "AIDAJOHN"


def test_what_says_who_and_what_is_kept_also_where_the_record_stays_too_large() -> None:
    caller = replace(USER, arn="a" * MAX_RECORD)
    found: Any = replace(RECORD, caller=caller).members()
    assert found["userIdentity"]["arn"] == caller.arn
    for name in ("responseElements", "requestParameters", "userAgent"):
        assert found[name]["omitted"] is True


@pytest.mark.parametrize("operation", api.OPERATIONS, ids=lambda each: each.name)
def test_what_is_asked_with_get_is_read_only(operation: Any) -> None:
    if operation.method == "GET":
        assert reads(operation.name)
    if operation.method == "DELETE":
        assert not reads(operation.name)
