"""A request as statements look at it: lower-case keys, absent and unknown told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hatchway.core.policy.model import UNKNOWN, AccessRequest, ContextValue
from hatchway.core.policy.patterns import Lookup


class View:
    """What one decision reads; built once for all statements."""

    __slots__ = ("_overrides", "action", "answers", "lookup", "resource")

    def __init__(self, request: AccessRequest) -> None:
        self.action = request.action.lower()
        self.resource = request.resource
        # The value of a context key in lower case, for conditions and the variables in them.
        self.lookup: Lookup = _by_key(request.context).get
        self._overrides = _by_key(request.resource_variables)
        # What conditions and resource elements have answered: many statements share them.
        self.answers: dict[object, bool | None] = {}

    def resource_variable(self, key: str) -> ContextValue | None:
        """The value of a variable in Resource or NotResource."""
        found = self._overrides.get(key)
        return self.lookup(key) if found is None else found


def _by_key(given: Mapping[str, ContextValue]) -> dict[str, ContextValue]:
    """Context key names ignore case. Two spellings with different values: AWS does not say which
    one counts, so it is unknown. A key with an empty set of values is absent."""
    found = {key.lower(): value for key, value in given.items() if value != ()}
    if len(found) != len(given):
        for key in _contradictions(given.items()):
            found[key] = UNKNOWN
    return found


def _contradictions(items: Iterable[tuple[str, ContextValue]]) -> list[str]:
    seen: dict[str, ContextValue] = {}
    found = []
    for key, value in items:
        if seen.setdefault(key.lower(), value) != value:
            found.append(key.lower())
    return found
