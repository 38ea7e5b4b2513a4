"""Who did what is on record: what was allowed and refused, to people, nodes and on the stream;
in the log, in objects, and by `hatchway audit`. Denials are events, and texts are plain."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hatchway.core.audit import HIDDEN
from local.deployment import STAGE
from local.emulator import ACCOUNT, REGION
from local.identities import ADMIN, JOHN, MARY
from local.notifications import inbox
from local.stack import Stack
from local.waiting import until
from tests.integration.archived import archived
from tests.integration.handmade_node import enrol, enrolled, new_secret
from tests.integration.ledger import kept
from tests.integration.logs import messages
from tests.integration.sessions import quiet_shell, start, terminate
from tests.integration.terminal import cli
from tests.vectors.event_schemas import check

pytestmark = pytest.mark.stack

#: Seconds until a record must be there: two functions and a queue later, on a busy machine.
PATIENCE = 60.0
GROUP = f"/hatchway/{STAGE}/audit"
BUS = f"hatchway-{STAGE}"


def records(stack: Stack) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages(stack, GROUP)]


def recorded(stack: Stack, name: str, **request: str) -> dict[str, Any]:
    """The newest record of an operation whose request or answer has these members."""

    def found() -> dict[str, Any] | None:
        meant = [
            each
            for each in records(stack)
            if each["eventName"] == name
            and request.items()
            <= ((each["requestParameters"] or {}) | (each["responseElements"] or {})).items()
        ]
        return meant[-1] if meant else None

    return until(found, PATIENCE, f"no record of {name} with {request}")


@contextmanager
def heard(stack: Stack) -> Iterator[Any]:
    """All that the bus tells meanwhile, by a rule and a queue of the test's own."""
    sqs, events = stack.emulator.client("sqs"), stack.emulator.client("events")
    name = f"test-audit-{secrets.token_hex(6)}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    events.put_rule(Name=name, EventBusName=BUS, EventPattern=json.dumps({"source": ["hatchway"]}))
    events.put_targets(Rule=name, EventBusName=BUS, Targets=[{"Id": "1", "Arn": arn}])
    got: list[dict[str, Any]] = []

    def wait(wanted: Any) -> dict[str, Any]:
        def there() -> dict[str, Any] | None:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
            for each in answer.get("Messages", []):
                got.append(json.loads(each["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            return next((each for each in got if wanted(each)), None)

        return until(there, PATIENCE, "the bus does not tell")

    try:
        yield wait
    finally:
        events.remove_targets(Rule=name, EventBusName=BUS, Ids=["1"])
        events.delete_rule(Name=name, EventBusName=BUS)
        sqs.delete_queue(QueueUrl=url)
        for each in got:  # whatever was told, to anybody, is as docs/events says
            check(each["detail-type"], each["detail"])


def test_a_start_is_recorded_with_who_where_and_no_token(stack: Stack) -> None:
    started = start(stack, Reason="audited")
    terminate(stack, started.session_id)
    record = recorded(stack, "StartSession", sessionId=started.session_id)
    assert record["userIdentity"]["type"] == "IAMUser"
    assert record["userIdentity"]["userName"].endswith(JOHN)
    assert record["requestParameters"] == {"reason": "audited", "target": stack.demo.node}
    assert record["responseElements"]["tokenValue"] == HIDDEN
    assert record["awsRegion"] == REGION
    assert record["recipientAccountId"] == ACCOUNT
    assert record["readOnly"] is False
    assert record["eventSource"] == "people.hatchway"
    ended = recorded(stack, "TerminateSession", sessionId=started.session_id)
    assert ended["userIdentity"]["userName"].endswith(ADMIN)


def test_a_denial_is_recorded_with_its_evidence_and_is_an_event_without_it(stack: Stack) -> None:
    reason = secrets.token_hex(8)
    with heard(stack) as wait:
        reply = stack.people(MARY).call(
            "POST", f"/nodes/{stack.demo.node}/sessions", {"Reason": reason}
        )
        assert reply.code == "AccessDeniedException"
        record = recorded(stack, "StartSession", reason=reason)
        told = wait(
            lambda each: (
                each["detail-type"] == "Access Denied" and each["detail"]["id"] == record["eventID"]
            )
        )
    assert record["errorCode"] == "AccessDeniedException"
    assert record["additionalEventData"]["denial"]["deniedAction"] == "ssm:StartSession"
    assert record["responseElements"] is None
    assert "deniedAction" not in json.dumps(told)
    assert told["detail"]["target"] == stack.demo.node


def test_nodes_and_the_stream_are_recorded_and_the_flow_of_data_is_not(stack: Stack) -> None:
    with quiet_shell(stack) as (session, client):
        client.run("echo so''", "so")
        client.ask("describeSession")
        opened = recorded(stack, "OpenNodeSession", sessionId=session)
        joined = recorded(stack, "OpenDataChannel", sessionId=session)
        asked = recorded(stack, "DescribeSession", sessionId=session)
    assert opened["eventSource"] == "agents.hatchway"
    assert opened["requestParameters"]["enrolmentSecret"] == HIDDEN
    assert joined["userIdentity"]["accountId"] == ACCOUNT
    assert joined["additionalEventData"]["identifiedBy"] == "token"
    assert asked["eventSource"] == "stream.hatchway"
    names = {each["eventName"] for each in records(stack)}
    assert not {"PutFrames", "Ping"} & {
        each["eventName"] for each in records(stack) if "errorCode" not in each
    }
    assert "EnrolNode" in names


def test_somebody_who_says_to_be_a_node_is_recorded_and_told(stack: Stack) -> None:
    node = enrolled(stack)
    with heard(stack) as wait:
        reply = enrol(stack, node.node, new_secret(), node.instance)
        assert reply.code == "NodeRefused"
        told = wait(
            lambda each: (
                each["detail-type"] == "Node Identity Refused"
                and each["detail"]["target"] == node.node
            )
        )
    assert told["detail"]["eventName"] == "EnrolNode"
    record = recorded(stack, "EnrolNode", nodeId=node.node)
    assert record["requestParameters"]["enrolmentSecret"] == HIDDEN


def test_records_are_archived_by_the_hour_for_athena(stack: Stack) -> None:
    started = start(stack)
    terminate(stack, started.session_id)
    record = recorded(stack, "StartSession", sessionId=started.session_id)

    def there() -> str | None:
        for key, found in archived(stack):
            if any(each["eventID"] == record["eventID"] for each in found):
                return key
        return None

    key = until(there, PATIENCE, "the record is not archived")
    time = record["eventTime"]
    assert key.startswith(f"audit/{time[:4]}/{time[5:7]}/{time[8:10]}/{time[11:13]}/{STAGE}-")
    assert key.endswith(".json.gz")


def test_hatchway_audit_finds_calls_by_who_where_and_when(stack: Stack) -> None:
    started = start(stack)
    terminate(stack, started.session_id)
    recorded(stack, "StartSession", sessionId=started.session_id)
    asked = ("--target", stack.demo.node, "--event", "StartSession", "--output", "json")
    found = cli(stack, "audit", *asked, user=ADMIN)
    assert found.returncode == 0, found.stderr
    sessions = [
        (each["responseElements"] or {}).get("sessionId")
        for each in json.loads(found.stdout)["Records"]
    ]
    assert started.session_id in sessions
    looked = recorded(stack, "LookupEvents")
    assert looked["userIdentity"]["userName"].endswith(ADMIN)
    assert looked["readOnly"] is True
    nobody = cli(stack, "audit", "--user", "nobody-of-this-name", user=ADMIN)
    assert (nobody.returncode, nobody.stdout) == (0, ""), nobody.stderr
    assert "No calls." in nobody.stderr


def test_who_may_not_look_calls_up_is_refused_and_recorded(stack: Stack) -> None:
    reply = stack.people(MARY).call("GET", "/audit/events")
    assert reply.code == "AccessDeniedException"


def test_a_text_for_people_has_no_quotes_around_it(stack: Stack) -> None:
    with inbox(stack.emulator, stack.stacks["TopicArn"]) as box:
        with quiet_shell(stack) as (session, _):
            pass
        texts = box.wait_for(lambda text: session in text and " left " in text, PATIENCE)
    (text,) = [each for each in texts if session in each and " left " in each]
    assert text.startswith(f"Hatchway {STAGE}: ")
    assert '"' not in text


def test_no_record_holds_a_secret(stack: Stack) -> None:
    text = "\n".join(messages(stack, GROUP))
    assert not [what for needle, what in kept().items() if what and needle in text]
