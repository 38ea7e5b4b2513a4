"""Checks and statements as ExplainAccess shows them: bounded, and without empty members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hatchway.core import api
from hatchway.core.policy import UNKNOWN, Effect, Mismatch
from hatchway.core.policy import StatementReport as Report
from lambdas.verdict import Verdict

if TYPE_CHECKING:
    from lambdas.sessions.explain import Check
    from lambdas.sessions.subject import Subject

_GATEWAY = (
    "Of execute-api only the identity policies and the boundary are seen here. API Gateway's own "
    "decision counts: it also knows session policies, service control policies, MFA and session "
    "tags."
)


def check_members(check: Check) -> Mapping[str, object]:
    """An element of `Checks`."""
    reason = check.explanation.decision.reason
    shown = check.explanation.statements[: api.MAX_STATEMENTS]
    return _present(
        {
            "Layer": check.layer,
            "Action": check.action,
            "Resource": check.resource,
            "Decision": check.verdict.value,
            "PolicyLayer": reason.layer.value if reason.layer is not None else "",
            "Unknown": list(reason.unknown[: api.CONTEXT_KEYS.most]),
        }
    ) | {"Statements": [_statement(report) for report in shown]}


def remarks(
    subject: Subject, checks: Sequence[Check], refused: str, *, node_known: bool
) -> list[str]:
    """What the checks alone do not tell."""
    found = [refused] if refused else []
    if not node_known:
        found.append("EC2 does not know the instance, so it has no tags.")
    if subject.known.role_id:
        found.append(
            "For a role, session tags, session policies and MFA are unknown to Hatchway: an Allow "
            "that needs them does not apply, a Deny that names them does."
        )
    else:
        found.append("As if the user signs with an access key of their own: no MFA.")
    conditional = {check.layer for check in checks if check.verdict is Verdict.CONDITIONAL}
    if conditional:
        found.append(
            f"Conditional ({', '.join(sorted(conditional))}): it hangs on keys that only a request "
            "has; give them as Context."
        )
    if any(len(check.explanation.statements) > api.MAX_STATEMENTS for check in checks):
        found.append(f"Only the nearest {api.MAX_STATEMENTS} statements of a check are shown.")
    return [*found, _GATEWAY]


def _statement(report: Report) -> Mapping[str, object]:
    ref = report.statement
    found: dict[str, object] = {
        "PolicyLayer": ref.layer.value,
        "Source": _cut(ref.source),
        "Policy": _cut(ref.policy),
        "Sid": _cut(ref.sid),
    }
    return _present(found) | {
        "Index": ref.index,
        "Effect": ref.effect.value,
        "Result": _result(report),
        "Mismatches": [_mismatch(miss) for miss in report.mismatches[: api.MAX_STATEMENTS]],
    }


def _result(report: Report) -> str:
    if not report.applied:
        return "NotApplied"
    doubtful = report.statement.effect is Effect.DENY and report.mismatches
    return "AppliedInDoubt" if doubtful else "Applied"


def _mismatch(miss: Mismatch) -> Mapping[str, object]:
    actual: Sequence[str] = ()
    presence = "present"
    if miss.actual is None or miss.actual is UNKNOWN:
        presence = "absent" if miss.actual is None else "unknown"
    else:
        actual = (miss.actual,) if isinstance(miss.actual, str) else miss.actual
    return _present(
        {
            "Element": miss.element.value,
            "Operator": _cut(miss.operator),
            "Key": _cut(miss.key),
            "Expected": _values(miss.expected),
            "Actual": _values(actual),
            "Presence": presence,
            "Unknown": list(miss.unknown),
            "Absent": list(miss.absent),
        }
    )


def _values(values: Sequence[str]) -> list[str]:
    return [_cut(value) for value in values[: api.MAX_VALUES]]


def _cut(text: str) -> str:
    return text[: api.LABEL.most]


def _present(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value not in ("", [])}
