"""Destinations of sessions' logs that are throttled, denied or absent: what docs/recording.md says.

Each way a session goes on with both of its destinations gone, ends, and gets its whole log when
they are back. What is stored is looked at as root; nothing that is tested is asked for as root.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lambdas.ledger import prefix_of
from lambdas.ports import Why
from local.deployment import STAGE
from local.identities import ADMIN
from local.stack import Stack
from local.waiting import until
from tests.integration.bare_client import BareClient
from tests.integration.faults import Faults, faulty
from tests.integration.logs import messages
from tests.integration.outside import Outside, outside, policy
from tests.integration.sessions import described, quiet_client, start, terminate, wait_status
from tests.integration.test_audit import heard
from tests.integration.test_recording import ARCHIVED, Kept, _final
from tests.integration.written import session_document

pytestmark = pytest.mark.stack

METRIC = '"RecordingFailed"'


@dataclass(frozen=True, slots=True)
class Places:
    """What the file's tests share: the destinations, and the proxy before them."""

    stack: Stack
    kept: Kept
    outside: Outside
    faults: Faults

    def refused(self, **inputs: object) -> tuple[str, str]:
        """StartSession's error code and text with these inputs."""
        with session_document(self.stack, **inputs) as name:
            path = f"/nodes/{self.stack.demo.node}/sessions"
            reply = self.stack.people(ADMIN).call("POST", path, {"DocumentName": name})
        assert reply.status != 200, "it started"
        return reply.code, str(reply.fields["message"])

    def streamed(self, session: str) -> list[str]:
        events = [json.loads(e) for e in self.kept.events(self.outside.group, session)]
        return [line for event in events for line in event["sessionData"]]

    def log(self, session: str) -> str | None:
        found = self.outside.object(f"logs/{session}.log")
        return found["Body"].read().decode() if found is not None else None

    def alarmed(self) -> int:
        """How often the metric that the alarm looks at was counted."""
        group = f"/aws/lambda/hatchway-{STAGE}-archive"
        return sum(message.count(METRIC) > 1 for message in messages(self.stack, group))


@pytest.fixture(scope="module")
def places(stack: Stack) -> Iterator[Places]:
    with faulty(stack) as faults:
        urls = {f"AWS_ENDPOINT_URL_{service}": faults.url for service in ("S3", "CLOUDWATCH_LOGS")}
        with outside(stack, **urls) as found:
            yield Places(stack, Kept(stack), found, faults)


@contextmanager
def throttled(places: Places) -> Iterator[None]:
    places.faults.throttled |= {places.outside.bucket, places.outside.group}
    try:
        yield
    finally:
        places.faults.throttled.clear()


def denied(places: Places) -> AbstractContextManager[None]:
    """As by a policy of the bucket, or of the organisation."""
    resources = [f"arn:aws:s3:::{places.outside.bucket}/*"]
    resources += places.outside.streams
    actions = ["s3:PutObject", "logs:PutLogEvents", "logs:CreateLogStream"]
    statement = {"Effect": "Deny", "Action": actions, "Resource": resources}
    return policy(places.stack, "Archive", "denied", [statement])


@contextmanager
def absent(places: Places) -> Iterator[None]:
    places.outside.remove()
    try:
        yield
    finally:
        places.outside.make()


@contextmanager
def shell(stack: Stack, document: str) -> Iterator[tuple[str, BareClient]]:
    started = start(stack, ADMIN, DocumentName=document)
    with quiet_client(stack, started) as client:
        yield started.session_id, client


def printed(client: BareClient) -> str:
    """A word that the shell prints and nobody typed."""
    word = secrets.token_hex(8)
    client.run(f"echo {word[:8]}''{word[8:]}", word)
    return word


Broken = Callable[[Places], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (throttled, "ThrottlingException"),
        (denied, "LogDestinationDenied"),
        (absent, "LogDestinationAbsent"),
    ],
)
def test_a_session_goes_on_without_its_destinations_and_they_get_it_all_later(
    places: Places, broken: Broken, code: str
) -> None:
    stack, kept = places.stack, places.kept
    with session_document(stack, **places.outside.inputs()) as name, heard(stack) as wait:
        with shell(stack, name) as (session, client):
            before = places.alarmed()
            with broken(places):
                words = [printed(client)]
                kept.look(session)
                event = wait(_failure(session, "cloudwatch"))
                assert event["detail"]["errorCode"] == code
                words.append(printed(client))
                assert described(stack, session)["Status"] == "Connected"
                terminate(stack, session)
                ended = wait_status(stack, session, "Terminated")
                assert wait(_failure(session, "s3"))["detail"]["errorCode"] == code
                prefix = prefix_of(session, float(str(ended["StartDate"])))
                until(lambda: _final(kept, prefix), ARCHIVED, "the archive waits for the others")
        until(lambda: places.alarmed() >= before + 2, ARCHIVED, "no metric for the alarm")
        kept.look(session, Why.ENDED)
        log = until(lambda: places.log(session), ARCHIVED, "no log in S3")
    assert ended["EndReason"] != "recording failed"
    assert set(words) <= set(log.splitlines())
    streamed = places.streamed(session)
    assert [streamed.count(word) for word in words] == [1, 1]


def _failure(session: str, destination: str) -> Callable[[dict[str, Any]], bool]:
    def meant(event: dict[str, Any]) -> bool:
        detail = event["detail"]
        told = event["detail-type"] == "Recording Failed" and detail["sessionId"] == session
        return told and bool(detail["destination"] == destination)

    return meant


def test_a_session_that_must_be_recorded_ends_without_its_destination(places: Places) -> None:
    stack = places.stack
    wanted = places.outside.inputs(own={"recordingRequired": True})
    with session_document(stack, **wanted) as name, shell(stack, name) as (session, client):
        with denied(places):
            printed(client)
            places.kept.look(session)
            ended = wait_status(stack, session, "Terminated", "Terminating")
        assert ended["EndReason"] == "recording failed"


def test_what_goes_outside_is_under_the_key_that_was_asked_for(places: Places) -> None:
    """The session's start asked both; what is stored there bears the bucket's own key."""
    stack = places.stack
    with session_document(stack, **places.outside.inputs()) as name:
        with shell(stack, name) as (session, client):
            word = printed(client)
            terminate(stack, session)
        wait_status(stack, session, "Terminated")
        log = until(lambda: places.log(session), ARCHIVED, "no log in S3")
    assert word in log.splitlines()
    assert word in places.streamed(session)


def test_a_destination_without_encryption_is_refused_by_its_name(places: Places) -> None:
    wanted = places.outside.inputs(cloudWatchLogGroupName=places.outside.plain)
    code, text = places.refused(**wanted)
    assert code == "LogDestinationRefused"
    assert places.outside.plain in text
    assert "cloudWatchEncryptionEnabled" in text


def test_a_destination_that_is_not_allowed_is_refused_by_its_name(places: Places) -> None:
    for name in ("s3BucketName", "cloudWatchLogGroupName"):
        code, text = places.refused(**places.outside.inputs(**{name: "somewhere-else"}))
        assert (code, "somewhere-else" in text) == ("LogDestinationRefused", True)


def test_what_is_not_there_at_the_start_is_refused_by_its_name(places: Places) -> None:
    for name in ("s3BucketName", "cloudWatchLogGroupName"):
        code, text = places.refused(**places.outside.inputs(**{name: places.outside.missing}))
        assert (code, places.outside.missing in text) == ("LogDestinationAbsent", True)


def test_what_may_not_be_asked_about_is_refused_by_its_name(places: Places) -> None:
    code, text = places.refused(**places.outside.inputs(s3BucketName=places.outside.hidden))
    assert (code, places.outside.hidden in text) == ("LogDestinationDenied", True)
