"""`hatchway audit`: which calls are asked for, and how they are shown."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from hatchway.cli.audit import moment
from hatchway.cli.main import main
from hatchway.core.errors import Exit, ValidationException
from tests.unit.client.world import NODE, SESSION, World

pytestmark = pytest.mark.timeout(60)
Capture = pytest.CaptureFixture[str]
NOW = 1_800_000_000.0
AUDIT = "GET /audit/events"


def event(**record: object) -> dict[str, object]:
    return {
        "EventId": "e-1",
        "EventName": str(record.get("eventName", "StartSession")),
        "EventTime": 1_700_000_000,
        "Record": json.dumps(record),
    }


ALLOWED = event(
    eventName="StartSession",
    userIdentity={"arn": "arn:aws:iam::123456789012:user/john"},
    requestParameters={"target": NODE},
    responseElements={"sessionId": SESSION},
    sourceIPAddress="192.0.2.7",
)
DENIED = event(
    eventName="TerminateSession",
    userIdentity={"principalId": "AROA1:mary"},
    requestParameters={"sessionId": SESSION},
    errorCode="AccessDeniedException",
)
GATEWAY = event(
    eventName="GET /nodes",
    errorCode="ThrottlingException",
    additionalEventData={"recordedBy": "gateway"},
    userIdentity=None,
)


def shown(world: World, capsys: Capture, *arguments: str) -> str:
    world.answers[AUDIT] = (200, {"Events": [ALLOWED, DENIED, GATEWAY]})
    assert main(["audit", *arguments]) == 0
    return capsys.readouterr().out


def test_each_call_is_a_row_with_who_what_about_outcome_and_whence(
    world: World, capsys: Capture
) -> None:
    rows = [line.split() for line in shown(world, capsys).splitlines()]
    started = next(row for row in rows if "StartSession" in row)
    assert started[2:] == ["user/john", "StartSession", SESSION, "allowed", "192.0.2.7"]
    ended = next(row for row in rows if "TerminateSession" in row)
    assert ended[2:] == ["AROA1:mary", "TerminateSession", SESSION, "AccessDeniedException"]
    assert any(row[-2:] == ["ThrottlingException", "(gateway)"] for row in rows)


def test_refused_calls_alone_where_asked_for(world: World, capsys: Capture) -> None:
    out = shown(world, capsys, "--denied")
    assert "TerminateSession" in out
    assert "ThrottlingException" in out
    assert "StartSession" not in out


def test_as_json_the_records_are_whole(world: World, capsys: Capture) -> None:
    records = json.loads(shown(world, capsys, "--output", "json"))["Records"]
    assert records == [json.loads(str(each["Record"])) for each in (ALLOWED, DENIED, GATEWAY)]


def test_what_is_asked_for_goes_to_the_service(world: World, capsys: Capture) -> None:
    since, until = "2026-11-22T08:00:00Z", "2026-11-22T10:00:00+01:00"
    shown(
        *(world, capsys, "--user", "john", "--target", NODE, "--event", "StartSession"),
        *("--since", since, "--until", until),
    )
    asked = parse_qs(world.asked[-1].query)
    assert asked == {
        "User": ["john"],
        "Target": [NODE],
        "EventName": ["StartSession"],
        "StartTime": ["1795334400"],
        "EndTime": ["1795338000"],
    }


def test_a_node_may_be_named_as_everywhere(world: World, capsys: Capture) -> None:
    world.answers["GET /nodes"] = (200, {"Nodes": [{"NodeId": NODE, "Name": "web"}]})
    shown(world, capsys, "--target", "web")
    assert parse_qs(world.asked[-1].query)["Target"] == [NODE]


def test_the_last_hour_unless_said(world: World, capsys: Capture) -> None:
    shown(world, capsys)
    asked = parse_qs(world.asked[-1].query)
    assert set(asked) == {"StartTime"}


def test_every_page_is_read(world: World, capsys: Capture) -> None:
    first = World.answer

    def answer(asked: object) -> tuple[int, dict[str, object]]:
        first(world, asked)  # type: ignore[arg-type]
        query = parse_qs(world.asked[-1].query)
        if "NextToken" in query:
            return 200, {"Events": [DENIED]}
        return 200, {"Events": [ALLOWED], "NextToken": "more"}

    world.answer = answer  # type: ignore[method-assign]
    assert main(["audit"]) == 0
    out = capsys.readouterr().out
    assert "StartSession" in out
    assert "TerminateSession" in out


def test_nothing_found_is_said_on_standard_error(world: World, capsys: Capture) -> None:
    world.answers[AUDIT] = (200, {"Events": []})
    assert main(["audit"]) == 0
    assert capsys.readouterr() == ("", "No calls.\n")


def test_a_time_that_is_none_asks_nothing(world: World, capsys: Capture) -> None:
    assert main(["audit", "--since", "yesterday"]) == Exit.USAGE
    assert "30m, 12h or 7d" in capsys.readouterr().err
    assert world.asked == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0m", NOW),
        ("30m", NOW - 1800),
        ("12h", NOW - 43_200),
        ("7d", NOW - 604_800),
        ("99999d", 0),
        ("2026-11-22", 1_795_305_600),
        ("2026-11-22T08:00:00", 1_795_334_400),
        ("2026-11-22T08:00:00+02:00", 1_795_327_200),
    ],
)
def test_a_time_is_so_long_ago_or_a_moment_in_utc(text: str, seconds: float) -> None:
    assert moment(text, NOW) == int(seconds)


@pytest.mark.parametrize("text", ["", "h", "1w", "-1h", "100000m", "12h ", "08:00", "x"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationException):
        moment(text, NOW)
