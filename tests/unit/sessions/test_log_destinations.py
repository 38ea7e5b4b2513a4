"""StartSession and where a session's logs go: encrypted where demanded, allowed, and recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatchway.core.errors import (
    HatchwayError,
    InternalServerError,
    LogDestinationAbsent,
    LogDestinationDenied,
    LogDestinationRefused,
    RecordingUnavailable,
)
from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from lambdas.ports import Session
from lambdas.sessions.recording import begin_recording
from tests.unit.sessions.world import ACCOUNT, NODE, World

SESSION = "john-0123456789abcdef0"


def session(own: dict[str, Any] | None = None, **inputs: Any) -> Session:
    content = {"schemaVersion": "1.0", "inputs": {**inputs, "hatchway": own or {}}}
    return Session(
        session_id=SESSION,
        target=NODE,
        owner=Owner(ACCOUNT, "AIDAJOHN"),
        owner_arn=f"arn:aws:iam::{ACCOUNT}:user/john",
        status=Status.CONNECTING,
        started=0.0,
        document_name="d",
        document=json.dumps(content),
    )


@pytest.fixture
def world() -> World:
    return World()


def begin(world: World, **inputs: Any) -> None:
    begin_recording(world.service, session(**inputs))


def test_the_stream_is_there_before_the_session(world: World) -> None:
    begin(world)
    assert world.recordings.streams == {SESSION: []}


def test_a_stream_that_cannot_be_made_refuses_only_what_must_be_recorded(world: World) -> None:
    world.recordings.failure = InternalServerError()
    begin(world)
    with pytest.raises(RecordingUnavailable):
        begin(world, own={"recordingRequired": True})


@pytest.mark.parametrize(
    ("inputs", "what"),
    [
        ({"s3BucketName": "logs"}, "bucket logs"),
        ({"cloudWatchLogGroupName": "/logs"}, "log group /logs"),
    ],
)
class TestElsewhere:
    """A bucket and a log group that the deployment allows."""

    def test_one_that_is_encrypted_is_taken(
        self, world: World, inputs: dict[str, str], what: str
    ) -> None:
        world.destinations.buckets["logs"] = world.destinations.groups["/logs"] = True
        begin(world, **inputs)

    def test_one_that_is_not_refuses_the_start_and_is_named(
        self, world: World, inputs: dict[str, str], what: str
    ) -> None:
        world.destinations.buckets["logs"] = world.destinations.groups["/logs"] = False
        with pytest.raises(LogDestinationRefused, match=f"{what} is not encrypted"):
            begin(world, **inputs)
        assert world.recordings.streams == {}

    def test_one_that_need_not_be_is_not_asked_about(
        self, world: World, inputs: dict[str, str], what: str
    ) -> None:
        world.destinations.failure = InternalServerError()
        begin(world, s3EncryptionEnabled=False, cloudWatchEncryptionEnabled=False, **inputs)

    @pytest.mark.parametrize(
        ("failure", "refusal"),
        [
            (LogDestinationAbsent(), LogDestinationAbsent),
            (LogDestinationDenied(), LogDestinationDenied),
            (InternalServerError(), RecordingUnavailable),
        ],
    )
    def test_one_that_cannot_be_asked_about_is_refused_by_name(
        self,
        world: World,
        inputs: dict[str, str],
        what: str,
        failure: HatchwayError,
        refusal: type[HatchwayError],
    ) -> None:
        world.destinations.failure = failure
        with pytest.raises(refusal, match=what):
            begin(world, **inputs)

    def test_a_recording_that_is_required_needs_it_to_be_there(
        self, world: World, inputs: dict[str, str], what: str
    ) -> None:
        own, off = {"recordingRequired": True}, {"s3EncryptionEnabled": False}
        with pytest.raises(LogDestinationAbsent, match=what):
            begin(world, own=own, cloudWatchEncryptionEnabled=False, **off, **inputs)


@pytest.mark.parametrize(
    "inputs",
    [
        {"s3BucketName": "anybodys"},
        {"cloudWatchLogGroupName": "/anybodys"},
        {"s3BucketName": "archive", "s3KeyPrefix": "recordings/2026"},
        {"s3BucketName": "archive", "s3KeyPrefix": "/audit"},
    ],
)
def test_logs_go_nowhere_that_is_not_allowed(world: World, inputs: dict[str, str]) -> None:
    with pytest.raises(LogDestinationRefused):
        begin(world, **inputs)


def test_the_deployments_own_places_are_encrypted_as_they_are_made(world: World) -> None:
    world.destinations.failure = InternalServerError()  # nobody asks
    begin(world, s3BucketName="archive", cloudWatchLogGroupName="/hatchway/local/sessions")
