"""Acknowledges cdk-nag findings: always on one construct, always with the reason."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def accept(construct: Construct, rule: str, reason: str, *findings: str) -> None:
    """Accepts `rule` on `construct` and below; of a rule with findings, exactly these."""
    ids = [f"{rule}[{finding}]" for finding in findings] or [rule]
    for each in ids:
        Validations.of(construct).acknowledge(Acknowledgment(id=each, reason=reason))


def accept_wildcards(construct: Construct, reason: str, resources: Iterable[str]) -> None:
    """Accepts a `*` in exactly these resources of the policies on `construct`."""
    stack = Stack.of(construct)
    written = [f"Resource::{_written(stack.resolve(resource))}" for resource in resources]
    accept(construct, "AwsSolutions-IAM5", reason, *(each for each in written if "*" in each))


def _written(resource: object) -> str:
    """A resource as cdk-nag writes it: `<LogicalId>` and `<LogicalId.Attribute>` for what is not
    known before the deployment."""
    match resource:
        case str():
            return resource
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(_written(part) for part in parts)
        case {"Ref": str(logical_id)}:
            return f"<{logical_id}>"
        case {"Fn::GetAtt": [str(logical_id), str(attribute)]}:
            return f"<{logical_id}.{attribute}>"
        case _:
            raise TypeError(f"no way to write {resource!r}")
