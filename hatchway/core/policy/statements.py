"""One compiled statement: does it apply to a request? True, False or None (undecided)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from hatchway.core.policy.conditions import Condition
from hatchway.core.policy.context import View
from hatchway.core.policy.model import Effect, Unknown
from hatchway.core.policy.patterns import (
    Matcher,
    Tokens,
    Variable,
    has_variables,
    matcher,
    matches,
    resource_tokens,
    tokenize,
    variables_of,
)

RESOURCES_KEPT = 1_024  # compiled elements: equal ones are one object, answered once a request


@dataclass(frozen=True, slots=True, eq=False)
class ActionElement:
    """Action or NotAction: "the prefix and the action name are case insensitive"."""

    texts: tuple[str, ...]
    negated: bool
    _matchers: tuple[Matcher, ...]

    @classmethod
    def of(cls, texts: tuple[str, ...], *, negated: bool) -> ActionElement:
        tokens = (tokenize(text.lower(), variables=False, wildcards=True) for text in texts)
        return cls(texts, negated, tuple(matcher(each) for each in tokens))

    def matches(self, action: str) -> bool:
        """`action` in lower case."""
        return any(test(action) for test in self._matchers) is not self.negated


@dataclass(frozen=True, slots=True, eq=False)
class ResourceElement:
    """Resource or NotResource, case-sensitive. A pattern with a variable that has no value "will
    not match any resource", in NotResource too."""

    texts: tuple[str, ...]
    negated: bool
    _fixed: tuple[Matcher, ...]
    _dynamic: tuple[Tokens, ...]

    def evaluate(self, view: View) -> bool | None:
        resource = view.resource
        for test in self._fixed:
            if test(resource):
                return not self.negated
        undecided = False
        for tokens in self._dynamic:
            first = tokens[0]
            if isinstance(first, str) and not resource.startswith(first):
                continue
            answer = matches(tokens, resource, view.resource_variable)
            if answer:
                return not self.negated
            undecided = undecided or answer is None
        return None if undecided else self.negated

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(found for tokens in self._dynamic for found in variables_of(tokens))


@lru_cache(maxsize=RESOURCES_KEPT)
def resource_element(texts: tuple[str, ...], *, negated: bool, variables: bool) -> ResourceElement:
    tokens = [resource_tokens(text, variables=variables) for text in texts]
    fixed = tuple(matcher(each) for each in tokens if not has_variables(each))
    dynamic = tuple(each for each in tokens if has_variables(each))
    return ResourceElement(texts, negated, fixed, dynamic)


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """`index` counts from 0 in its policy; `parts` are the resource element and the conditions."""

    index: int
    sid: str
    effect: Effect
    allows: bool
    action: ActionElement
    resource: ResourceElement
    conditions: tuple[Condition, ...]
    parts: tuple[ResourceElement | Condition, ...]

    def evaluate(self, view: View) -> bool | None:
        """Resource and conditions; the action is known to match."""
        undecided = False
        answers = view.answers
        for part in self.parts:
            if part in answers:
                answer = answers[part]
            else:
                answer = answers[part] = part.evaluate(view)
            if answer is False:
                return False
            if answer is None:
                undecided = True
        return None if undecided else True

    def doubts(self, view: View) -> Iterator[str]:
        """The names of the keys that left `evaluate` undecided."""
        if self.resource.evaluate(view) is None:
            yield from unknown_resource_keys(self.resource, view)
        for condition in self.conditions:
            if condition.evaluate(view) is None:
                yield from unknown_condition_keys(condition, view)


def unknown_resource_keys(element: ResourceElement, view: View) -> tuple[str, ...]:
    found = {
        each.key: each.name
        for each in element.variables
        if _vague(view.resource_variable(each.key))
    }
    return tuple(found.values())


def unknown_condition_keys(condition: Condition, view: View) -> tuple[str, ...]:
    """The key itself where it is unknown or no variable is: then its value is the doubt."""
    found = {each.key: each.name for each in condition.variables if _vague(view.lookup(each.key))}
    if not found or isinstance(view.lookup(condition.key), Unknown):
        found[condition.key] = condition.name
    return tuple(found.values())


def _vague(value: object) -> bool:
    return value is not None and not isinstance(value, str)
