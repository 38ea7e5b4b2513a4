"""One key of a Condition block against a request, in three values: True, False, None (undecided).

None comes of what is unknown, and of what AWS leaves open; an Allow takes it for False and a
Deny for True.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from hatchway.core.policy import values
from hatchway.core.policy.context import View
from hatchway.core.policy.model import UNKNOWN
from hatchway.core.policy.operators import Operator, Quantifier, Test, operator_named
from hatchway.core.policy.patterns import Variable, tokenize, variables_of

CONDITIONS_KEPT = 1_024  # compiled conditions: equal ones are one object, answered once a request

# The answer of one condition to a request.
Check: TypeAlias = Callable[[View], bool | None]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """`operator: {name: expected}` as a policy has it; `key` is the name in lower case."""

    operator: str
    name: str
    key: str
    expected: tuple[str, ...]
    variables: tuple[Variable, ...]
    evaluate: Check


@lru_cache(maxsize=CONDITIONS_KEPT)
def compile_condition(
    operator: str, name: str, expected: tuple[str, ...], *, variables: bool
) -> Condition | None:
    """The condition; None where IAM knows no such operator."""
    how = operator_named(operator)
    if how is None:
        return None
    used = (tokenize(text, variables=variables, wildcards=False) for text in expected)
    key = name.lower()
    family = how.family
    check = _check(key, how, family(expected, variables)) if family else _null(key, expected)
    found = tuple(found for tokens in used for found in variables_of(tokens))
    return Condition(operator, name, key, expected, found, check)


def _null(key: str, expected: tuple[str, ...]) -> Check:
    """Null: true asks for absence, false for "the key exists and its value is not null"; whether
    empty text is null AWS does not say plainly, so that is undecided."""
    wanted = {values.boolean(text) for text in expected}
    absent, present = True in wanted, False in wanted

    def check(view: View) -> bool | None:
        given = view.lookup(key)
        if given is None:
            return absent
        return None if given is UNKNOWN or not any(given) else present

    return check


def _check(key: str, how: Operator, test: Test) -> Check:
    absent = _without_value(how)
    plain, negated, quantifier = how.quantifier is Quantifier.NONE, how.negated, how.quantifier

    def check(view: View) -> bool | None:
        lookup = view.lookup
        given = lookup(key)
        if given is None:
            return absent
        if plain and isinstance(given, str):
            answer = test(given, lookup)
            return not answer if negated and answer is not None else answer
        if given is UNKNOWN:
            return None
        several = (given,) if isinstance(given, str) else given
        answers = [test(value, lookup) for value in several]
        if negated:
            answers = [None if answer is None else not answer for answer in answers]
        return _together(answers, several, quantifier)

    return check


def _without_value(how: Operator) -> bool | None:
    """What an absent key gives."""
    if how.quantifier is Quantifier.ANY:
        # IfExists says true, ForAnyValue without a value false; AWS does not say which wins.
        return None if how.if_exists else False
    return how.if_exists or how.negated or how.quantifier is Quantifier.ALL


def _together(
    answers: Sequence[bool | None], given: Sequence[str], quantifier: Quantifier
) -> bool | None:
    if quantifier is Quantifier.ANY:
        return _any(answers)
    if quantifier is Quantifier.ALL:
        # True also "if the context key value resolves to a null dataset, such as an empty
        # string": as Null is not sure to guard against that, it is left undecided.
        return _all(answers) if any(given) or _all(answers) else None
    # Several values without a set operator, which AWS requires: certain where all agree.
    return answers[0] if len(set(answers)) == 1 else None


def _any(answers: Sequence[bool | None]) -> bool | None:
    return True if True in answers else None if None in answers else False


def _all(answers: Sequence[bool | None]) -> bool | None:
    return False if False in answers else None if None in answers else True
