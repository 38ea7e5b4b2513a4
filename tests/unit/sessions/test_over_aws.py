"""The function as Lambda runs it, over the adapters: moto stands for AWS."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from lambdas.adapters.table import TableNodes
from lambdas.ports import Node
from tests.contract.cloud import Cloud
from tests.unit.sessions.test_wiring import ENVIRONMENT
from tests.unit.sessions.world import Person, allow

ACCOUNT = "123456789012"  # moto's own
ROUTE = "/nodes/{nodeId}/sessions"
WEB_ONLY = allow("ssm:StartSession", Condition={"StringEquals": {"ssm:resourceTag/team": "web"}})


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        found = Cloud("")
        for name, value in {**ENVIRONMENT, "TABLE": found.table()}.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def handler(cloud: Cloud, first_logger: None) -> Iterator[Any]:
    """The entry module reads its environment when it is imported: afresh for each test, at the
    first call, when standard output is already the test's."""
    sys.modules.pop("lambdas.sessions.entry", None)

    def handle(event: object, context: object) -> Any:
        return importlib.import_module("lambdas.sessions.entry").handler(event, context)

    yield handle
    sys.modules.pop("lambdas.sessions.entry", None)


def node_tagged(cloud: Cloud, team: str) -> str:
    """An instance with a tag and an agent that is connected."""
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": team}]}]
    made = cloud.client("ec2").run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=tags
    )
    node_id = str(made["Instances"][0]["InstanceId"])
    TableNodes(os.environ["TABLE"]).create(Node(node_id=node_id, online=True))
    return node_id


def user(cloud: Cloud, name: str, *documents: object) -> Person:
    iam = cloud.client("iam")
    made = iam.create_user(UserName=name)["User"]
    for number, document in enumerate(documents):
        iam.put_user_policy(
            UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(document)
        )
    return Person(made["Arn"], made["UserId"])


def call(
    handler: Any, person: Person, method: str, resource: str, path: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    event = {
        "resource": resource,
        "path": "/",
        "httpMethod": method,
        "headers": {},
        "multiValueHeaders": {},
        "pathParameters": path,
        "requestContext": {
            "accountId": ACCOUNT,
            "requestId": "request-1",
            "identity": person.identity(),
        },
        "body": None,
        "isBase64Encoded": False,
    }
    answer = handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_a_session_is_started_resumed_and_ended_by_ones_own_policies(
    cloud: Cloud, handler: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    node = node_tagged(cloud, "web")
    own = allow(
        "ssm:ResumeSession",
        "ssm:TerminateSession",
        on=f"arn:aws:ssm:*:{ACCOUNT}:session/${{aws:username}}-*",
    )
    john = user(cloud, "john", WEB_ONLY, own, allow("ssm:DescribeSessions"))
    status, started = call(handler, john, "POST", ROUTE, {"nodeId": node})
    assert (status, started.get("StreamUrl")) == (200, ENVIRONMENT["STREAM_URL"])
    path = {"sessionId": started["SessionId"]}
    status, resumed = call(handler, john, "POST", "/sessions/{sessionId}/resume", path)
    assert status == 200
    assert resumed["TokenValue"] != started["TokenValue"]
    assert call(handler, john, "DELETE", "/sessions/{sessionId}", path)[0] == 200
    status, shown = call(handler, john, "GET", "/sessions/{sessionId}", path)
    assert (status, shown["Status"], shown["Target"]) == (200, "Terminated", node)
    printed = capsys.readouterr().out
    # A line for the log and one for the trail, of each call.
    assert len(printed.splitlines()) == 2 * 4
    assert started["TokenValue"] not in printed


def test_another_tag_is_refused(cloud: Cloud, handler: Any) -> None:
    john = user(cloud, "john", WEB_ONLY)
    status, answer = call(handler, john, "POST", ROUTE, {"nodeId": node_tagged(cloud, "db")})
    assert (status, answer["__type"]) == (403, "AccessDeniedException")
    assert "no identity-based policy allows" in answer["message"]


def test_a_user_id_that_is_not_the_users_is_refused(cloud: Cloud, handler: Any) -> None:
    """A user that was deleted and made again under its name is another one."""
    john = user(cloud, "john", WEB_ONLY)
    ghost = Person(john.arn, "AIDAANOTHEREXAMPLE")
    status, answer = call(handler, ghost, "POST", ROUTE, {"nodeId": node_tagged(cloud, "web")})
    assert (status, answer["__type"]) == (403, "AccessDeniedException")
