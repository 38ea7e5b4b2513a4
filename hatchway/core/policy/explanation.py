"""The same decision with its near misses: which element of which statement failed, and on what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hatchway.core.policy.conditions import Condition
from hatchway.core.policy.context import View
from hatchway.core.policy.evaluation import decide, groups
from hatchway.core.policy.model import (
    AccessRequest,
    Element,
    Explanation,
    Mismatch,
    PolicySet,
    StatementRef,
    StatementReport,
)
from hatchway.core.policy.patterns import Lookup, Variable
from hatchway.core.policy.statements import (
    Statement,
    unknown_condition_keys,
    unknown_resource_keys,
)


def explain(policies: PolicySet, request: AccessRequest) -> Explanation:
    """The decision with every statement that names the action; slower than `decide`."""
    view = View(request)
    reports = [
        _report(statement, view, refs[statement.index])
        for layer, level, group in groups(policies)
        for policy in group
        for refs in [policy.refs(layer, level)]
        for statement in policy.with_action(view.action)
    ]
    reports.sort(key=lambda report: (not report.applied, len(report.mismatches)))
    return Explanation(decide(policies, request), tuple(reports))


def _report(statement: Statement, view: View, ref: StatementRef) -> StatementReport:
    answer = statement.evaluate(view)
    applied = answer is True or (answer is None and not statement.allows)
    return StatementReport(ref, applied, tuple(_mismatches(statement, view)))


def _mismatches(statement: Statement, view: View) -> Iterator[Mismatch]:
    resource = statement.resource
    fits = resource.evaluate(view)
    if fits is not True:
        yield Mismatch(
            Element.NOT_RESOURCE if resource.negated else Element.RESOURCE,
            resource.texts,
            view.resource,
            unknown=unknown_resource_keys(resource, view) if fits is None else (),
            absent=_absent(resource.variables, view.resource_variable),
        )
    for condition in statement.conditions:
        met = condition.evaluate(view)
        if met is not True:
            yield _unmet(condition, view, undecided=met is None)


def _unmet(condition: Condition, view: View, *, undecided: bool) -> Mismatch:
    return Mismatch(
        Element.CONDITION,
        condition.expected,
        view.lookup(condition.key),
        operator=condition.operator,
        key=condition.name,
        unknown=unknown_condition_keys(condition, view) if undecided else (),
        absent=_absent(condition.variables, view.lookup),
    )


def _absent(variables: Iterable[Variable], lookup: Lookup) -> tuple[str, ...]:
    missing = (each for each in variables if each.default is None and lookup(each.key) is None)
    return tuple(dict.fromkeys(each.name for each in missing))
