"""Policy documents: from JSON text to compiled statements, with bounds on what is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from hatchway.core.policy.conditions import Condition, compile_condition
from hatchway.core.policy.errors import PolicyError
from hatchway.core.policy.model import Effect, Layer, StatementRef
from hatchway.core.policy.statements import ActionElement, Statement, resource_element

# IAM's own quotas end at 10,240 characters; policies of AWS itself are longer.
MAX_POLICY_CHARS = 262_144
MAX_STATEMENTS = 1_000
MAX_PATTERN_CHARS = 2_048  # an ARN's length
ACTIONS_KEPT = 256  # actions whose statements a policy remembers

WITH_VARIABLES = "2012-10-17"
_VERSIONS = (WITH_VARIABLES, "2008-10-17")
_DOCUMENT = frozenset({"Version", "Id", "Statement"})
_STATEMENT = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """A parsed policy document; `source` and `name` say where it hangs and what it is called."""

    source: str
    name: str
    version: str
    statements: tuple[Statement, ...]
    _by_action: dict[str, tuple[Statement, ...]] = field(default_factory=dict, repr=False)
    _refs: dict[tuple[int, int], tuple[StatementRef, ...]] = field(default_factory=dict, repr=False)

    def with_action(self, action: str) -> tuple[Statement, ...]:
        """The statements that name `action` (in lower case)."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(each for each in self.statements if each.action.matches(action))
            if len(self._by_action) < ACTIONS_KEPT:
                self._by_action[action] = found
        return found

    def refs(self, layer: Layer, level: int) -> tuple[StatementRef, ...]:
        """Names of the statements as they stand in a layer."""
        key = id(layer), level  # an Enum's hash is slow, its members are never collected
        found = self._refs.get(key)
        if found is None:
            found = tuple(
                StatementRef(
                    layer, self.source, self.name, each.index, each.sid, each.effect, level
                )
                for each in self.statements
            )
            self._refs[key] = found
        return found


def parse(text: str, *, source: str = "", name: str = "") -> Policy:
    """The policy in `text`; PolicyError, which says where, when it is malformed.

    Taken are identity policies, boundaries, session policies and SCPs: none has a Principal.
    """
    return _Reader(source, name).policy(text)


class _Number(str):
    """A JSON number, as written."""

    __slots__ = ()


class _Pairs(dict[str, object]):
    """A JSON object; which names come twice is known."""

    __slots__ = ("twice",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        seen: set[str] = set()
        self.twice: list[str] = []
        for name, _ in pairs:
            if name in seen:
                self.twice.append(name)
            seen.add(name)


class _Reader:
    """Checks one document; every complaint carries its source and name."""

    def __init__(self, source: str, name: str) -> None:
        self._source, self._name = source, name

    def _fail(self, where: str, message: str) -> NoReturn:
        raise PolicyError(message, source=self._source, name=self._name, where=where)

    def policy(self, text: str) -> Policy:
        document = self._object(self._json(text), "policy", _DOCUMENT)
        version = document.get("Version", "2008-10-17")
        if version not in _VERSIONS:
            self._fail("Version", "is neither 2012-10-17 nor 2008-10-17")
        if not isinstance(document.get("Id", ""), str):
            self._fail("Id", "is no string")
        if "Statement" not in document:
            self._fail("policy", "has no Statement")
        given = document["Statement"]
        listed = given if isinstance(given, list) else [given]
        if len(listed) > MAX_STATEMENTS:
            self._fail("Statement", f"has more than {MAX_STATEMENTS} elements")
        variables = version == WITH_VARIABLES
        statements = [self._statement(each, at, variables) for at, each in enumerate(listed)]
        return Policy(self._source, self._name, str(version), tuple(statements))

    def _json(self, text: str) -> object:
        if len(text) > MAX_POLICY_CHARS:
            self._fail("policy", f"is longer than {MAX_POLICY_CHARS} characters")
        try:
            found: object = json.loads(
                text,
                object_pairs_hook=_Pairs,
                parse_int=_Number,
                parse_float=_Number,
                parse_constant=_Number,
            )
        except json.JSONDecodeError as error:
            self._fail(f"line {error.lineno} column {error.colno}", f"is no JSON: {error.msg}")
        except RecursionError:
            self._fail("policy", "is nested too deep")
        return found

    def _object(self, given: object, where: str, known: frozenset[str] | None) -> _Pairs:
        if not isinstance(given, _Pairs):
            self._fail(where, "is no JSON object")
        if given.twice:
            self._fail(where, f"has {given.twice[0][:80]!r} twice")
        strange = sorted(set(given) - known) if known else ()
        if strange:
            self._fail(where, f"has an unknown element {strange[0][:80]!r}")
        return given

    def _statement(self, given: object, index: int, variables: bool) -> Statement:
        where = f"Statement[{index}]"
        statement = self._object(given, where, _STATEMENT)
        sid = statement.get("Sid", "")
        if not isinstance(sid, str) or isinstance(sid, _Number):
            self._fail(f"{where}.Sid", "is no string")
        effect = statement.get("Effect")
        if effect not in ("Allow", "Deny"):
            self._fail(f"{where}.Effect", "is neither Allow nor Deny")
        actions, no_action = self._either(statement, where, "Action")
        resources, no_resource = self._either(statement, where, "Resource")
        resource = resource_element(resources, negated=no_resource, variables=variables)
        conditions = self._conditions(statement, where, variables)
        return Statement(
            index=index,
            sid=sid,
            effect=Effect(effect),
            allows=effect == "Allow",
            action=ActionElement.of(actions, negated=no_action),
            resource=resource,
            conditions=conditions,
            parts=(resource, *conditions),
        )

    def _either(self, statement: _Pairs, where: str, element: str) -> tuple[tuple[str, ...], bool]:
        """The values of an element or of its Not form, of which a statement has exactly one."""
        negated = f"Not{element}"
        if (element in statement) is (negated in statement):
            self._fail(where, f"has to have either {element} or {negated}")
        name = element if element in statement else negated
        texts = self._texts(statement[name], f"{where}.{name}", plain=True)
        if not texts:
            self._fail(f"{where}.{name}", "is empty")
        return texts, name == negated

    def _texts(self, given: object, where: str, *, plain: bool = False) -> tuple[str, ...]:
        listed: Sequence[object] = given if isinstance(given, list) else [given]
        return tuple(self._text(each, where, plain) for each in listed)

    def _text(self, given: object, where: str, plain: bool) -> str:
        """A string; in conditions IAM takes numbers and booleans too."""
        if isinstance(given, bool) and not plain:
            return "true" if given else "false"
        if not isinstance(given, str) or (plain and isinstance(given, _Number)):
            self._fail(where, "is no string and no list of strings")
        if len(given) > MAX_PATTERN_CHARS:
            self._fail(where, f"has a value of more than {MAX_PATTERN_CHARS} characters")
        return str(given)

    def _conditions(self, statement: _Pairs, where: str, variables: bool) -> tuple[Condition, ...]:
        found = []
        block = self._object(statement.get("Condition", _Pairs([])), f"{where}.Condition", None)
        for operator, given in block.items():
            place = f"{where}.Condition.{operator[:80]}"
            for key, expected in self._object(given, place, None).items():
                texts = self._texts(expected, f"{place}.{key[:80]}")
                condition = compile_condition(operator, key, texts, variables=variables)
                if condition is None:
                    self._fail(place, "is no condition operator")
                found.append(condition)
        return tuple(found)
