"""Hostile policies and requests: bounded work, no exception, no grant."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core.policy import PolicyError, PolicySet, decide, explain, parse
from hatchway.core.policy.operators import _FAMILIES
from hatchway.core.policy.parsing import MAX_PATTERN_CHARS
from tests.unit.policy.policies import ALLOW_ALL, allowed, policy, request, statement, when

LONG = "a" * 100_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 1000 + "*b",
        "*?a" * 600 + "b",
        "*" * 2000 + "b",
        "?a" * 1000 + "*b",
        "*a*?" * 500 + "b",
    ],
)
def test_wildcards_do_not_backtrack(pattern: str) -> None:
    assert len(pattern) <= MAX_PATTERN_CHARS
    assert not allowed(statement(Resource=pattern), resource=LONG)
    assert not allowed(statement(Action=pattern), action=LONG)
    assert not allowed(when("StringLike", "k", pattern), {"k": LONG})
    assert not allowed(when("StringLike", "k", pattern + "${v}"), {"k": LONG, "v": "c"})
    assert not allowed(
        when("ArnLike", "k", "arn:a:b:c:d:" + pattern[-2000:]), {"k": f"arn:a:b:c:d:{LONG}"}
    )


@pytest.mark.timeout(20)
def test_unclosed_variables_are_read_in_linear_time() -> None:
    for pattern in ("${" * 1000, "${a," * 500, "${ " * 600 + "}", "${a, '" * 300):
        assert not allowed(when("StringLike", "k", pattern), {"k": "v"})


@pytest.mark.timeout(20)
def test_an_object_with_many_names_is_read_in_linear_time() -> None:
    names = {f"k{number}": "v" for number in range(15_000)}
    assert not allowed(statement(Condition={"StringEquals": names}), {"k1": "v"})


VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "NaN", "-0", "1" * 2048, "0x10", "9999-99-99", "-1", "::ffff:1.2.3.4", "fe80::1%0",
         "1.2.3.4/-1", "\x00", "\ud800", "true ", "=", "arn:::::", "*", "${", "${*}", "𝟙"]
    ),
)  # fmt: skip
NAMES = st.builds(
    lambda base, quantifier, suffix: quantifier + base + suffix,
    st.sampled_from(sorted(_FAMILIES)),
    st.sampled_from(["", "foranyvalue:", "forallvalues:"]),
    st.sampled_from(["", "ifexists"]),
)


@settings(deadline=None)
@given(NAMES, st.lists(VALUES, max_size=3), VALUES, st.sampled_from(["Allow", "Deny"]))
def test_no_value_makes_a_decision_raise(
    operator: str, expected: list[str], value: str, effect: str
) -> None:
    policies = PolicySet((policy(ALLOW_ALL, when(operator, "k", expected, effect)),))
    for found in (value, (value,), (value, value), ()):
        decide(policies, request({"k": found}))
        explain(policies, request({"k": found}))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Version",
                    "Statement",
                    "Effect",
                    "Action",
                    "Resource",
                    "Condition",
                    "Bool",
                    "Null",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=5 * settings().max_examples, deadline=None)
@given(JSON)
def test_any_json_is_parsed_or_refused_with_a_policy_error(document: object) -> None:
    with suppress(PolicyError):
        parse(json.dumps(document))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_with_a_policy_error(text: str) -> None:
    with pytest.raises(PolicyError):
        parse(text)


@pytest.mark.parametrize("number", ["1e400", "-" + "9" * 400, "NaN", "Infinity"])
def test_numbers_of_any_size_are_kept_as_text(number: str) -> None:
    text = json.dumps({"Statement": when("NumericGreaterThan", "k", "N")}).replace('"N"', number)
    found = parse(text)
    assert found.statements[0].conditions[0].expected == (number,)
    assert not allowed(found, {"k": "5"})
