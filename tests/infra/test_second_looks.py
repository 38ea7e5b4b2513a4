"""The queue from `nodes` to `sweep`: who may use it, and what becomes of what fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.conftest import FAMILIES, Synth
from tests.infra.templates import Stacks, listed, text

QUEUE = "hatchway-prod-rechecks"
DEAD = "hatchway-prod-rechecks-dead"


def users(stacks: Stacks, action: str) -> dict[str, set[str]]:
    """Which family may do this, on which queues."""
    found = {
        family: {
            text(resource)
            for statement in stacks.service.statements_of(f"{family.capitalize()}Role")
            if action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
        for family in FAMILIES
    }
    return {family: queues for family, queues in found.items() if queues}


def mapping(stacks: Stacks) -> dict[str, Any]:
    sources = stacks.service.properties("AWS::Lambda::EventSourceMapping")
    (found,) = [each for each in sources if "RechecksQueue" in text(each["EventSourceArn"])]
    return found


def test_nodes_may_send_to_this_queue_and_to_no_other(default: Stacks) -> None:
    (queue,) = users(default, "sqs:SendMessage")["nodes"]
    assert queue.startswith("<RechecksQueue")
    others = {
        queue
        for family, queues in users(default, "sqs:SendMessage").items()
        for queue in queues
        if family != "nodes"
    }
    assert not [each for each in others if each.startswith("<Rechecks")]


def test_the_sweep_may_read_this_queue_and_no_other(default: Stacks) -> None:
    (queue,) = users(default, "sqs:ReceiveMessage")["sweep"]
    assert queue.startswith("<RechecksQueue")
    others = {
        queue
        for family, queues in users(default, "sqs:ReceiveMessage").items()
        for queue in queues
        if family != "sweep"
    }
    assert not [queue for queue in others if queue.startswith("<Rechecks")]


def test_only_the_function_that_presence_comes_to_sends(synth: Synth) -> None:
    service = synth(agentApi="both").service
    regional = service.statements_of("NodesRegionalRole")
    assert regional
    assert not [each for each in regional if "sqs:SendMessage" in listed(each["Action"])]


@pytest.mark.parametrize("name", [QUEUE, DEAD])
def test_both_queues_are_encrypted_and_take_nothing_without_tls(default: Stacks, name: str) -> None:
    queue = default.service.one("AWS::SQS::Queue", QueueName=name)
    assert queue["SqsManagedSseEnabled"] is True
    prefix = "<RechecksDead" if name == DEAD else "<RechecksQueue"
    (policy,) = [
        each
        for each in default.service.properties("AWS::SQS::QueuePolicy")
        if text(each["Queues"][0]).startswith(prefix)
    ]
    (denying,) = policy["PolicyDocument"]["Statement"]  # and nobody from outside is let in
    assert denying["Effect"] == "Deny"
    assert denying["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_one_failure_brings_back_one_message_and_nothing_waits_for_a_batch(default: Stacks) -> None:
    source = mapping(default)
    assert text(source["FunctionName"]).startswith("<Sweep")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == 10
    assert "MaximumBatchingWindowInSeconds" not in source
    assert source["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_what_fails_three_times_is_put_aside_with_an_alarm(default: Stacks) -> None:
    queue = default.service.one("AWS::SQS::Queue", QueueName=QUEUE)
    dead = default.service.one("AWS::SQS::Queue", QueueName=DEAD)
    redrive = queue["RedrivePolicy"]
    assert text(redrive["deadLetterTargetArn"]).startswith("<RechecksDead")
    assert redrive["maxReceiveCount"] == 3
    # It must not expire between its attempts, nor before somebody has looked.
    assert queue["MessageRetentionPeriod"] > 3 * queue["VisibilityTimeout"]
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    alarm = default.service.one("AWS::CloudWatch::Alarm", AlarmName=DEAD)
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert (alarm["Threshold"], alarm["Statistic"]) == (1, "Maximum")
    assert text(alarm["Dimensions"][0]["Value"]).startswith("<RechecksDead")


def test_a_message_is_held_six_times_as_long_as_the_sweep_may_take(default: Stacks) -> None:
    queue = default.service.one("AWS::SQS::Queue", QueueName=QUEUE)
    sweep = default.service.one("AWS::Lambda::Function", FunctionName="hatchway-prod-sweep")
    assert queue["VisibilityTimeout"] >= 6 * sweep["Timeout"]
