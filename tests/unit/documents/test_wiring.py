"""How the family is put together: its environment, its entry, and the queue of reviews."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping

import pytest
from moto import mock_aws

from lambdas.adapters.sqs import SqsReviews
from lambdas.documents.deps import build
from lambdas.environment import EnvironmentIncomplete
from tests.contract.cloud import Cloud

FLOOR = '{"maxSessionDuration":"60"}'


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mapping[str, str]]:
    """An empty AWS with the service's table and queue; the function's environment."""
    for name, value in {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        cloud = Cloud("")
        variables = {
            "TABLE": cloud.table(),
            "CHANNEL_ROLE_ID": "AROACHANNELROLEEXAMPL",
            "CHANGES_QUEUE": cloud.client("sqs").create_queue(QueueName="changes")["QueueUrl"],
            "AWS_REGION": "us-east-1",
            "SESSION_FLOOR": FLOOR,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield variables


def test_the_family_is_made_from_its_environment(aws: Mapping[str, str]) -> None:
    assert build(aws).floor.max_session_duration == 60
    assert callable(importlib.import_module("lambdas.documents.entry").handler)


@pytest.mark.parametrize("lost", ["TABLE", "CHANNEL_ROLE_ID", "CHANGES_QUEUE", "AWS_REGION"])
def test_a_variable_that_is_missing_is_said_at_init(aws: Mapping[str, str], lost: str) -> None:
    with pytest.raises(EnvironmentIncomplete, match=lost):
        build({name: value for name, value in aws.items() if name != lost})


def test_a_review_is_asked_for_by_a_message(aws: Mapping[str, str]) -> None:
    client = Cloud("").client("sqs")
    SqsReviews(aws["CHANGES_QUEUE"], client).ask("documents")
    (message,) = client.receive_message(QueueUrl=aws["CHANGES_QUEUE"])["Messages"]
    assert json.loads(message["Body"]) == {"changed": "documents"}
