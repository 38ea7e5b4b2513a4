"""The audit trail's records: one per call, whoever refuses it; none for the flow of data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hatchway.core.audit import HIDDEN
from hatchway.core.errors import (
    AccessDeniedException,
    ClientGone,
    HatchwayError,
    NodeRefused,
    SessionEnded,
    TicketInvalid,
    TokenInvalid,
)
from hatchway.core.names import TRACE_HEADER, trace_root
from lambdas import edge, trail
from lambdas.edge import Call
from lambdas.logline import Line
from tests.unit.edge.world import NODE, SESSION, Lines, recorded


class Trail:
    """Records, in memory."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, text: str) -> None:
        self.lines.append(text)

    @property
    def last(self) -> Mapping[str, Any]:
        found = trail.record_in(self.lines[-1])
        assert found is not None
        return dict(found)


@pytest.fixture
def kept() -> Trail:
    return Trail()


def start(**changes: object) -> dict[str, Any]:
    """StartSession's event."""
    event = recorded("rest_open.json")
    event |= {
        "httpMethod": "POST",
        "resource": "/nodes/{nodeId}/sessions",
        "pathParameters": {"nodeId": NODE},
        "body": json.dumps({"Reason": "disk full"}),
    }
    return event | changes


def serve(event: Mapping[str, object], kept: Trail, outcome: object) -> None:
    def act(_call: Call, _line: Line) -> Mapping[str, object]:
        if isinstance(outcome, Exception):
            raise outcome
        assert isinstance(outcome, dict)
        return outcome

    edge.serve("sessions", event, act, Lines(), record=kept)


def test_a_call_that_was_allowed_is_one_record(kept: Trail) -> None:
    serve(start(), kept, {"SessionId": SESSION, "TokenValue": "t" * 43})
    assert len(kept.lines) == 1
    assert kept.last["eventName"] == "StartSession"
    assert kept.last["eventSource"] == "people.hatchway"
    assert kept.last["requestParameters"] == {"reason": "disk full", "target": NODE}
    assert kept.last["responseElements"] == {"sessionId": SESSION, "tokenValue": HIDDEN}
    assert "errorCode" not in kept.last


def test_a_denial_has_its_evidence_in_the_record_and_the_answer_does_not(kept: Trail) -> None:
    denied = AccessDeniedException("no")
    denied.evidence = {"deniedBy": "identity policy-1[0]", "failedKey": "aws:SourceIp"}
    serve(start(), kept, denied)
    assert kept.last["errorCode"] == "AccessDeniedException"
    assert kept.last["responseElements"] is None
    assert kept.last["additionalEventData"]["denial"] == denied.evidence


def test_what_broke_is_recorded_without_its_words(kept: Trail) -> None:
    serve(start(), kept, RuntimeError("secret words"))
    assert kept.last["errorCode"] == "InternalServerError"
    assert "secret words" not in kept.lines[-1]


@pytest.mark.parametrize(
    "body", ["{", '{"A":', "[1]", '{"a":' * 2000, "x" * 70_000, None, '{"NoSuch": 1}']
)
def test_a_call_with_an_odd_body_is_recorded_too(kept: Trail, body: str | None) -> None:
    serve(start(body=body), kept, {})
    assert kept.last["requestParameters"]["target"] == NODE


def test_an_event_of_nothing_is_recorded_as_such(kept: Trail) -> None:
    serve({}, kept, {})
    assert kept.last["userIdentity"] == {"type": "Unknown"}


def test_what_agents_say_and_get_is_keys_and_is_not_shown(kept: Trail) -> None:
    event = recorded("rest_open.json")
    given = json.loads(event["body"])
    serve(event, kept, {"SealKey": "k" * 43, "Ticket": "t.i", "Owner": "x"})
    assert kept.last["eventName"] == "OpenNodeSession"
    assert kept.last["responseElements"] is None
    assert given["EnrolmentSecret"] not in kept.lines[-1]
    assert kept.last["requestParameters"]["nodeId"] == NODE


@pytest.mark.parametrize(
    ("outcome", "recorded_too"),
    [
        ({}, False),
        (ClientGone(), False),
        (SessionEnded(), False),
        (TicketInvalid(), True),
        (NodeRefused(), True),
    ],
)
def test_of_the_flow_of_data_only_what_was_refused_is_recorded(
    kept: Trail, outcome: object, recorded_too: bool
) -> None:
    serve(recorded("rest_frames.json"), kept, outcome)
    assert bool(kept.lines) is recorded_too


def test_a_record_and_its_line_bear_the_trace_that_the_caller_named(kept: Trail) -> None:
    trace = f"Root={trace_root(SESSION)}"
    event = start(headers={TRACE_HEADER: trace}, multiValueHeaders={TRACE_HEADER: [trace]})
    lines = Lines()
    edge.serve("sessions", event, lambda _call, _line: {}, lines, record=kept)
    assert kept.last["additionalEventData"]["trace"] == trace_root(SESSION)
    assert lines.last["trace"] == trace_root(SESSION)


def test_no_frame_is_in_a_record(kept: Trail) -> None:
    event = recorded("rest_frames.json")
    serve(event | {"body": '{"typed": "hunter2"}\n'}, kept, TicketInvalid())
    assert "hunter2" not in kept.lines[-1]


def frame(route: str, **given: str) -> dict[str, Any]:
    event = recorded("ws_message.json")
    event["requestContext"] = event["requestContext"] | {"routeKey": route}
    event["requestContext"]["authorizer"] = event["requestContext"]["authorizer"] | given
    return event | {"body": json.dumps({"action": route, "RequestId": "7"})}


def stream(event: Mapping[str, object], error: HatchwayError | None = None) -> Any:
    return trail.record_in(trail.stream_call(event, error))


def test_a_frame_s_record_says_whose_token_its_connection_came_of() -> None:
    found = stream(frame("terminateSession", owner="123456789012/AIDAJOHN"))
    assert found["eventName"] == "TerminateSession"
    assert found["eventSource"] == "stream.hatchway"
    assert found["userIdentity"] == {
        "type": "IAMUser",
        "principalId": "AIDAJOHN",
        "accountId": "123456789012",
    }
    assert found["requestParameters"]["sessionId"] == SESSION
    assert found["additionalEventData"]["identifiedBy"] == "token"


def test_a_frame_s_record_has_the_arn_by_which_people_are_looked_up() -> None:
    arn = "arn:aws:iam::123456789012:user/john"
    found = stream(frame("terminateSession", owner="123456789012/AIDAJOHN", arn=arn))
    assert found["userIdentity"]["arn"] == arn


def test_a_ping_is_the_flow_of_data() -> None:
    assert trail.stream_call(frame("ping"), None) == ""


@pytest.mark.parametrize("error", [None, TokenInvalid()])
def test_a_connection_that_is_opened_or_refused_is_recorded_without_its_token(
    error: HatchwayError | None, kept: Trail
) -> None:
    event = recorded("ws_authorizer.json")
    trail.record_opening(event, error, {}, kept)
    assert kept.last["eventName"] == "OpenDataChannel"
    assert kept.last.get("errorCode", "") == (error.code if error else "")
    token = event["headers"]["Sec-WebSocket-Protocol"].rpartition(" ")[2]
    assert token not in kept.lines[-1]


@pytest.mark.parametrize(
    "message",
    [
        "",
        "START RequestId: 1",
        '{"family":"sessions","reason":"{\\"hatchwayAudit\\":1}"}',
        '{"hatchwayAudit":1,"record":{"cut":',
        '{"hatchwayAudit":2,"record":{}}',
        '{"hatchwayAudit":1,"record":[]}',
        ' {"hatchwayAudit":1,"record":{}}',
    ],
)
def test_a_line_that_is_no_record_is_none(message: str) -> None:
    assert trail.record_in(message) is None
