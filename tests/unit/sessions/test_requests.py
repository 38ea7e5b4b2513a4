"""What a request may look like: everything odd is a typed refusal before anything happens."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.sessions.handler import make_handler
from tests.unit.sessions.world import EVERYTHING, NODE, World, allow

START = "POST /nodes/{nodeId}/sessions"
SESSION = "john-0123456789abcdef0"
FULL = {
    "Target": NODE,
    "DocumentName": "SSM-SessionManagerRunShell",
    "Reason": "r",
    "Parameters": {},
    "ClientRequestToken": "t",
}


def test_all_members_at_once_are_taken(world: World) -> None:
    assert world.start(world.user("john", EVERYTHING), body=FULL).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"Target": "i-00000000000000001"},
        {"Target": None},
        {"Extra": 1},
        {"sessionId": "x"},
        {"NodeId": NODE},
        {"DocumentName": ""},
        {"DocumentName": "ab"},
        {"DocumentName": "a" * 129},
        {"DocumentName": "a b c"},
        {"DocumentName": "abc\n"},
        {"DocumentName": None},
        {"Reason": ""},
        {"Reason": "r" * 257},
        {"Reason": 7},
        {"Reason": "a\x00b"},
        {"Reason": "a\nb"},
        {"Reason": "a\x1b[2Jb"},
        {"Reason": "\ud800"},
        {"Reason": "broken \ufffd"},
        {"Parameters": []},
        {"Parameters": {"a": "b"}},
        {"Parameters": {"a": [1]}},
        {"Parameters": {"a": ["\x00"]}},
        {"Parameters": {"": ["b"]}},
        {"Parameters": {"a": ["b" * 4097]}},
        {"Parameters": {"a": ["b"] * 51}},
        {"Parameters": {f"p{n}": [] for n in range(33)}},
        {"Parameters": {"a": [[["deep"]]]}},
        {"ClientRequestToken": "t" * 65},
        {"ClientRequestToken": "a b"},
        {"ClientRequestToken": ""},
    ],
)
def test_a_member_that_is_unknown_contradicts_or_breaks_a_limit(
    world: World, change: dict[str, Any]
) -> None:
    answer = world.start(world.user("john", EVERYTHING), body={**FULL, **change})
    assert (answer.status, answer.code) == (400, "ValidationException")
    assert answer.members["RequestId"] == "request-1"
    assert world.sessions.changes == []


def test_reasons_are_taken_up_to_their_limit(world: World) -> None:
    assert world.start(world.user("john", EVERYTHING), body={"Reason": "ü" * 256}).status == 200


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "null",
        '"text"',
        "{",
        "[" * 60000,
        '{"Parameters":' * 4000 + "1" + "}" * 4000,
        '{"Reason": "a", "Reason": "b"}',
        '{"Reason": NaN}',
        "\ufeff{}",
        "\x00",
        '{"Reason": ' + "9" * 5000 + "}",
    ],
)
def test_a_body_that_is_not_one_plain_json_object(world: World, body: str) -> None:
    answer = world.start(world.user("john", EVERYTHING), body=body)
    assert (answer.status, answer.code) == (400, "ValidationException")


def test_a_body_is_at_most_64_kilobytes(world: World) -> None:
    john = world.user("john", EVERYTHING)
    frame = '{"Reason": "r"}'
    assert world.start(john, body=frame + " " * (65536 - len(frame))).status == 200
    answer = world.start(john, body=frame + " " * (65537 - len(frame)))
    assert (answer.status, answer.code) == (413, "PayloadTooLarge")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"content-type": "application/json; charset=utf-16"},
        {"Content-Type": 'application/json;charset="latin-1"'},
    ],
)
def test_a_body_in_another_encoding(world: World, headers: dict[str, str]) -> None:
    answer = world.call(
        world.user("john", EVERYTHING), START, path={"nodeId": NODE}, body={}, headers=headers
    )
    assert answer.code == "ValidationException"


def test_utf_8_may_be_named(world: World) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8", "Content-Encoding": "identity"}
    answer = world.call(
        world.user("john", EVERYTHING), START, path={"nodeId": NODE}, body={}, headers=headers
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    ("node", "code"),
    [
        ("", "ValidationException"),
        ("i-0123", "ValidationException"),
        ("i-0123456789ABCDEF0", "ValidationException"),
        (NODE + "\n", "ValidationException"),
        ("i%2D0123456789abcdef0", "ValidationException"),
        ("mi-01234567", "ValidationException"),
        ("mi-0123456789abcdef0", "UnsupportedNodeType"),
    ],
)
def test_a_target_that_is_no_instance(world: World, node: str, code: str) -> None:
    answer = world.start(world.user("john", EVERYTHING), node)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    "session",
    ["john", "-0123456789abcdef0", "jo%68n-0123456789abcdef0", "a%252Bb-0123456789abcdef0", "a/b"],
)
def test_a_session_id_that_is_none_or_spelt_oddly(world: World, session: str) -> None:
    answer = world.resume(world.user("john", EVERYTHING), session)
    assert (answer.status, answer.code) == (400, "ValidationException")


@pytest.mark.parametrize(
    ("spelling", "decoded", "status"),
    [
        ("a%2Bb%3Dc%2Cd.e%40f", False, 200),
        ("a+b=c,d.e@f", False, 400),
        ("a%2Bb%3Dc%2Cd.e@f", False, 400),
        ("a+b=c,d.e@f", True, 200),
    ],
)
def test_a_session_id_is_escaped_as_the_sdk_does_unless_the_gateway_has_resolved_it(
    world: World, spelling: str, decoded: bool, status: int
) -> None:
    world.service = replace(world.service, paths_decoded=decoded)
    world.handler = make_handler(world.service, world.lines)
    person = world.user("a+b=c,d.e@f", EVERYTHING)
    suffix = world.started(person).session_id[-18:]
    assert world.resume(person, spelling + suffix).status == status


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("GET /sessions/{sessionId}", {"sessionId": SESSION}),
        ("DELETE /sessions/{sessionId}", {"sessionId": SESSION}),
        ("POST /sessions/{sessionId}/resume", {"sessionId": SESSION}),
        ("GET /nodes", {}),
        ("GET /node-roles", {}),
    ],
)
def test_a_body_where_none_is_taken(world: World, route: str, path: dict[str, str]) -> None:
    admin = world.user("admin", EVERYTHING)
    assert world.call(admin, route, path=path, body={"x": 1}).code == "ValidationException"
    assert world.call(admin, route, path=path, body={}).code != "ValidationException"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"State": ["active"]},
        {"State": ["Active", "History"]},
        {"State": []},
        {"State": ["Active"], "MaxResults": ["0"]},
        {"State": ["Active"], "MaxResults": ["201"]},
        {"State": ["Active"], "MaxResults": ["+5"]},
        {"State": ["Active"], "MaxResults": ["٥"]},
        {"State": ["Active"], "MaxResults": ["1e1"]},
        {"State": ["Active"], "NextToken": [""]},
        {"State": ["Active"], "NextToken": ["t" * 2049]},
        {"State": ["Active"], "Unknown": ["1"]},
        {"State": ["Active"], "Filter": ["Target"]},
        {"State": ["Active"], "Filter": ["Target="]},
        {"State": ["Active"], "Filter": ["Target=i-1"]},
        {"State": ["Active"], "Filter": ["SessionId=x"]},
        {"State": ["Active"], "Filter": ["Status=Gone"]},
        {"State": ["Active"], "Filter": ["AccessType=None"]},
        {"State": ["Active"], "Filter": ["InvokedAfter=yesterday"]},
        {"State": ["Active"], "Filter": ["Owner=a", "Owner=b"]},
        {"State": ["Active"], "Filter": [f"Owner={n}" for n in range(7)]},
        {"State": ["Active"], "Filter": ["Owner=" + "o" * 512]},
    ],
)
def test_a_query_out_of_its_limits(world: World, query: dict[str, list[str]]) -> None:
    answer = world.call(world.user("john", EVERYTHING), "GET /sessions", query=query)
    assert (answer.status, answer.code) == (400, "ValidationException")


def test_an_unknown_operation_is_refused(world: World) -> None:
    answer = world.call(world.user("john", EVERYTHING), "PUT /sessions")
    assert (answer.status, answer.code) == (400, "ValidationException")


def test_validation_comes_before_permission_but_after_who_calls(world: World) -> None:
    nobody = world.user("mary", allow("s3:*"))
    assert world.start(nobody, body={"x": 1}).code == "ValidationException"


def test_what_nobody_expected_is_an_internal_error_without_its_text(world: World) -> None:
    john = world.user("john", EVERYTHING)
    world.policies.failure = RuntimeError("a secret")  # type: ignore[assignment]
    answer = world.start(john)
    assert (answer.status, answer.code) == (500, "InternalServerError")
    assert "secret" not in json.dumps(answer.members) + str(world.lines.written)
    assert world.lines.written[-1][0] == "ERROR"
