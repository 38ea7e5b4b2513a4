"""What an explanation comes to: allowed, denied, or hanging on what only a request has."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from hatchway.core.policy import Effect, Explanation, Layer, Mismatch, Outcome, PolicySet
from hatchway.core.policy import StatementReport as Report

#: Whether an unknown key (in any case) would be known at a request.
IsOpen = Callable[[str], bool]


class Verdict(StrEnum):
    """Conditional: denied as far as is known here, and allowed for some value of open keys."""

    ALLOWED = "Allowed"
    CONDITIONAL = "Conditional"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"

    @property
    def denied(self) -> bool:
        return self in (Verdict.IMPLICITLY_DENIED, Verdict.EXPLICITLY_DENIED)


_PLAIN = {
    Outcome.ALLOWED: Verdict.ALLOWED,
    Outcome.IMPLICITLY_DENIED: Verdict.IMPLICITLY_DENIED,
    Outcome.EXPLICITLY_DENIED: Verdict.EXPLICITLY_DENIED,
}


def verdict_of(explanation: Explanation, policies: PolicySet, is_open: IsOpen) -> Verdict:
    """Conditional where open keys could make it Allowed: no Deny applies for certain, and each
    layer has an Allow that applies or could."""
    plain = _PLAIN[explanation.decision.outcome]
    if plain is Verdict.ALLOWED:
        return plain
    could = [r for r in explanation.statements if _could_apply(r, is_open)]
    certain_deny = any(
        r.statement.effect is Effect.DENY and r.applied and r not in could
        for r in explanation.statements
    )
    allowing = {
        _part(r)
        for r in explanation.statements
        if r.statement.effect is Effect.ALLOW and (r.applied or r in could)
    }
    needed = {(Layer.IDENTITY, "")} | {(Layer.BOUNDARY, p.name) for p in policies.boundaries}
    needed |= {(Layer.SCP, str(level)) for level in range(len(policies.scps))}
    return Verdict.CONDITIONAL if not certain_deny and needed <= allowing else plain


def _part(report: Report) -> tuple[Layer, str]:
    """What a statement's Allow counts for: each boundary and each level of the organisation must
    allow by itself."""
    statement = report.statement
    match statement.layer:
        case Layer.BOUNDARY:
            return statement.layer, statement.policy
        case Layer.SCP:
            return statement.layer, str(statement.level)
        case _:
            return statement.layer, ""


def together(*verdicts: Verdict) -> Verdict:
    """Of checks that must all allow: a Deny first, then silence, then what hangs on something."""
    for worst in (Verdict.EXPLICITLY_DENIED, Verdict.IMPLICITLY_DENIED, Verdict.CONDITIONAL):
        if worst in verdicts:
            return worst
    return Verdict.ALLOWED


def _could_apply(report: Report, is_open: IsOpen) -> bool:
    """Whether nothing but open keys stands between the statement and the other answer."""
    misses = report.mismatches
    if report.statement.effect is Effect.DENY:
        # A Deny in doubt lists what it doubts: one open key may make it not match.
        return any(_open(miss, is_open) for miss in misses)
    return bool(misses) and all(_open(miss, is_open) for miss in misses)


def _open(miss: Mismatch, is_open: IsOpen) -> bool:
    return bool(miss.unknown) and all(is_open(key.lower()) for key in miss.unknown)
