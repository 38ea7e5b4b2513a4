"""What somebody changes or takes away while a recording grows, or all of it: each is found.

It is tampered with as root: no role of Hatchway could. `test_replay` has what is changed in a
recording that is over.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import pytest

from hatchway.core.transcript.chunks import Side
from hatchway.core.transcript.evidence import load_manifest
from hatchway.core.transcript.verifying import Fault
from lambdas.ledger import prefix_of
from lambdas.ports import Why
from local.deployment import STAGE
from local.identities import ADMIN
from local.stack import Stack
from local.waiting import until
from tests.integration.bare_client import BareClient
from tests.integration.following import client as client_of
from tests.integration.sessions import described, quiet_client, start, terminate, wait_status
from tests.integration.terminal import cli
from tests.integration.test_audit import heard
from tests.integration.test_recording import (
    ARCHIVED,
    LOGS,
    PASSED,
    Kept,
    _accounted,
    _final,
)
from tests.integration.written import session_document

pytestmark = pytest.mark.stack

#: Seconds by which an end is moved back: then the archive should have been done with it.
LONG_AGO = 1000
#: Sessions that are checked besides.
NEWEST = 3
TABLE = f"hatchway-{STAGE}"


@pytest.fixture(scope="module")
def kept(stack: Stack) -> Kept:
    return Kept(stack)


@contextmanager
def shell(stack: Stack, **members: object) -> Iterator[tuple[str, BareClient]]:
    started = start(stack, ADMIN, "", **members)
    with quiet_client(stack, started) as client:
        yield started.session_id, client


def prefix_for(stack: Stack, session: str) -> str:
    return prefix_of(session, float(str(described(stack, session)["StartDate"])))


def failure(session: str, code: str) -> Any:
    def meant(event: dict[str, Any]) -> bool:
        detail = event["detail"]
        told = event["detail-type"] == "Recording Failed" and detail["sessionId"] == session
        return told and bool(detail["errorCode"] == code)

    return meant


def checkpoint(kept: Kept, prefix: str) -> int:
    """How many there are."""
    data = kept.object(f"{prefix}manifest.json")
    if data is None:
        return 0
    return load_manifest(base64.b64decode(json.loads(data)["manifest"])).checkpoint + 1


def test_a_checkpoint_whose_state_was_changed_is_told_and_not_gone_on_from(
    stack: Stack, kept: Kept
) -> None:
    """A changed state could make the archive pass over what is to come, and sign that."""
    with session_document(stack, cloudWatchLogGroupName=LOGS) as name, heard(stack) as wait:
        with shell(stack, DocumentName=name) as (session, client):
            prefix = prefix_for(stack, session)
            kept.look(session)  # a streamed session has a checkpoint at each look
            number = until(lambda: checkpoint(kept, prefix), ARCHIVED, "no checkpoint") - 1
            key = f"{prefix}state-{number:06d}.json"
            state = kept.object(key) or b""
            changed = json.loads(state)
            changed["state"]["node"]["expected"] += 1000
            kept.s3.put_object(Bucket=kept.bucket, Key=key, Body=json.dumps(changed).encode())
            client.run("echo af''ter", "after")
            kept.look(session)
            wait(failure(session, "MalformedRecording"))
            assert checkpoint(kept, prefix) == number + 1
            kept.s3.put_object(Bucket=kept.bucket, Key=key, Body=state)
            terminate(stack, session)
        until(lambda: _final(kept, prefix), ARCHIVED, "it is not gone on from what was put back")
    assert "after" in cli(stack, "logs", session, user=ADMIN).stdout
    assert cli(stack, "verify", session, user=ADMIN).returncode == 0


def test_what_passed_and_is_taken_away_before_a_checkpoint_is_a_gap(
    stack: Stack, kept: Kept
) -> None:
    """What follows shows it by its number; at the end, the node's own count does."""
    with shell(stack) as (session, client):
        prefix = prefix_for(stack, session)
        client.run("echo ta''ken", "taken")
        kept.logs.delete_log_stream(logGroupName=PASSED, logStreamName=session)
        client.type("exit\r")
        client.until(lambda: client.closed is not None or client.lost)
        wait_status(stack, session, "Terminated")
    until(lambda: _final(kept, prefix), ARCHIVED, "no manifest")
    kept.look(session, Why.LATE)  # two minutes after the end, otherwise
    manifest = until(lambda: _accounted(kept, prefix), ARCHIVED, "its end is not accounted for")
    assert manifest.sides[Side.NODE].gaps >= 1
    assert "gaps" in cli(stack, "verify", session, user=ADMIN).stdout
    assert "taken" not in cli(stack, "logs", session, user=ADMIN).stdout


# --- all of it ----------------------------------------------------------------------------------


def test_a_recording_or_a_session_that_was_deleted_is_named(stack: Stack, kept: Kept) -> None:
    """`verify --all` reconciles sessions with recordings; here with the newest sessions, so that
    what else ran on these stacks is not checked with them."""
    with shell(stack) as (session, client):
        prefix = prefix_for(stack, session)
        client.run(f"echo {secrets.token_hex(4)}", "\n")
        terminate(stack, session)
    wait_status(stack, session, "Terminated")
    until(lambda: _final(kept, prefix), ARCHIVED, "no manifest")
    ended_long_ago(stack, session)
    listed = kept.s3.list_objects_v2(Bucket=kept.bucket, Prefix=prefix)["Contents"]
    held = {each["Key"]: kept.object(each["Key"]) or b"" for each in listed}
    assert faults(stack, session) == []

    for key in held:
        kept.s3.delete_object(Bucket=kept.bucket, Key=key)
    assert faults(stack, session) == ["no manifest"]

    for key, data in held.items():
        kept.s3.put_object(Bucket=kept.bucket, Key=key, Body=data)
    assert faults(stack, session) == []

    stack.emulator.client("dynamodb").delete_item(TableName=TABLE, Key=key_of(session))
    hatchway = client_of(stack, ADMIN)
    newest = list(islice(hatchway.sessions("History"), NEWEST))
    assert session not in {each.session_id for each in newest}
    found = hatchway.recordings.verify_all(newest, started=[session])
    [named] = [each for each in found if each.session_id == session]
    assert [finding.fault for finding in named.findings] == [Fault.UNKNOWN_SESSION]
    day = "-".join(prefix.split("/")[1:4])
    assert faults(stack, session, "--date", day) == []  # it is as it was stored


def ended_long_ago(stack: Stack, session: str) -> None:
    """The archive has 15 minutes; as far as the table knows they are over."""
    stack.emulator.client("dynamodb").update_item(
        TableName=TABLE,
        Key=key_of(session),
        UpdateExpression="SET ended = ended - :long",
        ExpressionAttributeValues={":long": {"N": str(LONG_AGO)}},
    )


def key_of(session: str) -> dict[str, Any]:
    return {"pk": {"S": f"SESSION#{session}"}, "sk": {"S": "STATE"}}


def faults(stack: Stack, *asked: str) -> list[str]:
    done = cli(stack, "verify", *asked, "--output", "json", user=ADMIN)
    found = json.loads(done.stdout)["Recordings"]
    return [finding["Fault"] for each in found for finding in each["Findings"]]
