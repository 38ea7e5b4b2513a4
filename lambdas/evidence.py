"""What the log line says of a denial: statement, condition and the value that failed.

For auditors, and never for the caller: a policy may name what the caller has no business to know.
The fields are flat, so that a query finds them; the texts are IAM's and EC2's, and no secrets.
"""

from __future__ import annotations

from hatchway.core.policy import UNKNOWN, ContextValue, Explanation, Mismatch, Outcome
from hatchway.core.policy import StatementReport as Report

#: Characters of the values in one field; the log line cuts at its own limit besides.
MAX_VALUES = 400


def evidence(action: str, resource: str, explanation: Explanation) -> dict[str, str | int]:
    """The fields of a log line about a denial."""
    decision = explanation.decision
    explicit = decision.outcome is Outcome.EXPLICITLY_DENIED
    layer = decision.reason.layer
    found: dict[str, str | int] = {
        "deniedAction": action,
        "deniedResource": resource,
        "deniedKind": "explicit" if explicit else "implicit",
        "deniedLayer": layer.value if layer is not None else "",
    }
    if layer is None:
        found["secondOpinion"] = decision.outcome.value
    if decision.reason.unknown:
        found["deniedUnknown"] = " ".join(decision.reason.unknown)
    report = _telling(explanation, explicit=explicit)
    return found | (_of(report) if report is not None else {})


def _telling(explanation: Explanation, *, explicit: bool) -> Report | None:
    """The Deny that applied, or else the Allow that came nearest."""
    for report in explanation.statements:
        denies = report.statement.effect.value == "Deny"
        if denies is explicit and report.applied is explicit:
            return report
    return None


def _of(report: Report) -> dict[str, str | int]:
    found: dict[str, str | int] = {
        "deniedBy" if report.applied else "nearMiss": str(report.statement)
    }
    if report.mismatches:
        miss = report.mismatches[0]
        found |= {
            "failedElement": miss.element.value,
            "failedExpected": ", ".join(miss.expected)[:MAX_VALUES],
            "failedActual": _actual(miss),
        }
        if miss.key:
            found |= {"failedOperator": miss.operator, "failedKey": miss.key}
    return found


def _actual(miss: Mismatch) -> str:
    actual: ContextValue | None = miss.actual
    if actual is None:
        return "(absent)"
    if actual is UNKNOWN:
        return "(unknown)"
    return (actual if isinstance(actual, str) else ", ".join(actual))[:MAX_VALUES]
