"""A request as statements look at it: lower-case keys, absent and unknown told apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hatchway.core.policy.model import UNKNOWN, AccessRequest, ContextValue


class View:
    """What one decision reads; built once for all statements."""

    __slots__ = ("action", "context", "overrides", "resource")

    def __init__(self, request: AccessRequest) -> None:
        self.action = request.action.lower()
        self.resource = request.resource
        self.context = _by_key(request.context)
        self.overrides = _by_key(request.resource_variables)

    def condition_variable(self, key: str) -> ContextValue | None:
        return self.context.get(key)

    def resource_variable(self, key: str) -> ContextValue | None:
        found = self.overrides.get(key)
        return self.context.get(key) if found is None else found


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
