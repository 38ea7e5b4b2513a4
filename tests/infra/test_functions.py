"""The functions: their environment is the documented one, their permissions are the fewest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.packaging import ROOT
from tests.infra.conftest import FAMILIES, Synth
from tests.infra.templates import Stacks, listed, text

#: What each family may ask AWS for, by service; logs are everybody's.
SERVICES = {
    "connect": {"dynamodb", "kms", "execute-api", "iot", "iam"},
    "sessions": {"dynamodb", "kms", "execute-api", "iot", "iam", "ec2"},
    "agents": {"dynamodb", "kms", "execute-api", "secretsmanager", "sqs"},
    "uplink": {"execute-api", "secretsmanager", "kms", "sqs"},
    "relay": {"iot", "secretsmanager", "kms", "sqs"},
    "nodes": {"dynamodb", "kms", "execute-api", "iot", "iam", "ec2", "sts", "sqs"},
    "events": {"dynamodb", "kms", "events", "sqs"},
    "archive": {"dynamodb", "kms", "execute-api", "iot", "sqs", "s3", "events", "lambda"},
    "push": {"dynamodb", "kms", "execute-api"},
    "audit": {"events", "kms", "s3", "sqs"},
    "notify": {"kms", "sns", "sqs"},
    "documents": {"dynamodb", "iam", "kms", "sqs"},
    "recordings": {"dynamodb", "kms", "s3", "iam", "ec2"},
    "sweep": {"dynamodb", "kms", "execute-api", "iot", "sqs"},
    "review": {"dynamodb", "kms", "execute-api", "iot", "iam", "ec2", "sqs"},
}
#: Actions that know no resource; nothing else may have `*`.
RESOURCELESS = {
    "dynamodb:ListStreams",
    "ec2:DescribeInstances",
    "iam:ListRoles",
    "iam:ListUsers",
    "iot:DescribeEndpoint",
}


def allowed(stacks: Stacks, family: str) -> list[tuple[str, str]]:
    """Action and resource, one by one."""
    return [
        (action, text(resource))
        for statement in stacks.service.statements_of(f"{family.capitalize()}Role")
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def documented(family: str) -> tuple[set[str], set[str]]:
    """Required and optional variables of a family, from docs/protocol.md."""
    page = Path(ROOT, "docs", "protocol.md").read_text()
    row = re.search(rf"^\| `{family}` \|[^|]*\|([^|]*)\|", page, re.MULTILINE)
    assert row is not None
    names = [name.strip() for name in row[1].split(",")]
    optional = {name.rstrip("?") for name in names if name.endswith("?")}
    return {name for name in names if not name.endswith("?")}, optional


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_finds_the_documented_variables(default: Stacks, family: str) -> None:
    required, _ = documented(family)
    function = default.service.one("AWS::Lambda::Function", FunctionName=f"hatchway-prod-{family}")
    assert set(function["Environment"]["Variables"]) == required


def test_an_iot_address_of_its_own_reaches_the_functions(synth: Synth) -> None:
    stacks = synth(iotDataUrl="https://127.0.0.1:1", historyDays="7")
    relay = stacks.service.one("AWS::Lambda::Function", FunctionName="hatchway-prod-relay")
    assert relay["Environment"]["Variables"]["IOT_DATA_URL"] == "https://127.0.0.1:1"


def test_the_history_s_length_reaches_whoever_has_the_table(synth: Synth) -> None:
    stacks = synth(iotDataUrl="https://127.0.0.1:1", historyDays="7")
    days = {
        function["FunctionName"].rpartition("-")[2]: variables["HISTORY_DAYS"]
        for function in stacks.service.properties("AWS::Lambda::Function")
        if "HISTORY_DAYS" in (variables := function["Environment"]["Variables"])
    }
    tables = {"connect", "sessions", "agents", "nodes", "sweep", "review", "push"}
    tables |= {"archive", "recordings"}
    assert days == dict.fromkeys(tables, "7")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_asks_only_the_services_that_it_needs(default: Stacks, family: str) -> None:
    services = {action.partition(":")[0] for action, _ in allowed(default, family)}
    assert services - {"logs"} == SERVICES[family]


def test_no_allowed_action_holds_a_wildcard(existing: Stacks) -> None:
    for where, statement in existing.service.all_statements():
        # Key policies: the account's own administrators, and EventBridge on the topic's key.
        if where.endswith(".KeyPolicy") or statement["Effect"] == "Deny":
            continue
        for action in listed(statement["Action"]):
            assert "*" not in action, where


def test_a_resource_is_everything_only_where_the_action_knows_none(default: Stacks) -> None:
    for family in FAMILIES:
        for action, resource in allowed(default, family):
            assert resource != "*" or action in RESOURCELESS, (family, action)


def test_whoever_decides_on_connections_reads_policies_and_changes_none(default: Stacks) -> None:
    asked = {action for action, _ in allowed(default, "connect") if action.startswith("iam:")}
    assert asked
    assert {re.match(r"iam:(Get|List)", action) is not None for action in asked} == {True}


def test_relay_and_uplink_reach_no_table(default: Stacks) -> None:
    for family in ("relay", "uplink"):
        assert not [action for action, _ in allowed(default, family) if "dynamodb" in action]


def test_each_secret_is_read_by_those_who_need_it_only(default: Stacks) -> None:
    readers = {
        name: {
            family
            for family in FAMILIES
            for action, resource in allowed(default, family)
            if action == "secretsmanager:GetSecretValue" and f"/{name}-" in resource
        }
        for name in ("seal", "ticket")
    }
    assert readers == {"seal": {"agents", "relay"}, "ticket": {"agents", "uplink"}}


def test_only_the_relay_publishes_data_and_it_publishes_nothing_else(default: Stacks) -> None:
    topics = {
        family: {
            resource.rpartition("hatchway/prod/")[2]
            for action, resource in allowed(default, family)
            if action == "iot:Publish"
        }
        for family in FAMILIES
    }
    assert topics["relay"] == {"*/data/*"}
    for family in ("connect", "sessions", "sweep", "review"):
        assert topics[family] == {"*/control"}
    for family in ("agents", "uplink", "events", "nodes"):
        assert not topics[family]


def test_the_table_s_key_is_used_through_the_table_only(default: Stacks) -> None:
    for family in FAMILIES:
        for statement in default.service.statements_of(f"{family.capitalize()}Role"):
            actions = listed(statement["Action"])
            if not any(action.startswith("kms:") for action in actions):
                continue
            if _of_another_key(statement) or family == "events":
                continue
            service = text(statement["Condition"]["StringEquals"]["kms:ViaService"])
            assert service.partition(".")[0] in ("dynamodb", "secretsmanager")


def _of_another_key(statement: Mapping[str, Any]) -> bool:
    """The records' key, the one that signs their manifests, the notifications' own."""
    names = [text(resource) for resource in listed(statement["Resource"])]
    return all("Records" in name or "NotificationsKey" in name for name in names)


def test_what_signs_manifests_is_the_archive_s_alone(default: Stacks) -> None:
    signing = [
        family for family in FAMILIES for a, _ in allowed(default, family) if a == "kms:Sign"
    ]
    assert signing == ["archive"]


def test_recordings_are_sealed_by_those_who_cannot_open_them(default: Stacks) -> None:
    key = default.data.one("AWS::KMS::Key", KeySpec="RSA_2048")
    assert key["KeyUsage"] == "ENCRYPT_DECRYPT"
    may = {
        family: {action for action, resource in allowed(default, family) if "Sealing" in resource}
        for family in FAMILIES
    }
    assert {family: actions for family, actions in may.items() if actions} == {
        "relay": {"kms:GetPublicKey"},
        "uplink": {"kms:GetPublicKey"},
        "archive": {"kms:Decrypt"},
        "recordings": {"kms:Decrypt"},
    }


def test_functions_are_python_3_13_outside_any_vpc(synth: Synth, default: Stacks) -> None:
    for function in default.service.properties("AWS::Lambda::Function"):
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert "VpcConfig" not in function
    intel = synth(architecture="x86_64").service
    for function in intel.properties("AWS::Lambda::Function"):
        assert function["Architectures"] == ["x86_64"]


def test_a_function_s_handler_is_its_family_s_entry(default: Stacks) -> None:
    handlers = {
        each["FunctionName"]: each["Handler"]
        for each in default.service.properties("AWS::Lambda::Function")
    }
    assert handlers == {
        f"hatchway-prod-{family}": f"lambdas.{family}.entry.handler" for family in FAMILIES
    }


def test_nobody_waits_longer_than_the_gateway_does(default: Stacks) -> None:
    for function in default.service.properties("AWS::Lambda::Function"):
        behind_a_gateway = function["FunctionName"].rpartition("-")[2] not in (
            "events",
            "sweep",
            "review",
            "archive",
            "audit",
            "notify",
        )
        assert function["Timeout"] < 29 or not behind_a_gateway


def test_no_concurrency_is_reserved_unless_asked_for(default: Stacks, synth: Synth) -> None:
    for function in default.service.properties("AWS::Lambda::Function"):
        assert "ReservedConcurrentExecutions" not in function


def test_concurrency_is_reserved_for_what_ends_sessions_only(synth: Synth) -> None:
    functions = synth(reservedConcurrency="7").service.properties("AWS::Lambda::Function")
    kept = {
        function["FunctionName"].rpartition("-")[2]: function["ReservedConcurrentExecutions"]
        for function in functions
        if "ReservedConcurrentExecutions" in function
    }
    assert kept == dict.fromkeys(("sessions", "agents", "sweep", "review", "archive"), 7)


def test_every_log_group_is_explicit_and_ends(default: Stacks, synth: Synth) -> None:
    groups = default.service.properties("AWS::Logs::LogGroup")
    names = {group["LogGroupName"] for group in groups}
    assert {f"/aws/lambda/hatchway-prod-{family}" for family in FAMILIES} < names
    assert {group["RetentionInDays"] for group in groups} == {90}
    short = synth(logRetentionDays="7").service.properties("AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in short} == {7}


def test_every_function_has_a_role_of_its_own_and_an_alarm(default: Stacks) -> None:
    functions = default.service.properties("AWS::Lambda::Function")
    assert len({text(function["Role"]) for function in functions}) == len(FAMILIES)
    alarms = default.service.properties("AWS::CloudWatch::Alarm")
    assert {alarm["AlarmName"] for alarm in alarms} == {
        *(f"hatchway-prod-{family}-errors" for family in FAMILIES),
        "hatchway-prod-EnrolmentRefused",
        "hatchway-prod-MessagesDropped",
        "hatchway-prod-untold-events",
        "hatchway-prod-untold-people",
        "hatchway-prod-rechecks-dead",
        "hatchway-prod-Denials",
        "hatchway-prod-Gaps",
        "hatchway-prod-InputUnrecorded",
        "hatchway-prod-OutputUnrecorded",
        "hatchway-prod-RecordingFailed",
        "hatchway-prod-RecordingMismatch",
        "hatchway-prod-SweepBehind",
        "hatchway-prod-archive-dead",
        "hatchway-prod-audit-dead",
        "hatchway-prod-audit-ungathered",
        "hatchway-prod-sweep-uncalled",
    }
