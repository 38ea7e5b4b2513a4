"""Documents: the forms that IAM takes, and what is refused with where it is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatchway.core.errors import HatchwayError
from hatchway.core.policy import Effect, PolicyError, PolicySet, decide, parse
from hatchway.core.policy.parsing import (
    ACTIONS_KEPT,
    MAX_PATTERN_CHARS,
    MAX_POLICY_CHARS,
    MAX_STATEMENTS,
)
from tests.unit.policy.policies import allowed, policy, statement, when

OK = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def test_a_statement_may_stand_alone_or_in_a_list() -> None:
    assert len(parse(json.dumps({"Statement": OK})).statements) == 1
    assert len(parse(json.dumps({"Statement": [OK, OK]})).statements) == 2
    assert parse(json.dumps({"Statement": []})).statements == ()


def test_a_policy_without_version_is_of_2008() -> None:
    assert parse(json.dumps({"Statement": OK})).version == "2008-10-17"


def test_sids_may_repeat_and_the_index_tells_them_apart() -> None:
    found = parse(json.dumps({"Id": "x", "Statement": [{**OK, "Sid": "S"}, {**OK, "Sid": "S"}]}))
    assert [(each.index, each.sid, each.effect) for each in found.statements] == [
        (0, "S", Effect.ALLOW),
        (1, "S", Effect.ALLOW),
    ]


def test_values_of_conditions_may_be_numbers_and_booleans() -> None:
    assert allowed(when("Bool", "k", True), {"k": "true"})
    assert allowed(when("Bool", "k", False), {"k": "false"})
    assert allowed(when("NumericLessThan", "k", [3600, 1.5]), {"k": "3599"})


def test_an_empty_condition_and_an_empty_list_of_values_are_taken() -> None:
    assert allowed(statement(Condition={}))
    assert not allowed(when("StringEquals", "k", []), {"k": "v"})
    assert allowed(when("StringNotEquals", "k", []), {"k": "v"})
    assert not allowed(when("StringLike", "k", []), {"k": "v"})


def broken(**change: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [OK, {**OK, **change}]})


def without(element: str) -> str:
    return json.dumps({"Statement": {key: OK[key] for key in OK if key != element}})


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("", "line 1 column 1", "is no JSON"),
        ('{"Statement": [}', "line 1 column 16", "is no JSON"),
        ("[]", "policy", "is no JSON object"),
        ("[" * 100_000, "policy", "nested too deep"),
        ("{}", "policy", "has no Statement"),
        ('{"Statement": [], "statement": []}', "policy", "unknown element 'statement'"),
        ('{"Statement": [], "Statement": []}', "policy", "has 'Statement' twice"),
        ('{"Version": "2012-10-18", "Statement": []}', "Version", "is neither"),
        ('{"Version": 2012, "Statement": []}', "Version", "is neither"),
        ('{"Id": [], "Statement": []}', "Id", "is no string"),
        ('{"Statement": ["x"]}', "Statement[0]", "is no JSON object"),
        ('{"Statement": null}', "Statement[0]", "is no JSON object"),
        ('{"Statement": {}}', "Statement[0].Effect", "is neither Allow nor Deny"),
        (without("Effect"), "Statement[0].Effect", "is neither Allow nor Deny"),
        (without("Action"), "Statement[0]", "either Action or NotAction"),
        (without("Resource"), "Statement[0]", "either Resource or NotResource"),
        (broken(Effect="allow"), "Statement[1].Effect", "is neither Allow nor Deny"),
        (broken(Effect=[]), "Statement[1].Effect", "is neither Allow nor Deny"),
        (broken(Sid=1), "Statement[1].Sid", "is no string"),
        (broken(Sid=None), "Statement[1].Sid", "is no string"),
        (broken(Principal="*"), "Statement[1]", "unknown element 'Principal'"),
        (broken(NotAction="*"), "Statement[1]", "either Action or NotAction"),
        (broken(NotResource="*"), "Statement[1]", "either Resource or NotResource"),
        (broken(Action=[]), "Statement[1].Action", "is empty"),
        (broken(Action=1), "Statement[1].Action", "is no string"),
        (broken(Action=True), "Statement[1].Action", "is no string"),
        (broken(Resource={}), "Statement[1].Resource", "is no string"),
        (broken(Resource=["*", ["*"]]), "Statement[1].Resource", "is no string"),
        (broken(Condition=[]), "Statement[1].Condition", "is no JSON object"),
        (broken(Condition={"StringIs": {"k": "v"}}), "Condition.StringIs", "no condition operator"),
        (broken(Condition={"Null": "k"}), "Condition.Null", "is no JSON object"),
        (broken(Condition={"Null": {"k": None}}), "Condition.Null.k", "is no string"),
        (broken(Condition={"NullIfExists": {"k": "true"}}), "NullIfExists", "no condition"),
        (broken(Condition={"ForAllValues:Null": {"k": "true"}}), "ForAll", "no condition"),
        (broken(Condition={"ForSome:Bool": {"k": "true"}}), "ForSome:Bool", "no condition"),
    ],
)
def test_a_malformed_policy_is_refused_with_where_it_is_wrong(
    text: str, where: str, said: str
) -> None:
    with pytest.raises(PolicyError, match="User alice inline: ") as caught:
        parse(text, source="User alice", name="inline")
    assert where in caught.value.where
    assert said in caught.value.message
    assert (caught.value.source, caught.value.name) == ("User alice", "inline")
    assert isinstance(caught.value, HatchwayError)
    assert caught.value.code == "MalformedPolicyDocument"


def test_operators_ignore_case() -> None:
    assert allowed(when("forallvalues:stringequalsifexists", "k", "v"))
    assert allowed(when("bool", "k", "true"), {"k": "true"})


def padded(length: int) -> str:
    text = json.dumps({"Statement": OK})
    return text + " " * (length - len(text))


def test_the_longest_policy_is_taken_and_one_character_more_is_not() -> None:
    assert parse(padded(MAX_POLICY_CHARS)).statements
    with pytest.raises(PolicyError, match="longer than"):
        parse(padded(MAX_POLICY_CHARS + 1))


def test_the_most_statements_are_taken_and_one_more_is_not() -> None:
    assert len(policy(*[OK] * MAX_STATEMENTS).statements) == MAX_STATEMENTS
    with pytest.raises(PolicyError, match="more than 1000 elements"):
        policy(*[OK] * (MAX_STATEMENTS + 1))


def test_the_longest_value_is_taken_and_one_character_more_is_not() -> None:
    assert policy(statement(Resource="a" * MAX_PATTERN_CHARS))
    with pytest.raises(PolicyError, match="more than 2048 characters"):
        policy(statement(Resource="a" * (MAX_PATTERN_CHARS + 1)))
    with pytest.raises(PolicyError, match="more than 2048 characters"):
        policy(when("StringEquals", "k", "a" * (MAX_PATTERN_CHARS + 1)))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(PolicyError, match="nested too deep"):
        parse("[" * 100_000)


def test_a_policy_remembers_a_bounded_number_of_actions() -> None:
    found = policy(statement(Action=["ssm:*", "ec2:Describe*"]))
    for number in range(ACTIONS_KEPT + 10):
        assert len(found.with_action(f"ssm:action{number}")) == 1
        assert found.with_action(f"s3:action{number}") == ()
    assert len(found._by_action) == ACTIONS_KEPT


def test_references_name_source_policy_and_statement() -> None:
    named = parse(
        json.dumps({"Statement": [{**OK, "Sid": "Mine"}, OK]}), source="Group ops", name="inline"
    )
    from tests.unit.policy.policies import request

    matched = decide(PolicySet((named,)), request()).matched
    assert [str(each) for each in matched] == ["identity inline[Mine]", "identity inline[1]"]
    assert {each.source for each in matched} == {"Group ops"}
