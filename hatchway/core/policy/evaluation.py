"""The decision: IAM's evaluation logic over parsed policies and a three-valued context."""

from __future__ import annotations

from hatchway.core.policy.model import AccessRequest, Decision, Explanation, PolicySet


def decide(policies: PolicySet, request: AccessRequest) -> Decision:
    """IAM's answer to `request`. Never raises."""
    raise NotImplementedError("being written")


def explain(policies: PolicySet, request: AccessRequest) -> Explanation:
    """The same decision with every statement's near misses; slower than `decide`."""
    raise NotImplementedError("being written")
