"""Each family as Lambda loads it: from its environment, over AWS's client libraries, one log line.

moto stands for AWS, and on loopback what answers every signed call of those that do without the
SDK; what the families decide is tested over the twins.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest
from moto import mock_aws

from benchmarks import fake_aws
from hatchway.core.tokens import new_token, token_digest
from hatchway.core.wire import MessageType, to_text
from lambdas import environment
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.audit.gathering import packed
from lambdas.environment import EnvironmentIncomplete
from lambdas.ports import Node, Token
from local.places import ROOT
from tests.contract.cloud import Cloud
from tests.unit.edge.frames import frame
from tests.unit.edge.world import CHANNEL_ROLE, NODE, SESSION, World, recorded

_PEOPLE = ("TABLE", "CHANNEL_ROLE_ID", "AWS_REGION")
_RECORDED = ("RECORDINGS", "RECORDING_KEY", "ARCHIVE_QUEUE")

#: What each family cannot start without; it starts with this alone.
NEEDS: Mapping[str, Sequence[str]] = {
    "connect": ("TABLE", "STAGE", "STREAM_MANAGEMENT_URL", "CHANNEL_ROLE_ID", "AWS_REGION"),
    "relay": ("STAGE", "SEAL_SECRET", *_RECORDED),
    "uplink": ("STAGE", "TICKET_SECRET", "STREAM_MANAGEMENT_URL", "CHANNEL_ROLE_ID", *_RECORDED),
    "agents": (
        "TABLE",
        "STAGE",
        "STREAM_MANAGEMENT_URL",
        "SEAL_SECRET",
        "TICKET_SECRET",
        "CHANNEL_ROLE_ID",
        "ARCHIVE_QUEUE",
    ),
    "sessions": (
        *_PEOPLE,
        "STAGE",
        "STREAM_URL",
        "STREAM_MANAGEMENT_URL",
        "RECORDINGS",
        "AUDIT_LOG",
        "LOG_DESTINATIONS",
    ),
    "documents": (*_PEOPLE, "CHANGES_QUEUE"),
    "recordings": (*_PEOPLE, "ARCHIVE", "RECORDINGS", "RECORDING_KEY", "SIGNING_KEY"),
    "nodes": (
        "TABLE",
        "STAGE",
        "STREAM_MANAGEMENT_URL",
        "RECHECK_QUEUE",
        "CHANNEL_ROLE_ID",
        "CHANNEL_ROLE_ARN",
        "AGENT_API_ARN",
    ),
    "events": ("STAGE", "EVENT_BUS"),
    "audit": (
        "STAGE",
        "EVENT_BUS",
        "AUDIT_LOG",
        "AUDIT_QUEUE",
        "ARCHIVE_BUCKET",
        "ACCOUNT",
        "AWS_REGION",
    ),
    "notify": ("TOPIC", "ALARM_TOPIC"),
    "push": ("TABLE", "STREAM_MANAGEMENT_URL"),
    "sweep": ("TABLE", "STAGE", "STREAM_MANAGEMENT_URL"),
    "review": ("TABLE", "STAGE", "STREAM_MANAGEMENT_URL", "CHANNEL_ROLE_ID", "AWS_REGION"),
    "archive": (
        "TABLE",
        "STAGE",
        "STREAM_MANAGEMENT_URL",
        "ARCHIVE",
        "SIGNING_KEY",
        "EVENT_BUS",
        "LOG_DESTINATIONS",
        "AWS_REGION",
        *_RECORDED,
    ),
}
TOKEN = new_token(bytes(32))


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """An empty AWS with the service's table, secrets and bus; the functions' environment."""
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws(), fake_aws.serving() as url:
        cloud = Cloud("")
        variables = {
            "TABLE": cloud.table(),
            "STAGE": "local",
            "STREAM_MANAGEMENT_URL": url,
            "IOT_DATA_URL": url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
            "CHANNEL_ROLE_ARN": "arn:aws:iam::123456789012:role/channel",
            "CHANNEL_ROLE_ID": CHANNEL_ROLE,
            "AGENT_API_ARN": "arn:aws:execute-api:us-east-1:123456789012:a1/local",
            "EVENT_BUS": "hatchway-local",
            "RECHECK_QUEUE": cloud.client("sqs").create_queue(QueueName="rechecks")["QueueUrl"],
            "RECORDINGS": "/hatchway/local/recordings",
            "AUDIT_LOG": "/hatchway/local/audit",
            "AUDIT_QUEUE": cloud.client("sqs").create_queue(QueueName="audit")["QueueUrl"],
            "ARCHIVE_BUCKET": "archive",
            "ACCOUNT": "123456789012",
            "TOPIC": cloud.client("sns").create_topic(Name="people")["TopicArn"],
            "ALARM_TOPIC": cloud.client("sns").create_topic(Name="alarms")["TopicArn"],
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": url,
            "ARCHIVE_QUEUE": cloud.client("sqs").create_queue(QueueName="archive")["QueueUrl"],
            "AWS_REGION": "us-east-1",
            "STREAM_URL": "wss://stream.example.org/local",
            "CHANGES_QUEUE": cloud.client("sqs").create_queue(QueueName="changes")["QueueUrl"],
            "ARCHIVE": "archive",
            "SIGNING_KEY": "signing",
            "RECORDING_KEY": "recording",
            "LOG_DESTINATIONS": json.dumps(
                {
                    "ownBucket": "archive",
                    "ownGroup": "/hatchway/local/sessions",
                    "owner": "123456789012",
                    "buckets": [],
                    "groups": [],
                }
            ),
        }
        variables |= {f"{name}_SECRET": name for name in ("SEAL", "TICKET")}
        cloud.client("events").create_event_bus(Name="hatchway-local")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield variables


def entry(family: str) -> ModuleType:
    """The family's entry module, its init run anew as in a cold start: a logger that another test
    has had made would write to that one's output."""
    logging.Logger.manager.loggerDict.pop(f"hatchway-{family}", None)
    name = f"lambdas.{family}.entry"
    sys.modules.pop(name, None)
    return importlib.import_module(name)


def logged(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if '"family"' in line]


EVENTS: dict[str, Any] = {
    "connect": lambda: recorded("ws_authorizer.json"),
    "relay": lambda: (
        recorded("ws_message.json") | {"body": to_text([frame(MessageType.INPUT, b"ls\r")])}
    ),
    "uplink": lambda: recorded("rest_frames.json"),
    "agents": lambda: recorded("rest_open.json"),
    "nodes": lambda: recorded("iot_connected.json"),
    "events": lambda: recorded("stream.json"),
    "audit": lambda: packed({"messageType": "CONTROL_MESSAGE"}),
    "notify": lambda: {"detail-type": "Session State Change", "detail": {"summary": "John left."}},
    "sessions": lambda: recorded("rest_open.json"),
    "documents": lambda: recorded("rest_open.json"),
    "recordings": lambda: recorded("rest_open.json"),
    "push": lambda: {"detail-type": "Session State Change", "detail": {}},
    "archive": lambda: {"source": "aws.events"},
    "sweep": lambda: {"source": "aws.events"},
    "review": lambda: {"source": "aws.events"},
}


@pytest.mark.parametrize("family", NEEDS)
def test_a_family_starts_from_its_environment_and_writes_one_line(
    aws: Mapping[str, str],
    family: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in {name for names in NEEDS.values() for name in names} - {*NEEDS[family]}:
        monkeypatch.delenv(name)
    handler = entry(family).handler
    capsys.readouterr()
    handler(EVENTS[family](), None)
    [line] = logged(capsys.readouterr().out)
    assert line["family"] == family
    assert line["level"] in ("INFO", "WARNING")


@pytest.mark.parametrize(
    ("family", "lost"), [(family, name) for family, names in NEEDS.items() for name in names]
)
def test_a_variable_that_is_missing_is_said_at_init(
    aws: Mapping[str, str], family: str, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(lost)
    with pytest.raises(EnvironmentIncomplete, match=lost):
        entry(family)


def test_every_family_is_started_here() -> None:
    entries = (ROOT / "lambdas").glob("*/entry.py")
    assert {path.parent.name for path in entries} == NEEDS.keys() == EVENTS.keys()


def test_a_stage_that_could_not_stand_in_a_topic_is_refused() -> None:
    with pytest.raises(Exception, match="stage"):
        environment.stage({"STAGE": "Local+#"})


def test_a_token_opens_one_connection_on_the_real_table_adapter(aws: Mapping[str, str]) -> None:
    world = World()
    now = 4_000_000_000.0  # the entry has the real clock
    token = Token(digest=token_digest(TOKEN), session_id=SESSION, expires=now)
    TableSessions(aws["TABLE"]).create(world.start(), token, None)
    event = recorded("ws_authorizer.json")
    event["multiValueHeaders"]["Sec-WebSocket-Protocol"] = [f"hatchway.v1, {TOKEN}"]
    handler = entry("connect").handler
    first, again = handler(event, None), handler(event, None)
    assert first["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert first["context"]["generation"] == "1"
    assert again == first


def test_presence_reaches_the_real_table_adapter(aws: Mapping[str, str]) -> None:
    nodes = TableNodes(aws["TABLE"])
    nodes.create(Node(node_id=NODE))
    entry("nodes").handler(recorded("iot_connected.json"), None)
    node = nodes.get(NODE)
    assert node is not None
    assert node.online


def test_a_node_that_went_is_looked_at_again_over_the_real_adapters(
    aws: Mapping[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    nodes, sessions = TableNodes(aws["TABLE"]), TableSessions(aws["TABLE"])
    nodes.create(Node(node_id=NODE))
    token = Token(digest=token_digest(TOKEN), session_id=SESSION, expires=4_000_000_000.0)
    sessions.create(World().start(), token, None)
    for name in ("iot_connected.json", "iot_disconnected.json"):
        entry("nodes").handler(recorded(name), None)
    queue, body = Cloud("").client("sqs"), recorded("sqs_recheck.json")
    name = "ApproximateNumberOfMessagesDelayed"
    attributes = queue.get_queue_attributes(QueueUrl=aws["RECHECK_QUEUE"], AttributeNames=[name])
    assert attributes["Attributes"][name] == "1"
    capsys.readouterr()
    assert entry("sweep").handler(body, None) == {"batchItemFailures": []}
    [line] = logged(capsys.readouterr().out)
    assert (line["lost"], line["ended"]) == (1, 1)
    session = sessions.get(SESSION)
    assert session is not None
    assert session.end_reason == "node lost"
