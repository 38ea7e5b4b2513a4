"""Alarms: what somebody is woken for, and that somebody is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.alarms import COUNTED, NAMESPACE, NODES_SERVICE, SWEEP_SERVICE
from lambdas import telemetry
from lambdas.metered import metered
from lambdas.nodes.handler import FLOW
from lambdas.recording import UNRECORDED
from lambdas.sweep.handler import BEHIND
from local.places import ROOT
from tests.infra.conftest import Synth
from tests.infra.templates import Stacks, text

TOPIC = "hatchway-prod-alarms"


def alarm(stacks: Stacks, name: str) -> dict[str, Any]:
    return stacks.service.one("AWS::CloudWatch::Alarm", AlarmName=f"hatchway-prod-{name}")


def test_every_alarm_tells_the_topic_and_none_waits_for_data(default: Stacks) -> None:
    alarms = default.service.properties("AWS::CloudWatch::Alarm")
    assert len(alarms) > 9
    for each in alarms:
        (action,) = text(each["AlarmActions"])
        assert action.startswith("<AlarmsTopic"), each["AlarmName"]
        assert each["TreatMissingData"] == "notBreaching"
        burst = each["AlarmName"].endswith("-Denials")
        assert each["Threshold"] == (20 if burst else 1)


def test_what_is_counted_is_what_the_functions_name() -> None:
    recordings = {"RecordingFailed", "RecordingMismatch", "OutputUnrecorded", "InputUnrecorded"}
    assert set(COUNTED) == {"EnrolmentRefused", "MessagesDropped", BEHIND, "Gaps"} | recordings
    assert "Gaps" in FLOW.values()


@pytest.mark.parametrize(("family", "metric"), [("relay", "Input"), ("uplink", "Output")])
def test_what_is_not_recorded_is_an_alarm(
    default: Stacks, capsys: pytest.CaptureFixture[str], family: str, metric: str
) -> None:
    entry = Path(ROOT, "lambdas", family, "entry.py").read_text()
    assert f'metered("{family}", stage(os.environ), {{UNRECORDED: "{metric}Unrecorded"}})' in entry
    metered(family, "prod", {UNRECORDED: f"{metric}Unrecorded"})("INFO", {UNRECORDED: 1})
    written = json.loads(capsys.readouterr().out)
    found = alarm(default, f"{metric}Unrecorded")
    assert found["MetricName"] == written["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]
    dimensions = {each["Name"]: each["Value"] for each in found["Dimensions"]}
    assert dimensions == {name: written[name] for name in ("service", "stage")}


@pytest.mark.parametrize(
    ("metric", "family", "service"),
    [
        ("EnrolmentRefused", "nodes", NODES_SERVICE),
        ("MessagesDropped", "nodes", NODES_SERVICE),
        (BEHIND, "sweep", SWEEP_SERVICE),
    ],
)
def test_what_a_function_counts_is_an_alarm(
    default: Stacks, capsys: pytest.CaptureFixture[str], metric: str, family: str, service: str
) -> None:
    found = alarm(default, metric)
    assert (found["Namespace"], found["MetricName"]) == (NAMESPACE, metric)
    dimensions = {each["Name"]: each["Value"] for each in found["Dimensions"]}
    assert dimensions == {"service": service, "stage": "prod"}
    # The same as the function writes; a dimension more or less is another metric.
    telemetry.counter(family, "prod")(metric, 1)
    written = json.loads(capsys.readouterr().out)
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    (names,) = directive["Dimensions"]
    assert {name: written[name] for name in names} == dimensions


@pytest.mark.parametrize("name", ["untold-events", "untold-people"])
def test_a_dead_letter_is_an_alarm(default: Stacks, name: str) -> None:
    queue = default.service.one("AWS::SQS::Queue", QueueName=f"hatchway-prod-{name}")
    assert queue["MessageRetentionPeriod"] == 14 * 86400
    found = alarm(default, name)
    assert found["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert found["Statistic"] == "Maximum"


def test_every_dead_letter_queue_of_the_stack_is_watched(default: Stacks) -> None:
    watched = {
        dimension["Value"]["Fn::GetAtt"][0]
        for each in default.service.properties("AWS::CloudWatch::Alarm")
        for dimension in each.get("Dimensions", ())
        if dimension["Name"] == "QueueName"
    }
    dead = {
        name
        for name, queue in default.service.of("AWS::SQS::Queue").items()
        if queue["Properties"]["MessageRetentionPeriod"] == 14 * 86400
    }
    assert dead
    assert watched == dead


@pytest.mark.parametrize("name", ["began", "ended", "urgent"])
def test_a_text_that_the_topic_does_not_take_is_kept(default: Stacks, name: str) -> None:
    rule = default.service.one("AWS::Events::Rule", Name=f"hatchway-prod-{name}")
    (target,) = rule["Targets"]
    assert text(target["DeadLetterConfig"]["Arn"]).startswith("<NotificationsUntold")


def test_the_rules_and_nobody_else_may_put_texts_aside(default: Stacks) -> None:
    (policy,) = [
        each
        for each in default.service.properties("AWS::SQS::QueuePolicy")
        if "NotificationsUntold" in str(text(each["Queues"]))
    ]
    allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert len(allowed) == 3
    for each in allowed:
        assert each["Principal"] == {"Service": "events.amazonaws.com"}
        source = text(each["Condition"]["ArnEquals"]["aws:SourceArn"])
        assert source.startswith("<Notifications")


def test_a_sweep_that_eventbridge_cannot_call_is_an_alarm(default: Stacks) -> None:
    found = alarm(default, "sweep-uncalled")
    assert (found["Namespace"], found["MetricName"]) == ("AWS/Events", "FailedInvocations")
    (dimension,) = found["Dimensions"]
    assert dimension["Name"] == "RuleName"
    assert default.service.one("AWS::Events::Rule", Name=dimension["Value"])["ScheduleExpression"]


def topic_policy(stacks: Stacks) -> list[dict[str, Any]]:
    (policy,) = [
        each
        for each in stacks.service.properties("AWS::SNS::TopicPolicy")
        if any("AlarmsTopic" in topic for topic in text(each["Topics"]))
    ]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_only_this_deployment_s_alarms_write_to_the_topic_and_only_with_tls(
    default: Stacks,
) -> None:
    statements = topic_policy(default)
    (letting,) = [each for each in statements if each["Effect"] == "Allow"]
    assert letting["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert letting["Action"] == "sns:Publish"
    condition = letting["Condition"]
    assert text(condition["StringEquals"]["aws:SourceAccount"]) == "<AWS::AccountId>"
    source = text(condition["ArnLike"]["aws:SourceArn"])
    assert source.endswith(":<AWS::AccountId>:alarm:hatchway-prod-*")
    (denying,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denying["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_topic_is_encrypted_with_a_key_that_cloudwatch_may_use(default: Stacks) -> None:
    topic = default.service.one("AWS::SNS::Topic", TopicName=TOPIC)
    key = text(topic["KmsMasterKeyId"])
    assert key.startswith("<NotificationsKey")
    statements = default.service.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    services = [str(each["Principal"]) for each in statements if "Service" in each["Principal"]]
    assert any("cloudwatch.amazonaws.com" in each for each in services)


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({}, set()),
        ({"notifyEmail": "ops@example.org"}, {"ops@example.org"}),
        (
            {"notifyEmail": "ops@example.org", "alarmEmail": "call@example.org"},
            {"call@example.org"},
        ),
    ],
)
def test_alarms_go_to_whom_the_context_names_or_to_whom_sessions_are_told(
    synth: Synth, context: dict[str, str], told: set[str]
) -> None:
    subscriptions = synth(**context).service.properties("AWS::SNS::Subscription")
    found = {each["Endpoint"] for each in subscriptions if "AlarmsTopic" in text(each["TopicArn"])}
    assert found == told
