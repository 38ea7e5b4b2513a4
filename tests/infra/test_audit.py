"""The audit trail in the template: every function and gateway is followed, nothing is lost quietly,
nobody but its function writes it and nobody deletes from it."""

from __future__ import annotations

from typing import Any

import pytest

from infra.audit import MARK, REFUSED
from infra.audit_tables import COLUMNS
from infra.rest import ACCESS_LOG
from infra.stream_api import ACCESS_LOG as STREAM_ACCESS_LOG
from lambdas import trail
from lambdas.audit import gateway
from tests.infra.conftest import Synth
from tests.infra.templates import Stacks, text

#: Functions that answer calls of an API.
CALLED = {"connect", "sessions", "documents", "agents", "uplink", "nodes", "recordings"}


def filters(stacks: Stacks, pattern: str) -> list[str]:
    return [
        text(each["LogGroupName"])
        for each in stacks.service.properties("AWS::Logs::SubscriptionFilter")
        if each["FilterPattern"] == pattern
    ]


def test_every_function_that_answers_calls_is_followed_and_the_audit_s_own_is_not(
    default: Stacks,
) -> None:
    followed = filters(default, f'"{MARK}"')
    assert len(followed) == len(CALLED)
    for name in CALLED:
        assert any(f"<{name.capitalize()}" in each for each in followed), name
    assert trail.MARK == MARK


def test_every_gateway_s_access_log_is_followed(synth: Synth, default: Stacks) -> None:
    assert len(filters(default, REFUSED)) == 3
    assert len(filters(synth(agentApi="both"), REFUSED)) == 4


def test_the_access_logs_have_what_the_records_are_made_of(default: Stacks) -> None:
    needed = {"requestId", "time", "route", "status", "sourceIp", "userAgent", "owner"}
    for log in (ACCESS_LOG, STREAM_ACCESS_LOG):
        assert needed | {"gatewayError"} <= set(log)
    line = '{"door":"people","gatewayError":"ACCESS_DENIED","time":"1","requestId":"r"}'
    assert gateway.refused(line) is not None
    formats = [
        each["AccessLogSetting"]["Format"]
        for each in default.service.properties("AWS::ApiGateway::Stage")
    ]
    assert len(formats) == 2
    assert {"people", "agent"} == {
        door for door in ("people", "agent") for each in formats if f'"door": "{door}"' in each
    }


def function_name(stacks: Stacks, name: str) -> str:
    (found,) = [
        logical
        for logical, each in stacks.service.of("AWS::Lambda::Function").items()
        if each["Properties"]["FunctionName"] == f"hatchway-prod-{name}"
    ]
    return found


@pytest.mark.parametrize("name", ["audit", "notify"])
def test_what_a_function_could_not_do_is_kept(default: Stacks, name: str) -> None:
    (config,) = [
        each
        for each in default.service.properties("AWS::Lambda::EventInvokeConfig")
        if function_name(default, name) in str(each["FunctionName"])
    ]
    assert config["MaximumRetryAttempts"] == 2
    assert "Destination" in config["DestinationConfig"]["OnFailure"]


def test_a_batch_that_is_not_written_comes_again_and_is_put_aside(default: Stacks) -> None:
    queue = default.service.one("AWS::SQS::Queue", QueueName="hatchway-prod-audit")
    assert "AuditTrailDead" in text(queue["RedrivePolicy"]["deadLetterTargetArn"])
    timeout = default.service.one("AWS::Lambda::Function", FunctionName="hatchway-prod-audit")[
        "Timeout"
    ]
    assert queue["VisibilityTimeout"] >= 6 * timeout


def statements(stacks: Stacks, role: str) -> list[dict[str, Any]]:
    (policy,) = [
        each
        for each in stacks.service.properties("AWS::IAM::Policy")
        if any(f"<{role}Role" in each for each in text(each["Roles"]))
    ]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_the_function_adds_to_the_trail_and_takes_nothing_away(default: Stacks) -> None:
    actions = [
        action
        for each in statements(default, "Audit")
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    ]
    assert "s3:PutObject" in actions
    taking = {each for each in actions if "Delete" in each or "*" in each or "GetObject" in each}
    assert taking <= {"sqs:DeleteMessage"}
    (put,) = [each for each in statements(default, "Audit") if each["Action"] == "s3:PutObject"]
    assert text(put["Resource"]).endswith("/audit/*")


def test_only_the_people_s_function_may_look_calls_up(default: Stacks) -> None:
    for each in default.service.properties("AWS::IAM::Policy"):
        (role,) = text(each["Roles"])
        reads = "logs:FilterLogEvents" in str(each["PolicyDocument"])
        assert reads is (role.startswith("<Sessions") or (reads and "Archive" in role))


def test_the_log_of_the_trail_outlives_the_service_and_is_encrypted(
    synth: Synth, default: Stacks
) -> None:
    group = default.data.one("AWS::Logs::LogGroup", LogGroupName="/hatchway/prod/audit")
    assert group["RetentionInDays"] == 400
    assert "KmsKeyId" in group
    shorter = synth(auditLogDays="30")
    group = shorter.data.one("AWS::Logs::LogGroup", LogGroupName="/hatchway/prod/audit")
    assert group["RetentionInDays"] == 30


def test_athena_finds_partitions_by_the_hour_without_being_told(default: Stacks) -> None:
    (table,) = default.service.properties("AWS::Glue::Table")
    made = table["TableInput"]
    assert made["Parameters"]["projection.enabled"] == "true"
    assert text(made["Parameters"]["storage.location.template"]).endswith("/audit/${hour}/")
    assert made["Parameters"]["projection.hour.format"] == "yyyy/MM/dd/HH"
    assert [each["Name"] for each in made["PartitionKeys"]] == ["hour"]
    assert {each["Name"] for each in made["StorageDescriptor"]["Columns"]} == set(COLUMNS)


def test_the_named_query_asks_the_table_and_can_be_left_out(synth: Synth, default: Stacks) -> None:
    (query,) = default.service.properties("AWS::Athena::NamedQuery")
    assert query["Database"] == "hatchway_prod"
    assert "FROM hatchway_prod.audit" in query["QueryString"]
    assert not synth(auditQuery="false").service.of("AWS::Athena::NamedQuery")


def test_cloudtrail_s_own_trail_is_there_where_it_is_asked_for(
    synth: Synth, default: Stacks
) -> None:
    assert not default.service.of("AWS::CloudTrail::Trail")
    stacks = synth(cloudTrail="true")
    (made,) = stacks.service.properties("AWS::CloudTrail::Trail")
    assert made["IsLogging"] is True
    assert made["EnableLogFileValidation"] is True
    fields = {
        field["Equals"][0]: selector["FieldSelectors"]
        for selector in made["AdvancedEventSelectors"]
        for field in selector["FieldSelectors"]
        if field["Field"] == "resources.type"
    }
    assert set(fields) == {"AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object"}
    functions = fields["AWS::Lambda::Function"][2]["Equals"]
    assert len(functions) == len(stacks.service.of("AWS::Lambda::Function"))


def test_cloudtrail_alone_and_for_this_trail_alone_writes_to_its_bucket(synth: Synth) -> None:
    policies = synth(cloudTrail="true").service.properties("AWS::S3::BucketPolicy")
    (policy,) = policies
    allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert len(allowed) == 2
    for each in allowed:
        assert each["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        source = text(each["Condition"]["StringEquals"]["aws:SourceArn"])
        assert source.endswith(":trail/hatchway-prod-data-events")
