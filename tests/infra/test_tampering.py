"""Whoever changes what recordings rest on is told of: CloudTrail's events to the alarm topic."""

from __future__ import annotations

import json
import re

import pytest

from infra.tampering import KIND
from lambdas.notify.handler import URGENT
from tests.infra.templates import Stacks, text

RULES = {
    "functions": ("aws.lambda", "functionName"),
    "keys": ("aws.kms", "keyId"),
    "logs": ("aws.logs", "logGroupName"),
    "archive": ("aws.s3", "bucketName"),
    "rules": ("aws.events", "name"),
}


@pytest.mark.parametrize("what", RULES)
def test_a_change_is_told_with_who_and_what(default: Stacks, what: str) -> None:
    rule = default.service.one("AWS::Events::Rule", Name=f"hatchway-prod-changed-{what}")
    pattern = rule["EventPattern"]
    source, parameter = RULES[what]
    assert pattern["source"] == [source]
    assert pattern["detail-type"] == ["AWS API Call via CloudTrail"]
    assert pattern["detail"]["requestParameters"][parameter]
    assert "EventBusName" not in rule
    (target,) = rule["Targets"]
    assert text(target["Arn"]).startswith("<Notify")
    paths = set(target["InputTransformer"]["InputPathsMap"].values())
    assert {"$.detail.userIdentity.arn", "$.detail.eventName"} <= paths


def test_the_function_takes_such_a_change_for_urgent(default: Stacks) -> None:
    rule = default.service.one("AWS::Events::Rule", Name="hatchway-prod-changed-keys")
    template = rule["Targets"][0]["InputTransformer"]["InputTemplate"]
    made = json.loads(re.sub(r'":(<[^>]+>)', r'":"\1"', template))
    assert made["detail-type"] == KIND
    assert made["detail"]["summary"].startswith("Hatchway prod: ")
    assert KIND in URGENT


def test_keys_of_archive_signatures_and_seals_are_watched(default: Stacks) -> None:
    rule = default.service.one("AWS::Events::Rule", Name="hatchway-prod-changed-keys")
    named = rule["EventPattern"]["detail"]["requestParameters"]["keyId"]
    assert len(named) == 6  # three keys, each by its id and its ARN


def test_manifests_are_signed_by_the_archive_alone(default: Stacks) -> None:
    policies = default.service.of("AWS::IAM::Policy")
    signing = [
        name
        for name, policy in policies.items()
        if "kms:Sign" in json.dumps(policy["Properties"]["PolicyDocument"])
    ]
    assert len(signing) == 1
    assert signing[0].startswith("Archive")
