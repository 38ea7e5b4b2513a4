"""The edge of the REST families: what is refused before any family sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hatchway.core.errors import (
    PayloadTooLarge,
    ThrottlingException,
    UnsupportedNodeType,
    ValidationException,
)
from lambdas import edge
from lambdas.edge import Call
from lambdas.logline import Field, Line

EVENTS = Path(__file__).parents[2] / "events"


def recorded(name: str = "rest_open.json") -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return event


class Lines:
    def __init__(self) -> None:
        self.written: list[tuple[str, Mapping[str, Field]]] = []

    def __call__(self, level: str, fields: Mapping[str, Field]) -> None:
        self.written.append((level, dict(fields)))


def test_a_recorded_event_becomes_a_typed_call() -> None:
    call = edge.call_of(recorded())
    assert call.route == "POST /agent/{nodeId}/sessions/{sessionId}/open"
    assert call.node_id == "i-0123456789abcdef0"
    assert call.session_id == "a+b=c,d.e@f-0123456789abcdef0"
    assert call.caller.role_id == "AROACHANNELROLEEXAMPL"
    assert call.caller.role_session == "i-0123456789abcdef0"
    assert call.caller.owner.key == "123456789012/AROACHANNELROLEEXAMPL:i-0123456789abcdef0"
    assert call.header("x-hatchway-ticket") == ""


def test_a_user_has_neither_role_nor_role_session() -> None:
    caller = edge.Caller("123456789012", "AIDAEXAMPLE", "arn:aws:iam::123456789012:user/john")
    assert (caller.role_id, caller.role_session) == ("", "")


@pytest.mark.parametrize(
    ("raw", "session"),
    [
        ("a+b=c,d.e@f-0123456789abcdef0", "a+b=c,d.e@f-0123456789abcdef0"),
        ("a%2Bb%3Dc%2Cd.e%40f-0123456789abcdef0", "a+b=c,d.e@f-0123456789abcdef0"),
        ("a+b%40f-0123456789abcdef0", "a+b@f-0123456789abcdef0"),
    ],
)
def test_a_session_id_may_arrive_escaped_or_not(raw: str, session: str) -> None:
    event = recorded()
    event["pathParameters"]["sessionId"] = raw
    assert edge.call_of(event).session_id == session


@pytest.mark.parametrize(
    "raw",
    [
        "%6Aohn-0123456789abcdef0",  # j: need not be escaped
        "a%2bb-0123456789abcdef0",  # lower case
        "a%252Bb-0123456789abcdef0",  # twice
        "a%2Fb-0123456789abcdef0",
        "a%-0123456789abcdef0",
        "a-0123456789abcdef%",
        "",
    ],
)
def test_an_odd_spelling_of_a_session_id_is_refused(raw: str) -> None:
    event = recorded()
    event["pathParameters"]["sessionId"] = raw
    with pytest.raises(ValidationException):
        _ = edge.call_of(event).session_id


@pytest.mark.parametrize("raw", ["i-%30123456789abcdef0", "i-0123", None])
def test_a_node_id_is_taken_literally_or_not_at_all(raw: str | None) -> None:
    event = recorded()
    event["pathParameters"] = {"nodeId": raw}
    with pytest.raises(ValidationException):
        _ = edge.call_of(event).node_id


def test_a_managed_node_is_a_typed_refusal() -> None:
    event = recorded()
    event["pathParameters"]["nodeId"] = "mi-0123456789abcdef0"
    with pytest.raises(UnsupportedNodeType):
        _ = edge.call_of(event).node_id


def test_a_body_has_a_limit_in_bytes() -> None:
    event = recorded()
    event["body"] = "é" * (edge.MAX_BODY // 2)
    assert len(edge.call_of(event).body.encode()) == edge.MAX_BODY
    event["body"] += "x"
    with pytest.raises(PayloadTooLarge):
        edge.call_of(event)


@pytest.mark.parametrize("change", [{"isBase64Encoded": True}, {"body": "\ud800"}])
def test_a_body_that_is_not_text_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationException):
        edge.call_of(recorded() | change)


@pytest.mark.parametrize(
    "body",
    ["[]", "1", "{", '{"a": NaN}', '{"a": 1, "a": 2}', '{"other": 1}', "[" * 100_000],
)
def test_only_a_json_object_of_known_members_once_each_is_taken(body: str) -> None:
    call = edge.call_of(recorded() | {"body": body}, max_body=200_000)
    with pytest.raises(ValidationException):
        call.members({"a"})


@pytest.mark.parametrize("body", [None, "", " ", "{}"])
def test_no_body_is_an_empty_object(body: str | None) -> None:
    assert edge.call_of(recorded() | {"body": body}).members(()).values == {}


def test_members_are_read_with_type_and_limit() -> None:
    members = edge.Members({"t": "x", "n": 3, "f": 1.5, "b": True, "none": None})
    assert members.text("t", 1) == "x"
    assert members.text("absent", 1, default="") == ""
    assert members.integer("n", 0, 3) == 3
    assert members.integer("none", 0, 3, default=2) == 2
    assert members.number("f", 0, 2) == 1.5
    assert members.has("t")
    assert not members.has("none")


@pytest.mark.parametrize(
    "read",
    [
        lambda m: m.text("t", 1),
        lambda m: m.text("n", 9),
        lambda m: m.text("empty", 9),
        lambda m: m.text("absent", 9),
        lambda m: m.integer("n", 4, 9),
        lambda m: m.integer("b", 0, 9),
        lambda m: m.integer("t", 0, 9),
        lambda m: m.number("t", 0, 9),
        lambda m: m.number("b", 0, 9),
        lambda m: m.number("n", 4, 9),
    ],
)
def test_a_member_of_another_type_or_beyond_its_limit_is_refused(read: Any) -> None:
    with pytest.raises(ValidationException):
        read(edge.Members({"t": "xx", "n": 3, "b": True, "empty": ""}))


def test_a_header_twice_is_refused_in_whatever_spelling() -> None:
    event = recorded()
    event["multiValueHeaders"] = {"X-Hatchway-Ticket": ["a"], "x-hatchway-ticket": ["b"]}
    with pytest.raises(ValidationException):
        edge.call_of(event).header("X-Hatchway-Ticket")


def test_single_valued_forms_are_used_where_the_others_are_absent() -> None:
    event = recorded() | {
        "multiValueHeaders": None,
        "headers": {"X-One": "1"},
        "multiValueQueryStringParameters": None,
        "queryStringParameters": {"State": "Active"},
    }
    call = edge.call_of(event)
    assert call.header("x-one") == "1"
    assert call.query == {"State": ("Active",)}


def test_an_answer_is_json_that_nobody_caches_and_one_line_is_written() -> None:
    lines = Lines()

    def act(call: Call, line: Line) -> dict[str, object]:
        line.note(session=call.session_id)
        return {"SessionId": call.session_id}

    response = edge.serve("agents", recorded(), act, lines)
    assert response["statusCode"] == 200
    assert json.loads(str(response["body"])) == {"SessionId": "a+b=c,d.e@f-0123456789abcdef0"}
    assert response["headers"] == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
    }
    [(level, fields)] = lines.written
    assert level == "INFO"
    assert fields["route"] == "POST /agent/{nodeId}/sessions/{sessionId}/open"
    assert fields["requestId"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def test_a_typed_error_is_answered_with_its_code_and_throttling_says_when_to_return() -> None:
    def act(call: Call, line: Line) -> dict[str, object]:
        raise ThrottlingException()

    lines = Lines()
    response = edge.serve("agents", recorded(), act, lines)
    assert response["statusCode"] == 429
    headers = response["headers"]
    assert isinstance(headers, dict)
    assert headers["Retry-After"] == str(edge.RETRY_AFTER)
    assert headers["x-amzn-errortype"] == "ThrottlingException"
    assert json.loads(str(response["body"]))["__type"] == "ThrottlingException"
    assert lines.written[0][1]["code"] == "ThrottlingException"


def test_an_unexpected_error_tells_the_peer_nothing_and_the_log_no_text() -> None:
    def act(call: Call, line: Line) -> dict[str, object]:
        raise RuntimeError("the secret is hunter2")

    lines = Lines()
    response = edge.serve("agents", recorded(), act, lines)
    assert response["statusCode"] == 500
    assert json.loads(str(response["body"]))["__type"] == "InternalServerError"
    [(level, fields)] = lines.written
    assert level == "ERROR"
    assert fields["error"] == "RuntimeError"
    assert "test_edge.py" in str(fields["where"])
    assert "hunter2" not in json.dumps(response) + json.dumps(fields)


def test_an_event_of_no_known_shape_is_refused_not_crashed_on() -> None:
    lines = Lines()
    response = edge.serve("agents", {}, lambda call, line: {"node": call.node_id}, lines)
    assert response["statusCode"] == 400
    assert len(lines.written) == 1
