"""Explanations of access as typed records; `members` gives back the API's stable names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Members = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """What failed in a statement: `expected` by the policy, `actual` in the request."""

    element: str
    operator: str
    key: str
    expected: Sequence[str]
    actual: Sequence[str]
    presence: str
    unknown: Sequence[str]
    absent: Sequence[str]

    @classmethod
    def of(cls, members: Members) -> Mismatch:
        return cls(
            element=_text(members, "Element"),
            operator=_text(members, "Operator"),
            key=_text(members, "Key"),
            expected=_texts(members, "Expected"),
            actual=_texts(members, "Actual"),
            presence=_text(members, "Presence"),
            unknown=_texts(members, "Unknown"),
            absent=_texts(members, "Absent"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """How one statement fared; `result` is Applied, AppliedInDoubt or NotApplied."""

    source: str
    policy: str
    sid: str
    index: int
    effect: str
    result: str
    mismatches: Sequence[Mismatch]

    @classmethod
    def of(cls, members: Members) -> Statement:
        index = members.get("Index")
        return cls(
            source=_text(members, "Source"),
            policy=_text(members, "Policy"),
            sid=_text(members, "Sid"),
            index=index if isinstance(index, int) else 0,
            effect=_text(members, "Effect"),
            result=_text(members, "Result"),
            mismatches=[Mismatch.of(one) for one in _records(members, "Mismatches")],
        )

    @property
    def label(self) -> str:
        """Its Sid, or its place from 0."""
        return self.sid or f"[{self.index}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question to the policies and its answer."""

    layer: str
    action: str
    resource: str
    decision: str
    policy_layer: str
    unknown: Sequence[str]
    statements: Sequence[Statement]

    @classmethod
    def of(cls, members: Members) -> Check:
        return cls(
            layer=_text(members, "Layer"),
            action=_text(members, "Action"),
            resource=_text(members, "Resource"),
            decision=_text(members, "Decision"),
            policy_layer=_text(members, "PolicyLayer"),
            unknown=_texts(members, "Unknown"),
            statements=[Statement.of(one) for one in _records(members, "Statements")],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Whether somebody may start a session, and why. `said` is the whole answer."""

    principal_arn: str
    target: str
    decision: str
    checks: Sequence[Check]
    remarks: Sequence[str]
    said: Members = field(repr=False)

    @classmethod
    def of(cls, members: Members) -> Explained:
        return cls(
            principal_arn=_text(members, "PrincipalArn"),
            target=_text(members, "Target"),
            decision=_text(members, "Decision"),
            checks=[Check.of(one) for one in _records(members, "Checks")],
            remarks=_texts(members, "Remarks"),
            said=members,
        )

    @property
    def allowed(self) -> bool:
        return self.decision == "Allowed"

    def members(self) -> dict[str, object]:
        names = ("PrincipalArn", "Target", "Decision", "Checks", "Remarks")
        return {name: self.said.get(name, []) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One line of who-can or what-can: `name` is an ARN or a node id, `label` a node's Name."""

    name: str
    label: str
    decision: str
    unknown: Sequence[str]

    @classmethod
    def of_principal(cls, members: Members) -> Access:
        return cls._of(members, "PrincipalArn")

    @classmethod
    def of_node(cls, members: Members) -> Access:
        return cls._of(members, "NodeId")

    @classmethod
    def _of(cls, members: Members, name: str) -> Access:
        return cls(
            name=_text(members, name),
            label=_text(members, "Name"),
            decision=_text(members, "Decision"),
            unknown=_texts(members, "Unknown"),
        )


def _text(members: Members, name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _texts(members: Members, name: str) -> list[str]:
    value = members.get(name)
    return [str(one) for one in value] if isinstance(value, list) else []


def _records(members: Members, name: str) -> list[Members]:
    value = members.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
