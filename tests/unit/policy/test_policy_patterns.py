"""Wildcards, variables, actions, resources."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core.policy.patterns import matcher, resource_tokens, tokenize
from tests.unit.policy.policies import INSTANCE, allowed, policy, statement, when

SESSION = "arn:aws:ssm:us-east-1:123456789012:session/alice-0a1b"
TEXT = st.text(alphabet="ab?*:", max_size=12)


def fits(pattern: str, text: str) -> bool:
    return matcher(tokenize(pattern, variables=False, wildcards=True))(text)


@settings(deadline=None)
@given(TEXT, TEXT)
def test_wildcards_mean_what_a_regular_expression_means(pattern: str, text: str) -> None:
    source = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert fits(pattern, text) is (re.fullmatch(source, text, re.DOTALL) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("?", "", False),
        ("?", "\n", True),
        ("a*", "a\nb", True),
        ("ab*ba", "aba", False),
        ("a?c", "abc", True),
        ("a?c", "abbc", False),
        ("*a?c*", "xxabcxx", True),
        ("*a?c", "xxabcabd", False),
        ("a?*c?", "abxcd", True),
        ("a?*c?*bd*e", "abxcdxe", False),
        ("a?*c", "a", False),
        ("[a]", "a", False),
        ("a.c", "abc", False),
    ],
)
def test_a_pattern_spans_the_whole_text(pattern: str, text: str, expected: bool) -> None:
    assert fits(pattern, text) is expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("SSM:startsession", True),
        ("ssm:Start*", True),
        ("ssm:*Session", True),
        ("s?m:StartSession", True),
        ("*", True),
        ("*:*", True),
        ("ssm:Start", False),
        ("ec2:*", False),
    ],
)
def test_actions_ignore_case_and_take_wildcards(pattern: str, expected: bool) -> None:
    assert allowed(statement(Action=pattern)) is expected
    assert allowed(statement(Action=pattern), action="SSM:STARTSESSION") is expected
    assert allowed(statement(NotAction=[pattern, "s3:Get*"])) is not expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (INSTANCE, True),
        (INSTANCE.upper(), False),
        ("arn:aws:ec2:*:*:instance/*", True),
        ("arn:aws:ec2:us-east-1:*", True),
        ("arn:aws:ec2:*:instance/*", True),
        ("arn:aws:ec2:us-east-1?123456789012:instance/i-*", True),
        ("arn:aws:ec2:*:*:instance/i-0aaaaaaaaaaaaaaa?", True),
        ("arn:aws:ec2:*:*:instance/?", False),
        ("arn:aws:ssm:*", False),
        ("i-0aaaaaaaaaaaaaaa1", False),
    ],
)
def test_resources_are_case_sensitive_and_wildcards_cross_colons(
    pattern: str, expected: bool
) -> None:
    assert allowed(statement(Resource=pattern)) is expected
    assert allowed(statement(NotResource=[pattern, "arn:aws:s3:::b"])) is not expected


def test_a_request_on_everything_needs_a_resource_of_everything() -> None:
    assert allowed(statement(Resource="*"), resource="*")
    assert not allowed(statement(Resource="arn:aws:ssm:*:*:*"), resource="*")


OWN = statement(Resource="arn:aws:ssm:*:*:session/${aws:username}-*")
DEFAULT = statement(Resource="arn:aws:ssm:*:*:session/${aws:username, 'alice'}-*")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("alice", True), ("ALICE", False), ("al", False), ("*", False), ("a?ice", False), ("", False)],
)
def test_a_substituted_value_is_literal(name: str, expected: bool) -> None:
    assert allowed(OWN, {"AWS:UserName": name}, resource=SESSION) is expected


def test_a_variable_without_value_matches_no_resource() -> None:
    assert not allowed(OWN, resource=SESSION)
    assert allowed(statement(NotResource=OWN["Resource"]), resource=SESSION)
    assert not allowed(OWN, resource="arn:aws:ssm:us-east-1:123456789012:session/-0a1b")


def test_a_default_stands_in_for_a_missing_value_only() -> None:
    assert allowed(DEFAULT, resource=SESSION)
    assert allowed(DEFAULT, {"aws:username": "alice"}, resource=SESSION)
    assert not allowed(DEFAULT, {"aws:username": "bob"}, resource=SESSION)


def test_a_default_is_literal() -> None:
    wild = statement(Resource="arn:aws:ssm:*:*:session/${aws:username, '*'}-0a1b")
    assert not allowed(wild, resource=SESSION)
    assert allowed(wild, resource="arn:aws:ssm:us-east-1:123456789012:session/*-0a1b")


def test_resource_variables_override_the_context_in_resources_only() -> None:
    variables = {"AWS:username": "alice"}
    assert allowed(OWN, {"aws:username": "bob"}, resource=SESSION, variables=variables)
    assert not allowed(
        OWN, {"aws:username": "alice"}, resource=SESSION, variables={"aws:username": "bob"}
    )
    assert not allowed(when("StringEquals", "aws:username", "alice"), variables=variables)
    own_tag = when("StringEquals", "ssm:resourceTag/owner", "${aws:username}")
    assert not allowed(own_tag, {"ssm:resourceTag/owner": "alice"}, variables=variables)
    assert allowed(OWN, {"aws:username": "alice"}, resource=SESSION, variables={"other": "x"})


def test_before_the_fifth_colon_a_variable_is_literal_text() -> None:
    account = {"aws:PrincipalAccount": "123456789012"}
    early = statement(Resource="arn:aws:ec2:*:${aws:PrincipalAccount}:instance/*")
    assert not allowed(early, account)
    assert allowed(early, account, resource="arn:aws:ec2:r:${aws:PrincipalAccount}:instance/i-1")
    assert not allowed(
        statement(Resource="${aws:PrincipalAccount}"), account, resource="123456789012"
    )


def test_an_arn_may_end_with_its_fifth_colon() -> None:
    assert resource_tokens("arn:aws:a:b:c:", variables=True) == ("arn:aws:a:b:c:",)


def test_before_version_2012_variables_are_literal() -> None:
    old = policy(OWN, version="2008-10-17")
    context = {"aws:username": "alice"}
    assert not allowed(old, context, resource=SESSION)
    assert allowed(old, context, resource="arn:aws:ssm:r:a:session/${aws:username}-1")
    literal = policy(when("StringEquals", "k", "${*}"), version="2008-10-17")
    assert allowed(literal, {"k": "${*}"})
    assert not allowed(literal, {"k": "*"})


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("a${*}b", "a*b", True),
        ("a${*}b", "axb", False),
        ("a${?}b", "a?b", True),
        ("a${?}b", "axb", False),
        ("a${$}{x}b", "a${x}b", True),
        ("a*b", "axxb", True),
        ("${aws:username}*", "alice-1", True),
        ("${aws:username}?", "alice-1", False),
        ("${ aws:username }", "alice", True),
        ("${aws:username,'bob'}", "alice", True),
        ("${aws:none,'bob'}", "bob", True),
        ("${aws:none, ''}", "", True),
        ("${aws:none}", "", False),
        # What is no variable is text.
        ("${}", "${}", True),
        ("${aws:none, bob}", "${aws:none, bob}", True),
        ("${aws:none, 'b'b'}", "${aws:none, 'b'b'}", True),
        ("${'bob'}", "${'bob'}", True),
        ("${, 'bob'}", "${, 'bob'}", True),
        ("${aws:username", "${aws:username", True),
        ("$aws:username", "$aws:username", True),
        ("${${aws:username}}", "${alice}", True),
    ],
)
def test_variables_and_escapes_in_conditions(pattern: str, value: str, expected: bool) -> None:
    assert (
        allowed(when("StringLike", "k", pattern), {"k": value, "aws:username": "alice"}) is expected
    )


@pytest.mark.parametrize(
    ("expected_text", "value", "holds"),
    [
        ("team-${aws:PrincipalTag/team}", "team-red", True),
        ("team-${aws:PrincipalTag/team}", "team-RED", False),
        ("team-${aws:PrincipalTag/none}", "team-", False),
        ("${aws:PrincipalTag/none, 'red'}", "red", True),
    ],
)
def test_variables_in_equality(expected_text: str, value: str, holds: bool) -> None:
    context = {"k": value, "aws:PrincipalTag/team": "red"}
    assert allowed(when("StringEquals", "k", expected_text), context) is holds
    assert allowed(when("StringNotEquals", "k", expected_text), context) is not holds


def test_case_is_ignored_on_both_sides_and_in_defaults() -> None:
    ignoring = when("StringEqualsIgnoreCase", "k", ["X", "T-${tag}", "${none, 'Blue'}"])
    for value in ("x", "t-RED", "BLUE"):
        assert allowed(ignoring, {"k": value, "tag": "Red"})
    assert not allowed(ignoring, {"k": "green", "tag": "Red"})
    assert not allowed(when("StringEqualsIgnoreCase", "k", "strasse"), {"k": "straße"})
