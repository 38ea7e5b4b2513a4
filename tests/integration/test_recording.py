"""Recording over the deployed stacks: what passes is kept, archived, and goes where it is to.

What is stored is looked at as root; nothing that is tested is asked for as root.
"""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import pytest

from hatchway.core.transcript.evidence import Manifest, load_manifest, read_segment
from lambdas.adapters.looks import written
from lambdas.ledger import prefix_of
from lambdas.ports import Look, Why
from local.deployment import STAGE
from local.identities import ADMIN
from local.stack import Stack
from local.waiting import until
from tests.integration.ledger import secret
from tests.integration.sessions import QUIET, connect, start, terminate, wait_status
from tests.integration.written import session_document

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
        session, client = started.session_id, connect(stack, started)
        client.greet()
        client.resize(80, 24)
        client.run(QUIET + "echo qu''iet", "quiet")
        client.run(f"echo {printed[:8]}''{printed[8:]}; echo do''ne", "done")
        passed = kept.events(PASSED, session)
        assert passed
        assert all(json.loads(event)["v"] == 1 for event in passed)
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
