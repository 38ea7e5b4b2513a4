"""How the family is put together: environment, telemetry, and what the API's description says."""

from __future__ import annotations

import json

import pytest

from hatchway.core import api
from lambdas import edge
from lambdas.adapters import paging
from lambdas.adapters.ec2 import FRESH, Ec2Instances
from lambdas.documents.handler import PERFORMED as DOCUMENTS
from lambdas.environment import EnvironmentIncomplete
from lambdas.recordings.handler import PERFORMED as RECORDINGS
from lambdas.sessions.deps import build
from lambdas.sessions.frames import ROUTES
from lambdas.sessions.people import PERFORMED
from lambdas.sessions.telemetry import telemetry

DESTINATIONS = json.dumps(
    {
        "ownBucket": "archive",
        "ownGroup": "/hatchway/local/sessions",
        "owner": "123456789012",
        "buckets": [],
        "groups": [],
    }
)

ENVIRONMENT = {
    "TABLE": "table",
    "STAGE": "local",
    "STREAM_URL": "wss://stream.invalid/local",
    "STREAM_MANAGEMENT_URL": "https://stream.invalid/local",
    "CHANNEL_ROLE_ID": "AROACHANNELROLEEXAMPL",
    "RECORDINGS": "/hatchway/local/recordings",
    "AUDIT_LOG": "/hatchway/local/audit",
    "LOG_DESTINATIONS": DESTINATIONS,
    "AWS_REGION": "us-east-1",
}


def test_every_operation_and_action_is_performed() -> None:
    performed = set(PERFORMED) | set(DOCUMENTS) | set(RECORDINGS)
    assert performed == {operation.name for operation in api.OPERATIONS}
    assert len(performed) == len(PERFORMED) + len(DOCUMENTS) + len(RECORDINGS)
    assert set(ROUTES) == {action.name for action in api.ACTIONS}


def test_the_limits_of_the_description_are_those_that_are_enforced() -> None:
    assert api.MAX_BODY_BYTES == edge.MAX_BODY
    assert api.MAX_PAGE == paging.MAX_RESULTS
    assert api.MAX_NEXT_TOKEN == paging.MAX_TOKEN


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.usefixtures("aws")
def test_the_environment_is_all_it_takes() -> None:
    service = build(ENVIRONMENT)
    assert (service.stage, service.region) == ("local", "us-east-1")


@pytest.mark.usefixtures("aws")
def test_tags_that_decide_about_access_are_kept_for_seconds() -> None:
    instances = build(ENVIRONMENT).instances
    assert isinstance(instances, Ec2Instances)
    assert instances.life == FRESH == 10.0


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_variable_is_named(name: str) -> None:
    environment = {key: value for key, value in ENVIRONMENT.items() if key != name}
    with pytest.raises(EnvironmentIncomplete, match=rf"\b{name}\b"):
        build(environment)


@pytest.mark.usefixtures("first_logger")
def test_a_line_is_one_record_with_its_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    write = telemetry("local")
    write("INFO", {"operation": "StartSession", "SessionId": "john-1"})
    write("ERROR", {"route": "ping", "code": "InternalServerError", "detail": "It failed."})
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["message"], first["SessionId"], first["level"]) == ("request", "john-1", "INFO")
    assert (first["operation"], first["stage"], first["Requests"]) == (
        "StartSession",
        "local",
        [1.0],
    )
    assert (first["Refusals"], first["Failures"]) == ([0.0], [0.0])
    assert (second["detail"], second["operation"]) == ("It failed.", "ping")
    assert (second["Refusals"], second["Failures"]) == ([1.0], [1.0])
    (described,) = first["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "Hatchway"
