"""Where documents have logs go: in the original's forms, once, and nowhere that is not allowed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatchway.core.errors import (
    HatchwayError,
    LogDestinationAbsent,
    LogDestinationDenied,
    ThrottlingException,
)
from lambdas.archive.following import batches
from lambdas.archive.streaming import Streamed
from lambdas.endings import End
from lambdas.ports import MAX_BATCH, MAX_EVENTS, MAX_LOG_EVENT, Why
from tests.unit.archive.world import BUCKET, GROUP, World
from tests.unit.edge.world import NODE, SESSION

STREAMED: dict[str, Any] = {
    "cloudWatchLogGroupName": GROUP,
    "cloudWatchStreamingEnabled": True,
}
TEXT: dict[str, Any] = {"s3BucketName": BUCKET, "s3KeyPrefix": "logs/web"}


@pytest.fixture
def world() -> World:
    return World()


def events(world: World) -> list[dict[str, Any]]:
    return [json.loads(text) for _at, text in world.destinations.events.get((GROUP, SESSION), [])]


def test_each_chunk_is_an_event_in_the_originals_form(world: World) -> None:
    world.begin(**STREAMED)
    world.print(b"\x1b[31mred\x1b[0m\r\nline\x07")
    world.look()
    [event] = events(world)
    assert event == {
        "eventVersion": "1.0",
        "eventTime": "2027-01-15T08:00:00.000Z",
        "awsRegion": "us-east-1",
        "target": {"id": NODE},
        "userIdentity": {"arn": "arn:aws:iam::123456789012:user/john"},
        "runAsUser": "",
        "sessionId": SESSION,
        "sessionData": ["red", "line"],
        "chunk": 0,
    }


def test_a_stream_grows_while_the_session_runs_and_tells_nothing_twice(world: World) -> None:
    world.begin(**STREAMED)
    for data in (b"a", b"b"):
        world.print(data)
        world.look()
    world.end()
    world.look(Why.ENDED)
    assert [event["sessionData"] for event in events(world)] == [["a"], ["b"]]


def test_a_character_that_two_chunks_share_is_whole(world: World) -> None:
    world.begin(**STREAMED)
    world.print("ü".encode()[:1])
    world.print("ü".encode()[1:])
    world.look()
    assert "".join(event["sessionData"][0] for event in events(world)) == "ü"


def test_without_streaming_the_whole_log_comes_at_the_end_line_by_line(world: World) -> None:
    world.begin(**{**STREAMED, "cloudWatchStreamingEnabled": False})
    world.print(b"one\r\ntw")
    world.look()
    assert world.destinations.events == {}
    world.print(b"o\r\n")
    world.end()
    for _ in range(2):
        world.look(Why.ENDED)
    texts = [text for _at, text in world.destinations.events[GROUP, SESSION]]
    assert texts == ["one", "two"]


def test_the_text_for_people_is_stored_under_the_prefix_at_the_end(world: World) -> None:
    world.begin(**TEXT)
    world.print(b"pass\x08\x08\x08\x08word\r\n\x1b[1mbold\x1b[0m")
    world.look()
    assert world.destinations.objects == {}
    world.end()
    world.look(Why.ENDED)
    assert world.destinations.objects == {
        (BUCKET, f"logs/web/{SESSION}.log"): b"word\nbold\n",
    }


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ThrottlingException(), "ThrottlingException"),
        (LogDestinationDenied(), "LogDestinationDenied"),
        (LogDestinationAbsent(), "LogDestinationAbsent"),
    ],
)
@pytest.mark.parametrize("inputs", [STREAMED, TEXT], ids=["cloudwatch", "s3"])
def test_a_destination_that_fails_is_told_and_gets_it_all_later(
    world: World, inputs: dict[str, Any], failure: HatchwayError, code: str
) -> None:
    world.begin(**inputs)
    world.print(b"kept")
    world.end()
    world.destinations.failure = failure
    assert not world.look(Why.ENDED)
    assert world.shown == b"kept"  # the archive has it nevertheless
    [failed] = [detail for kind, detail, _ in world.bus.events if kind == "Recording Failed"]
    assert failed["errorCode"] == code
    assert world.counted == ["RecordingFailed"]
    world.destinations.failure = None
    assert world.look(Why.ENDED)
    assert world.destinations.events or world.destinations.objects


def test_a_destination_that_fails_ends_a_session_that_must_be_recorded(world: World) -> None:
    world.begin({"recordingRequired": True}, **STREAMED)
    world.print(b"a")
    world.destinations.failure = LogDestinationDenied()
    world.look()
    assert world.session.end_reason == End.UNRECORDED


def test_a_destination_that_fails_does_not_end_another(world: World) -> None:
    world.begin(**STREAMED)
    world.print(b"a")
    world.destinations.failure = LogDestinationDenied()
    world.look()
    assert world.session.end_reason == ""


def test_a_destination_that_is_not_allowed_any_more_gets_nothing(world: World) -> None:
    world.begin(s3BucketName="elsewhere")
    world.destinations.buckets["elsewhere"] = True
    world.print(b"a")
    world.end()
    assert not world.look(Why.ENDED)
    assert world.destinations.objects == {}


class TestBatches:
    """What CloudWatch Logs takes at once."""

    def test_events_bytes_and_one_events_length_have_their_limits(self) -> None:
        small = [Streamed(n, 0, "x") for n in range(MAX_EVENTS + 1)]
        assert [len(each) for each in batches(small)] == [MAX_EVENTS, 1]
        large = [Streamed(n, 0, "x" * 200_000) for n in range(6)]
        for each in batches(large):
            assert sum(len(event.text) + 26 for event in each) <= MAX_BATCH
        [[cut]] = batches([Streamed(0, 0, "ü" * MAX_LOG_EVENT)])
        assert len(cut.text.encode()) <= MAX_LOG_EVENT - 26

    def test_nothing_is_no_batch(self) -> None:
        assert list(batches([])) == []
