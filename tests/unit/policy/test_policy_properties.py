"""What holds of every policy and request."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core.policy import UNKNOWN, ContextValue, Outcome, Policy, PolicySet, decide, explain
from tests.unit.policy.policies import INSTANCE, policy, request

SESSION = "arn:aws:ssm:us-east-1:123456789012:session/red-1"
KEYS = ["aws:username", "ssm:resourceTag/team", "aws:TagKeys"]
VALUES = ["red", "blue", "r*", "5", "true", "2026-01-01", "10.0.0.1", "arn:a:b:c:d:red", ""]
EXPECTED = [*VALUES, "${aws:username}", "${aws:username, 'red'}", "?e*", "10.0.0.0/8"]
OPERATORS = [
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike",
    "NumericLessThan", "NumericNotEquals", "DateGreaterThan", "Bool", "BinaryEquals", "IpAddress",
    "NotIpAddress", "ArnLike", "ArnNotLike",
]  # fmt: skip
RESOURCES = [
    "*", INSTANCE, "arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:session/${aws:username}-*",
    "arn:aws:ssm:*:*:session/${aws:username, 'red'}-?", "arn:aws:ssm:*:*:document/*",
]  # fmt: skip
ACTIONS = ["*", "ssm:*", "ssm:StartSession", "ssm:Terminate*", "s3:Get*"]


def several(items: list[str]) -> st.SearchStrategy[Any]:
    return st.sampled_from(items) | st.lists(st.sampled_from(items), min_size=1, max_size=3)


CONDITIONS = st.dictionaries(
    st.builds(
        lambda quantifier, base, suffix: f"{quantifier}{base}{suffix}",
        st.sampled_from(["", "", "ForAnyValue:", "ForAllValues:"]),
        st.sampled_from(OPERATORS),
        st.sampled_from(["", "IfExists"]),
    )
    | st.just("Null"),
    st.dictionaries(st.sampled_from(KEYS), several(EXPECTED), min_size=1, max_size=2),
    max_size=2,
)
STATEMENTS = st.builds(
    lambda effect, action, actions, resource, resources, condition: {
        "Effect": effect,
        action: actions,
        resource: resources,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["Action", "Action", "NotAction"]),
    several(ACTIONS),
    st.sampled_from(["Resource", "Resource", "NotResource"]),
    several(RESOURCES),
    CONDITIONS,
)
LISTS = st.lists(STATEMENTS, max_size=4)
CONCRETE = st.sampled_from(VALUES) | st.lists(st.sampled_from(VALUES), max_size=3).map(tuple)
CONTEXTS = st.dictionaries(st.sampled_from(KEYS), CONCRETE | st.just(UNKNOWN))
CALLS = st.sampled_from([("ssm:StartSession", INSTANCE), ("ssm:TerminateSession", SESSION)])
# From most to least permissive.
ORDER = [Outcome.ALLOWED, Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED]


def answer(
    policies: PolicySet | list[dict[str, Any]],
    context: dict[str, ContextValue],
    call: tuple[str, str],
) -> Outcome:
    given = policies if isinstance(policies, PolicySet) else PolicySet((policy(*policies),))
    return decide(given, request(context, action=call[0], resource=call[1])).outcome


def of_effect(effect: str) -> st.SearchStrategy[dict[str, Any]]:
    return STATEMENTS.map(lambda found: {**found, "Effect": effect})


@settings(deadline=None)
@given(LISTS, of_effect("Allow"), CONTEXTS, CALLS)
def test_adding_an_allow_never_denies(
    statements: list[dict[str, Any]],
    more: dict[str, Any],
    context: dict[str, ContextValue],
    call: tuple[str, str],
) -> None:
    before = answer(statements, context, call)
    after = answer([*statements, more], context, call)
    assert ORDER.index(after) <= ORDER.index(before)
    assert (after is Outcome.EXPLICITLY_DENIED) is (before is Outcome.EXPLICITLY_DENIED)


@settings(deadline=None)
@given(LISTS, of_effect("Deny"), CONTEXTS, CALLS)
def test_adding_a_deny_never_allows(
    statements: list[dict[str, Any]],
    more: dict[str, Any],
    context: dict[str, ContextValue],
    call: tuple[str, str],
) -> None:
    before = answer(statements, context, call)
    after = answer([*statements, more], context, call)
    assert after in (before, Outcome.EXPLICITLY_DENIED)


@settings(deadline=None)
@given(LISTS, CONTEXTS, CALLS, st.randoms(use_true_random=False))
def test_order_does_not_matter(
    statements: list[dict[str, Any]],
    context: dict[str, ContextValue],
    call: tuple[str, str],
    chance: random.Random,
) -> None:
    shuffled = chance.sample(statements, len(statements))
    keys = chance.sample(list(context), len(context))
    turned = {key: context[key] for key in keys}
    assert answer(shuffled, turned, call) is answer(statements, context, call)


@settings(deadline=None)
@given(LISTS, CONTEXTS, CALLS)
def test_one_policy_equals_a_policy_for_each_statement(
    statements: list[dict[str, Any]], context: dict[str, ContextValue], call: tuple[str, str]
) -> None:
    split = PolicySet(tuple(policy(each) for each in statements))
    assert answer(split, context, call) is answer(statements, context, call)


def as_list(given: Any) -> list[str]:
    return given if isinstance(given, list) else [given]


@settings(deadline=None)
@given(STATEMENTS, CONTEXTS, CALLS)
def test_a_statement_equals_one_for_each_action_and_resource(
    statement: dict[str, Any], context: dict[str, ContextValue], call: tuple[str, str]
) -> None:
    if "NotAction" in statement or "NotResource" in statement:
        return
    parts = [
        {**statement, "Action": action, "Resource": resource}
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert answer(parts, context, call) is answer([statement], context, call)


@settings(max_examples=5 * settings().max_examples, deadline=None)
@given(
    LISTS, st.dictionaries(st.sampled_from(KEYS), CONCRETE), st.sets(st.sampled_from(KEYS)), CALLS
)
def test_unknown_is_never_more_permissive_than_any_value_or_absence(
    statements: list[dict[str, Any]],
    context: dict[str, ContextValue],
    hidden: set[str],
    call: tuple[str, str],
) -> None:
    vague = {**context, **dict.fromkeys(hidden, UNKNOWN)}
    assert ORDER.index(answer(statements, vague, call)) >= ORDER.index(
        answer(statements, context, call)
    )


@settings(deadline=None)
@given(LISTS, st.dictionaries(st.sampled_from(KEYS), CONCRETE), CALLS)
def test_an_unknown_resource_variable_is_never_more_permissive(
    statements: list[dict[str, Any]], context: dict[str, ContextValue], call: tuple[str, str]
) -> None:
    found = PolicySet((policy(*statements),))
    vague, plain = (
        decide(found, request(context, action=call[0], resource=call[1], variables=variables))
        for variables in ({"aws:username": UNKNOWN}, {"aws:username": "red"})
    )
    assert ORDER.index(vague.outcome) >= ORDER.index(plain.outcome)


@settings(deadline=None)
@given(LISTS, LISTS, CONTEXTS, CALLS)
def test_another_layer_never_permits_more(
    statements: list[dict[str, Any]],
    others: list[dict[str, Any]],
    context: dict[str, ContextValue],
    call: tuple[str, str],
) -> None:
    identity, other = (policy(*statements),), policy(*others)
    alone = ORDER.index(answer(PolicySet(identity), context, call))
    for layered in (
        PolicySet(identity, boundaries=(other,)),
        PolicySet(identity, session=(other,)),
        PolicySet(identity, scps=((other,),)),
    ):
        assert ORDER.index(answer(layered, context, call)) >= alone


@settings(deadline=None)
@given(LISTS, CONTEXTS, CALLS)
def test_an_explanation_agrees_with_the_decision(
    statements: list[dict[str, Any]], context: dict[str, ContextValue], call: tuple[str, str]
) -> None:
    policies = PolicySet((policy(*statements),))
    asked = request(context, action=call[0], resource=call[1])
    found = explain(policies, asked)
    applied = {report.statement for report in found.statements if report.applied}
    assert applied == set(found.decision.matched)
    assert all(report.mismatches for report in found.near_misses)


@settings(deadline=None)
@given(LISTS, CONTEXTS, CALLS)
def test_a_decision_can_be_repeated(
    statements: list[dict[str, Any]], context: dict[str, ContextValue], call: tuple[str, str]
) -> None:
    found: Policy = policy(*statements)
    asked = request(context, action=call[0], resource=call[1])
    assert decide(PolicySet((found,)), asked) == decide(PolicySet((found,)), asked)
