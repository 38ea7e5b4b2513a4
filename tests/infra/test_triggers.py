"""Events in and out: presence, the table's stream, the clock, the bus, and the text for people."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.tampering import KIND as EVIDENCE_CHANGED
from lambdas.notify.handler import URGENT
from tests.infra.conftest import Synth
from tests.infra.templates import Stacks, text


def test_presence_is_filtered_to_control_channels_of_this_stage(default: Stacks) -> None:
    rules = default.service.properties("AWS::IoT::TopicRule")
    assert {rule["TopicRulePayload"]["Sql"] for rule in rules} == {
        "SELECT * FROM '$aws/events/presence/connected/hatchway/prod/+'",
        "SELECT * FROM '$aws/events/presence/disconnected/hatchway/prod/+'",
    }
    for rule in rules:
        assert re.fullmatch(r"\w+", rule["RuleName"])


def test_only_these_rules_of_this_account_invoke_the_nodes_function(default: Stacks) -> None:
    permissions = [
        each
        for each in default.service.properties("AWS::Lambda::Permission")
        if each["Principal"] == "iot.amazonaws.com"
    ]
    assert len(permissions) == 2
    for each in permissions:
        assert text(each["SourceAccount"]) == "<AWS::AccountId>"
        assert re.fullmatch(r"<Presence\w+\.Arn>", text(each["SourceArn"]))


def test_every_permission_to_invoke_names_its_source(default: Stacks) -> None:
    for each in default.service.properties("AWS::Lambda::Permission"):
        assert "SourceArn" in each


def table_stream(stacks: Stacks) -> dict[str, Any]:
    sources = stacks.service.properties("AWS::Lambda::EventSourceMapping")
    (found,) = [each for each in sources if "StartingPosition" in each]
    return found


def test_changes_are_retried_bisected_and_never_dropped_in_silence(default: Stacks) -> None:
    source = table_stream(default)
    assert source["BisectBatchOnFunctionError"] is True
    assert source["MaximumRetryAttempts"] > 0
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "Untold" in text(source["DestinationConfig"]["OnFailure"]["Destination"])


def test_a_service_stack_made_again_tells_nothing_twice(default: Stacks) -> None:
    assert table_stream(default)["StartingPosition"] == "LATEST"


def test_changes_of_tokens_and_connections_wake_nobody(default: Stacks) -> None:
    source = table_stream(default)
    patterns = [each["Pattern"] for each in source["FilterCriteria"]["Filters"]]
    prefixes = {prefix for each in patterns for prefix in re.findall(r'"prefix":"([^"]+)"', each)}
    assert prefixes == {"SESSION#", "NODE#"}


def test_the_sweeper_runs_every_minute(default: Stacks) -> None:
    rule = default.service.one("AWS::Events::Rule", Name="hatchway-prod-sweep")
    assert rule["ScheduleExpression"] == "rate(1 minute)"


@pytest.mark.parametrize("name", ["began", "ended", "urgent"])
def test_a_text_is_taken_out_of_the_event_by_a_function_and_not_put_in_quotes(
    default: Stacks, name: str
) -> None:
    rule = default.service.one("AWS::Events::Rule", Name=f"hatchway-prod-{name}")
    (target,) = rule["Targets"]
    assert text(target["Arn"]).startswith("<NotifyFunction")
    assert not {"InputTransformer", "Input", "InputPath"} & set(target)


def test_what_is_urgent_is_what_the_function_sends_to_those_who_are_woken(
    default: Stacks,
) -> None:
    rule = default.service.one("AWS::Events::Rule", Name="hatchway-prod-urgent")
    assert set(rule["EventPattern"]["detail-type"]) == URGENT - {EVIDENCE_CHANGED}


def test_people_are_told_of_beginnings_and_ends_and_not_of_what_lies_between(
    default: Stacks,
) -> None:
    told = {
        name: default.service.one("AWS::Events::Rule", Name=f"hatchway-prod-{name}")[
            "EventPattern"
        ]["detail"]
        for name in ("began", "ended")
    }
    assert told == {
        "began": {"status": ["Connected"], "previousStatus": ["Connecting"]},
        "ended": {"status": ["Terminated", "Failed"]},
    }


def test_the_topic_s_key_lets_eventbridge_in(default: Stacks) -> None:
    statements = default.service.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (letting,) = [each for each in statements if "events.amazonaws.com" in str(each["Principal"])]
    assert letting["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert "Condition" not in letting
    topic = default.service.one("AWS::SNS::Topic", TopicName="hatchway-prod-notifications")
    assert text(topic["KmsMasterKeyId"]).startswith("<NotificationsKey")


def test_an_address_of_the_web_is_subscribed(synth: Synth) -> None:
    stacks = synth(notifyUrl="https://example.org/hook")
    found = {
        (each["Protocol"], each["Endpoint"], "Alarms" in text(each["TopicArn"]))
        for each in stacks.service.properties("AWS::SNS::Subscription")
    }
    assert found == {
        ("https", "https://example.org/hook", False),
        ("https", "https://example.org/hook", True),
    }


def test_the_data_key_lets_no_service_in(default: Stacks) -> None:
    (key,) = [
        each
        for each in default.data.properties("AWS::KMS::Key")
        if each["Description"].endswith("table and secrets")
    ]
    statements = key["KeyPolicy"]["Statement"]
    assert not [each for each in statements if "Service" in each["Principal"]]


def test_no_topic_takes_anything_without_tls(default: Stacks) -> None:
    policies = default.service.properties("AWS::SNS::TopicPolicy")
    assert len(policies) == len(default.service.of("AWS::SNS::Topic"))
    for policy in policies:
        statements = policy["PolicyDocument"]["Statement"]
        (denying,) = [each for each in statements if each["Effect"] == "Deny"]
        assert denying["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_an_email_address_is_subscribed(synth: Synth, default: Stacks) -> None:
    assert not default.service.of("AWS::SNS::Subscription")
    subscriptions = synth(notifyEmail="ops@example.org").service.properties(
        "AWS::SNS::Subscription"
    )
    (subscription,) = [
        each for each in subscriptions if "NotificationsTopic" in text(each["TopicArn"])
    ]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.org")
