"""What goes into a decision and what comes out of it: values only, no evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from hatchway.core.policy.parsing import Policy


class Unknown(Enum):
    """The type of UNKNOWN: a context key of which nothing can be said, not even its presence."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown.UNKNOWN

# One value, several values, or unknown. A key that is absent is not in the mapping.
ContextValue: TypeAlias = str | tuple[str, ...] | Unknown


class Effect(Enum):
    ALLOW = "Allow"
    DENY = "Deny"


class Outcome(Enum):
    """As `iam:SimulatePrincipalPolicy` names them."""

    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"


class Layer(Enum):
    """Each of them must allow; a Deny in any of them denies."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"
    SCP = "scp"


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A principal's policies by layer.

    No boundaries and no session policies mean that there are none, not that they allow nothing.
    `scps` holds one tuple per level of the organisation, root first; every level must allow.
    """

    identity: tuple[Policy, ...]
    boundaries: tuple[Policy, ...] = ()
    scps: tuple[tuple[Policy, ...], ...] = ()
    session: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One action on one resource. Context keys ignore case.

    `resource_variables` overrides the context where variables are substituted in Resource and
    NotResource, and nowhere else. `principal_arn` names the caller in explanations: where a
    condition should see it, it belongs into the context as `aws:PrincipalArn`.
    """

    principal_arn: str
    action: str
    resource: str
    context: Mapping[str, ContextValue]
    resource_variables: Mapping[str, str | Unknown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StatementRef:
    """Which statement: `index` counts from 0, `level` is the SCP's level (0 elsewhere)."""

    layer: Layer
    source: str
    policy: str
    index: int
    sid: str
    effect: Effect
    level: int = 0

    def __str__(self) -> str:
        return f"{self.layer.value} {self.policy or self.source}[{self.sid or self.index}]"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it came out so: the layer that decided (None when allowed) and, sorted, the keys whose
    being unknown kept an Allow from matching or made a Deny match.

    The layer is the first, in the order of Layer, that has a Deny, or else that does not allow.
    `unknown` also names a key whose value AWS leaves open how to take (see conditions.py).
    """

    layer: Layer | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """`matched` are all statements that apply to the request, whatever the outcome."""

    outcome: Outcome
    matched: tuple[StatementRef, ...]
    reason: Reason

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED


class Element(Enum):
    """The part of a statement that did not match."""

    RESOURCE = "Resource"
    NOT_RESOURCE = "NotResource"
    CONDITION = "Condition"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One failed element: what the policy asks for and what the request has.

    `actual` is None for an absent key. `operator` and `key` are empty outside conditions.
    `unknown` names the keys that made it undecided; empty when it failed for certain. `absent`
    names the variables in `expected` that have no value.
    """

    element: Element
    expected: tuple[str, ...]
    actual: ContextValue | None
    operator: str = ""
    key: str = ""
    unknown: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementReport:
    """How one statement fared: it applied, or these elements of it failed (all of them, not
    only the first). A Deny that applies through unknown keys lists them as mismatches."""

    statement: StatementRef
    applied: bool
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all statements whose action fits the request, best matches first."""

    decision: Decision
    statements: tuple[StatementReport, ...]

    @property
    def near_misses(self) -> tuple[StatementReport, ...]:
        """The statements that would have applied but for the listed elements."""
        return tuple(report for report in self.statements if not report.applied)
