"""Runs IAM vectors: `python -m tests.vectors.iam FILE` prints `agree N of M`, and each difference.

A file is a JSON list. Each vector has `id`, `category`, policies by layer (`identityPolicies`,
`boundaries`, `sessionPolicies`, `scps`: one list per level), `request` (`principal`, `action`,
`resource`, `context`, `resourceVariables`), `expected` and, where it was recorded, `matchedSids`:
`Effect:Sid` of every statement that applies, in any layer, without those that have no Sid.
`oracle` says who answered: `iam-simulate` (an independent simulator), `aws-docs` (a sentence of
the IAM User Guide, where simulators differ) or `three-valued` (ours: what is unknown never allows
and always denies; `{"unknown": true}` stands for such a value, `unknown` for the reason's keys).
`blockedBy`, `group` and `note` are remarks.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatchway.core.policy import (
    UNKNOWN,
    AccessRequest,
    ContextValue,
    Decision,
    Policy,
    PolicyError,
    PolicySet,
    decide,
    parse,
)

UNKNOWN_VALUE = {"unknown": True}


@dataclass(frozen=True, slots=True)
class Vector:
    """One case: what to decide, and what has to come out."""

    id: str
    category: str
    policies: PolicySet
    request: AccessRequest
    expected: str
    matched: tuple[str, ...] | None
    unknown: tuple[str, ...] | None

    def difference(self, decision: Decision) -> str:
        """What is wrong with the decision; empty when nothing is."""
        if decision.outcome.value != self.expected:
            return f"{decision.outcome.value} instead of {self.expected}"
        names = {f"{each.effect.value}:{each.sid}" for each in decision.matched if each.sid}
        if self.matched is not None and names != set(self.matched):
            return f"matched {sorted(names)} instead of {sorted(self.matched)}"
        if self.unknown is not None and decision.reason.unknown != self.unknown:
            return f"unknown {decision.reason.unknown} instead of {self.unknown}"
        return ""


def load(path: Path) -> list[Vector]:
    """The vectors in a file."""
    return [_vector(each) for each in _read(path)]


def _read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def check(given: dict[str, Any]) -> str:
    """What is wrong with one vector's decision; a policy that is refused is a difference too."""
    try:
        vector = _vector(given)
    except PolicyError as error:
        return f"refused: {error}"
    return vector.difference(decide(vector.policies, vector.request))


def _vector(given: dict[str, Any]) -> Vector:
    policies = PolicySet(
        identity=_policies(given.get("identityPolicies", ())),
        boundaries=_policies(given.get("boundaries", ())),
        scps=tuple(_policies(level) for level in given.get("scps", ())),
        session=_policies(given.get("sessionPolicies", ())),
    )
    matched, unknown = given.get("matchedSids"), given.get("unknown")
    return Vector(
        id=given["id"],
        category=given["category"],
        policies=policies,
        request=_request(given["request"]),
        expected=given["expected"],
        matched=None if matched is None else tuple(matched),
        unknown=None if unknown is None else tuple(unknown),
    )


def _policies(documents: Iterable[object]) -> tuple[Policy, ...]:
    return tuple(parse(json.dumps(each), name=str(at)) for at, each in enumerate(documents))


def _request(given: dict[str, Any]) -> AccessRequest:
    variables = given.get("resourceVariables", {})
    return AccessRequest(
        principal_arn=given["principal"],
        action=given["action"],
        resource=given["resource"],
        context={key: _value(value) for key, value in given["context"].items()},
        resource_variables={
            key: UNKNOWN if value == UNKNOWN_VALUE else value for key, value in variables.items()
        },
    )


def _value(given: object) -> ContextValue:
    if given == UNKNOWN_VALUE:
        return UNKNOWN
    return tuple(str(each) for each in given) if isinstance(given, list) else str(given)


def main(arguments: list[str]) -> int:
    """0 when all agree, 1 when one does not, 2 when there is nothing to run."""
    if len(arguments) != 1:
        print("usage: python -m tests.vectors.iam FILE", file=sys.stderr)
        return 2
    vectors = _read(Path(arguments[0]))
    differences = [(each["id"], check(each)) for each in vectors]
    for identifier, difference in differences:
        if difference:
            print(f"{identifier}: {difference}")
    agreed = sum(not difference for _, difference in differences)
    print(f"agree {agreed} of {len(vectors)}")
    return 0 if vectors and agreed == len(vectors) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
