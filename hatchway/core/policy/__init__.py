"""IAM's policy evaluation as AWS documents it, over context keys that may be unknown."""

from hatchway.core.policy.errors import PolicyError
from hatchway.core.policy.evaluation import decide
from hatchway.core.policy.explanation import explain
from hatchway.core.policy.model import (
    UNKNOWN,
    AccessRequest,
    ContextValue,
    Decision,
    Effect,
    Element,
    Explanation,
    Layer,
    Mismatch,
    Outcome,
    PolicySet,
    Reason,
    StatementRef,
    StatementReport,
    Unknown,
)
from hatchway.core.policy.parsing import Policy, parse

__all__ = [
    "UNKNOWN",
    "AccessRequest",
    "ContextValue",
    "Decision",
    "Effect",
    "Element",
    "Explanation",
    "Layer",
    "Mismatch",
    "Outcome",
    "Policy",
    "PolicyError",
    "PolicySet",
    "Reason",
    "StatementRef",
    "StatementReport",
    "Unknown",
    "decide",
    "explain",
    "parse",
]
