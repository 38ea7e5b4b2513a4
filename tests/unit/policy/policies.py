"""Short forms for the policy tests: documents, sets, requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hatchway.core.policy import (
    AccessRequest,
    ContextValue,
    Outcome,
    Policy,
    PolicySet,
    Unknown,
    decide,
    parse,
)

PRINCIPAL = "arn:aws:iam::123456789012:user/alice"
INSTANCE = "arn:aws:ec2:us-east-1:123456789012:instance/i-0aaaaaaaaaaaaaaa1"
ALLOW_ALL = {"Sid": "AllowAll", "Effect": "Allow", "Action": "*", "Resource": "*"}


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """A statement that fits every request, but for what `elements` say otherwise."""
    found = {"Effect": effect, **elements}
    if "NotAction" not in elements:
        found.setdefault("Action", "*")
    if "NotResource" not in elements:
        found.setdefault("Resource", "*")
    return found


def when(operator: str, key: str, expected: object, effect: str = "Allow") -> dict[str, Any]:
    return statement(effect, Condition={operator: {key: expected}})


def policy(*statements: object, version: str = "2012-10-17", name: str = "p") -> Policy:
    document = {"Version": version, "Statement": list(statements)}
    return parse(json.dumps(document), source="test", name=name)


def request(
    context: Mapping[str, ContextValue] | None = None,
    *,
    action: str = "ssm:StartSession",
    resource: str = INSTANCE,
    variables: Mapping[str, str | Unknown] | None = None,
) -> AccessRequest:
    return AccessRequest(PRINCIPAL, action, resource, context or {}, variables or {})


def outcome(
    given: Policy | dict[str, Any],
    context: Mapping[str, ContextValue] | None = None,
    **rest: Any,
) -> Outcome:
    """What one identity policy or statement says."""
    identity = given if isinstance(given, Policy) else policy(given)
    return decide(PolicySet((identity,)), request(context, **rest)).outcome


def allowed(
    given: Policy | dict[str, Any],
    context: Mapping[str, ContextValue] | None = None,
    **rest: Any,
) -> bool:
    return outcome(given, context, **rest) is Outcome.ALLOWED
