"""What is kept of sessions: encrypted, append-only for every function, locked where asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import FAMILIES, Synth
from tests.infra.templates import Stacks, listed

ADDS = {"logs:CreateLogStream", "logs:PutLogEvents"}
RECORDINGS = ":log-group:/hatchway/prod/recordings"


@pytest.fixture(scope="module")
def default(synth: Synth) -> Stacks:
    return synth()


def statements(stacks: Stacks, family: str) -> Iterator[dict[str, Any]]:
    yield from stacks.service.statements_of(f"{family.capitalize()}Role")


def actions_on(stacks: Stacks, family: str, resource: str) -> set[str]:
    return {
        action
        for statement in statements(stacks, family)
        if resource in str(statement["Resource"])
        for action in listed(statement["Action"])
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_what_passed_is_added_to_by_three_read_by_two_and_deleted_by_none(
    default: Stacks, family: str
) -> None:
    expected = {
        "relay": ADDS,
        "uplink": ADDS,
        "sessions": ADDS,
        "archive": {"logs:GetLogEvents"},
        "recordings": {"logs:GetLogEvents"},
    }
    assert actions_on(default, family, RECORDINGS) == expected.get(family, set())


@pytest.mark.parametrize("family", FAMILIES)
def test_no_function_deletes_logs_objects_or_keys_or_changes_their_settings(
    default: Stacks, family: str
) -> None:
    forbidden = (
        "s3:Delete",
        "s3:PutBucket",
        "s3:PutLifecycle",
        "s3:BypassGovernance",
        "s3:PutObjectRetention",
        "logs:Delete",
        "logs:PutRetention",
        "kms:ScheduleKeyDeletion",
        "kms:PutKeyPolicy",
        "kms:Disable",
    )
    for statement in statements(default, family):
        for action in listed(statement["Action"]):
            assert not action.startswith(forbidden), (family, action)
            assert action not in ("s3:*", "logs:*", "kms:*", "*")


def test_the_log_of_what_passes_is_encrypted_and_kept_as_long_as_the_context_says(
    synth: Synth,
) -> None:
    stacks = synth(recordingLogDays="7")
    groups = {
        group["Properties"]["LogGroupName"]: group["Properties"]
        for group in stacks.data.of("AWS::Logs::LogGroup").values()
    }
    passed = groups["/hatchway/prod/recordings"]
    assert passed["RetentionInDays"] == 7
    assert all("KmsKeyId" in group for group in groups.values())


def test_the_archive_is_versioned_encrypted_closed_and_takes_tls_alone(default: Stacks) -> None:
    [bucket] = default.data.of("AWS::S3::Bucket").values()
    properties = bucket["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    [rule] = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["DeletionPolicy"] == "Retain"
    assert "ObjectLockEnabled" not in properties
    [policy] = default.data.of("AWS::S3::BucketPolicy").values()
    denied = [
        s["Condition"]
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
        if s["Effect"] == "Deny"
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in denied


def test_object_lock_is_a_setting_in_compliance_mode(synth: Synth) -> None:
    [bucket] = synth(archiveLockDays="365").data.of("AWS::S3::Bucket").values()
    properties = bucket["Properties"]
    assert properties["ObjectLockEnabled"] is True
    assert properties["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": "COMPLIANCE",
        "Days": 365,
    }


def test_ends_and_minutes_reach_the_archive_and_what_fails_has_an_alarm(default: Stacks) -> None:
    rules = {
        rule["Properties"]["Name"]: rule["Properties"]
        for rule in default.service.of("AWS::Events::Rule").values()
    }
    assert rules["hatchway-prod-archive"]["ScheduleExpression"] == "rate(1 minute)"
    ends = rules["hatchway-prod-archive-ends"]["EventPattern"]
    assert ends["detail"] == {"status": ["Terminated", "Failed"]}
    alarms = {
        alarm["Properties"]["AlarmName"]
        for alarm in default.service.of("AWS::CloudWatch::Alarm").values()
    }
    assert {
        "hatchway-prod-archive-dead",
        "hatchway-prod-RecordingFailed",
        "hatchway-prod-RecordingMismatch",
    } <= alarms


def test_who_reads_recordings_is_updated_before_who_writes_them(default: Stacks) -> None:
    """A new form of events would else be malformed to an old archive, while it is deployed."""
    functions = default.service.of("AWS::Lambda::Function")
    by_name = {each["Properties"]["FunctionName"]: name for name, each in functions.items()}
    for writer in ("relay", "uplink"):
        before = functions[by_name[f"hatchway-prod-{writer}"]]["DependsOn"]
        for reader in ("archive", "recordings"):
            assert by_name[f"hatchway-prod-{reader}"] in before


def test_recording_can_be_required_of_all_or_turned_off(synth: Synth, default: Stacks) -> None:
    def variables(stacks: Stacks, family: str) -> dict[str, Any]:
        name = f"hatchway-prod-{family}"
        function = stacks.service.one("AWS::Lambda::Function", FunctionName=name)
        found: dict[str, Any] = function["Environment"]["Variables"]
        return found

    for family in ("connect", "agents", "sessions", "archive"):
        assert "RECORDING" not in variables(default, family)
        assert variables(synth(recording="required"), family)["RECORDING"] == "required"
        assert variables(synth(recording="off"), family)["RECORDING"] == "off"
