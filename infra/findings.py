"""Acknowledges cdk-nag findings: always on one construct, always with the reason."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import Construct


def accept(construct: Construct, rule: str, reason: str, *findings: str) -> None:
    """Accepts `rule` on `construct` and below; of a rule with findings, exactly these."""
    ids = [f"{rule}[{finding}]" for finding in findings] or [rule]
    for each in ids:
        Validations.of(construct).acknowledge(Acknowledgment(id=each, reason=reason))
