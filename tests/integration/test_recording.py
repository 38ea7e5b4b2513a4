"""Recording over the deployed stacks: what passes is kept, archived, and goes where it is to.

What is stored is looked at as root; nothing that is tested is asked for as root.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from hatchway.core.transcript.chunks import Side
from hatchway.core.transcript.evidence import Manifest, load_manifest, read_segment
from hatchway.core.wire import MessageType, to_text
from lambdas.adapters.looks import written
from lambdas.ledger import prefix_of
from lambdas.ports import Look, Why
from local.deployment import STAGE
from local.identities import ADMIN
from local.stack import Stack
from local.waiting import until
from tests.integration.handmade_node import enrolled, online
from tests.integration.ledger import secret
from tests.integration.sessions import (
    connect,
    connect_quietly,
    described,
    quiet_shell,
    start,
    terminate,
    wait_status,
)
from tests.integration.test_audit import heard
from tests.integration.written import session_document
from tests.unit.edge.frames import frame

pytestmark = pytest.mark.stack

PASSED, LOGS = f"/hatchway/{STAGE}/recordings", f"/hatchway/{STAGE}/sessions"
#: Seconds: an end, its settling, and a cold function.
ARCHIVED = 60.0


class Kept:
    """What is kept, as root sees it."""

    def __init__(self, stack: Stack) -> None:
        self.logs, self.s3 = stack.emulator.client("logs"), stack.emulator.client("s3")
        self.sqs, self.kms = stack.emulator.client("sqs"), stack.emulator.client("kms")
        names = [each["Name"] for each in self.s3.list_buckets()["Buckets"]]
        [self.bucket] = [name for name in names if name.startswith(f"hatchway-{STAGE}-archive-")]

    def events(self, group: str, stream: str) -> list[str]:
        """A stream's events; none where it is not there."""
        try:
            pages = self.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, logStreamNames=[stream]
            )
            return [event["message"] for page in pages for event in page["events"]]
        except self.logs.exceptions.ResourceNotFoundException:
            return []

    def object(self, key: str) -> bytes | None:
        try:
            body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None
        return body

    def look(self, session: str, why: Why = Why.RUNS) -> None:
        """Does not wait for the minute."""
        url = self.sqs.get_queue_url(QueueName=f"hatchway-{STAGE}-archive")["QueueUrl"]
        self.sqs.send_message(QueueUrl=url, MessageBody=written(Look(session_id=session, why=why)))


@pytest.fixture(scope="module")
def kept(stack: Stack) -> Kept:
    return Kept(stack)


def test_a_session_is_recorded_and_its_log_goes_to_both_destinations(
    stack: Stack, kept: Kept
) -> None:
    printed = secret(secrets.token_hex(8), "printed text")
    wanted: dict[str, Any] = {
        "s3BucketName": kept.bucket,
        "s3KeyPrefix": "logs/web",
        "s3EncryptionEnabled": True,
        "cloudWatchLogGroupName": LOGS,
        "cloudWatchEncryptionEnabled": True,
    }
    with session_document(stack, **wanted) as name:
        started = start(stack, ADMIN, DocumentName=name)
        session, client = started.session_id, connect_quietly(stack, started)
        client.run(f"echo {printed[:8]}''{printed[8:]}; echo do''ne", "done")
        passed = kept.events(PASSED, session)
        assert passed
        assert all(json.loads(event)["v"] == 2 for event in passed)  # sealed: test_sealed.py
        kept.look(session)  # streaming: before the end
        streamed = until(
            lambda: [e for e in kept.events(LOGS, session) if printed in e], ARCHIVED, "no stream"
        )
        client.socket.close()
        terminate(stack, session)
        ended = wait_status(stack, session, "Terminated")
    event = json.loads(streamed[0])
    assert event["sessionId"] == session
    assert event["target"] == {"id": stack.demo.node}
    assert set(event) >= {"eventVersion", "eventTime", "awsRegion", "userIdentity", "runAsUser"}
    assert any(printed in line for line in event["sessionData"])
    log = until(lambda: kept.object(f"logs/web/{session}.log"), ARCHIVED, "no log in S3")
    assert printed in log.decode()
    assert "\x1b" not in log.decode()
    _check_archive(kept, session, float(str(ended["StartDate"])), printed)


def _check_archive(kept: Kept, session: str, began: float, printed: str) -> None:
    prefix = prefix_of(session, began)
    manifest = until(lambda: _final(kept, prefix), ARCHIVED, "no final manifest")
    assert manifest.session == session
    assert manifest.segments
    lines = [
        json.loads(line)
        for segment in manifest.segments
        for line in read_segment(kept.object(prefix + segment.name) or b"")
    ]
    shown = b"".join(base64.b64decode(c["data"]) for c in lines if c["kind"] == "output")
    assert printed.encode() in shown
    assert [c["i"] for c in lines] == list(range(len(lines)))
    assert not [c for c in lines if c["kind"] == "gap"]


def _final(kept: Kept, prefix: str) -> Manifest | None:
    data = kept.object(prefix + "manifest.json")
    if data is None:
        return None
    found = load_manifest(base64.b64decode(json.loads(data)["manifest"]))
    return found if found.final else None


# --- a node that contradicts itself -------------------------------------------------------------


def test_another_content_under_the_same_number_ends_the_session_and_is_marked(
    stack: Stack, kept: Kept
) -> None:
    made = enrolled(stack)
    with online(made):
        started = start(stack, ADMIN, made.node)
        session = started.session_id
        client = connect(stack, started)
        opened = made.open(session)
        assert opened.fields["Recorded"] is True
        ticket = str(opened.fields["Ticket"])
        for content in (b"what the client saw", b"what it says later"):
            reply = made.frames(session, ticket, to_text([frame(MessageType.OUTPUT, content)]))
            assert reply.status == 200, (reply.status, reply.code)
        kept.look(session)
        ended = wait_status(stack, session, "Terminated", "Terminating")
        client.socket.close()
    assert ended["EndReason"] == "recording contradicts itself"
    lines = until(lambda: _lines(kept, session, ended), ARCHIVED, "no recording")
    assert [c["kind"] for c in lines] == ["output", "marker"]
    assert "mismatch" in lines[1]["note"]


def _lines(kept: Kept, session: str, described: Mapping[str, object]) -> list[dict[str, Any]]:
    """The recording's chunks, as far as it has come."""
    prefix = prefix_of(session, float(str(described["StartDate"])))
    data = kept.object(prefix + "000000.jsonl.gz")
    return [json.loads(line) for line in read_segment(data)] if data else []


# --- a recording that must be, and cannot -------------------------------------------------------


def test_a_session_that_must_be_recorded_ends_where_it_cannot_be(stack: Stack, kept: Kept) -> None:
    with session_document(stack, own={"recordingRequired": True}) as name:
        started = start(stack, ADMIN, DocumentName=name)
        session, client = started.session_id, connect_quietly(stack, started)
        assert kept.events(PASSED, session)
        with denied(stack, "Uplink", "logs:PutLogEvents"):
            client.type("echo never seen\n")
            ended = wait_status(stack, session, "Terminated", "Terminating")
        shown = bytes(client.output)
        client.socket.close()
    assert ended["EndReason"] == "recording failed"
    assert b"never seen" not in shown


def test_one_that_need_not_be_goes_on_with_a_gap(stack: Stack, kept: Kept) -> None:
    with quiet_shell(stack) as (session, client):
        with denied(stack, "Uplink", "logs:PutLogEvents"):
            client.run("echo uns''een; echo do''ne", "done")
        before = len(kept.events(PASSED, session))

        def again() -> bool:
            client.run("echo se''en", "seen")
            return len(kept.events(PASSED, session)) > before

        until(again, ARCHIVED, "nothing is recorded again")
        began = float(str(described(stack, session)["StartDate"]))
    manifest = until(lambda: _final(kept, prefix_of(session, began)), ARCHIVED, "no manifest")
    assert manifest.sides[Side.NODE].gaps >= 1


def test_a_last_message_that_was_delivered_and_not_stored_is_a_gap_and_told(
    stack: Stack, kept: Kept
) -> None:
    """The node says at the end how much there was: without that the tail would just be missing."""
    started = start(stack, ADMIN)
    session, client = started.session_id, connect_quietly(stack, started)
    with heard(stack) as wait:
        with denied(stack, "Uplink", "logs:PutLogEvents"):
            client.run("echo uns''een; exit", "unseen")
            client.until(lambda: client.closed is not None or client.lost)
            ended = wait_status(stack, session, "Terminated")
        client.socket.close()
        prefix = prefix_of(session, float(str(ended["StartDate"])))
        manifest = until(lambda: _final(kept, prefix), ARCHIVED, "no manifest")
        assert manifest.end_known
        assert manifest.unstored > 0
        kept.look(session, Why.LATE)  # two minutes after the end, otherwise
        told = wait(
            lambda event: (
                event["detail-type"] == "Recording Failed"
                and event["detail"]["sessionId"] == session
            )
        )
    assert told["detail"]["errorCode"] == "RecordingIncomplete"
    manifest = until(lambda: _accounted(kept, prefix), ARCHIVED, "the manifest is the same")
    assert manifest.sides[Side.NODE].gaps == 1


def _accounted(kept: Kept, prefix: str) -> Manifest | None:
    found = _final(kept, prefix)
    return found if found is not None and not found.unstored else None


@contextmanager
def denied(stack: Stack, family: str, action: str) -> Iterator[None]:
    """A function's role may not do this for a while."""
    iam = stack.emulator.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    roles = [role["RoleName"] for page in pages for role in page["Roles"]]
    [role] = [name for name in roles if f"-{family}Role" in name]
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")
