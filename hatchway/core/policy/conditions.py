"""One key of a Condition block against a request, in three values: True, False, None (undecided).

None comes of what is unknown, and of what AWS leaves open; an Allow takes it for False and a
Deny for True.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hatchway.core.policy import values
from hatchway.core.policy.context import View
from hatchway.core.policy.model import Unknown
from hatchway.core.policy.operators import Operator, Quantifier, Test, operator_named
from hatchway.core.policy.patterns import Variable, tokenize, variables_of


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """`operator: {name: expected}` as a policy has it, compiled; `key` is the name in lower case.

    `_absent` is the answer where the key is absent, `_present` that of Null where it is not.
    """

    operator: str
    name: str
    key: str
    expected: tuple[str, ...]
    variables: tuple[Variable, ...]
    _how: Operator
    _test: Test
    _absent: bool | None
    _present: bool

    def evaluate(self, view: View) -> bool | None:
        given = view.context.get(self.key)
        if given is None:
            return self._absent
        if isinstance(given, Unknown):
            return None
        if isinstance(given, str) and self._how.quantifier is Quantifier.NONE:
            return self._one(given, view)
        several = (given,) if isinstance(given, str) else given
        return self._many([self._one(value, view) for value in several], several)

    def _one(self, value: str, view: View) -> bool | None:
        if self._how.family is None:
            # "The key exists and its value is not null": whether empty text is null AWS does not
            # say plainly, so that is undecided.
            return self._present if value else None
        answer = self._test(value, view.condition_variable)
        return not answer if self._how.negated and answer is not None else answer

    def _many(self, answers: Sequence[bool | None], given: Sequence[str]) -> bool | None:
        if self._how.quantifier is Quantifier.ANY:
            return _any(answers)
        if self._how.quantifier is Quantifier.ALL:
            # True also "if the context key value resolves to a null dataset, such as an empty
            # string": as Null is not sure to guard against that, it is left undecided.
            return _all(answers) if any(given) or _all(answers) else None
        # Several values without a set operator, which AWS requires: certain where all agree.
        return answers[0] if len(set(answers)) == 1 else None


def _any(answers: Sequence[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def _all(answers: Sequence[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True


def compile_condition(
    operator: str, name: str, expected: tuple[str, ...], *, variables: bool
) -> Condition | None:
    """The condition; None where IAM knows no such operator."""
    how = operator_named(operator)
    if how is None:
        return None
    test = how.family(expected, variables) if how.family else _never
    used = (tokenize(text, variables=variables, wildcards=False) for text in expected)
    absent, present = _without_value(how, expected)
    return Condition(
        operator=operator,
        name=name,
        key=name.lower(),
        expected=expected,
        variables=tuple(found for tokens in used for found in variables_of(tokens)),
        _how=how,
        _test=test,
        _absent=absent,
        _present=present,
    )


def _never(_value: str, _lookup: object) -> bool:
    return False


def _without_value(how: Operator, expected: tuple[str, ...]) -> tuple[bool | None, bool]:
    """What an absent key gives, and what a present one gives to Null."""
    if how.family is None:
        wanted = {values.boolean(text) for text in expected}
        return True in wanted, False in wanted
    if how.quantifier is Quantifier.ANY:
        # IfExists says true, ForAnyValue without a value false; AWS does not say which wins.
        return None if how.if_exists else False, False
    return how.if_exists or how.negated or how.quantifier is Quantifier.ALL, False
