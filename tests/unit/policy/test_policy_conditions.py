"""Condition operators, by the tables of the IAM User Guide."""

from __future__ import annotations

import pytest

from tests.unit.policy.policies import allowed, statement, when

ROLE = "arn:aws:iam::123456789012:role/Ops"
COMPARED = [
    # operator, policy, request, holds
    ("StringEquals", "web", "web", True),
    ("StringEquals", "web", "WEB", False),
    ("StringEquals", "w*", "web", False),
    ("StringEquals", ["a", "web"], "web", True),
    ("StringEqualsIgnoreCase", "web", "WEB", True),
    ("StringLike", ["w?b", "x"], "web", True),
    ("StringLike", "W*", "web", False),
    ("NumericEquals", "10", "10.0", True),
    ("NumericEquals", "10", "1O", False),
    ("NumericEquals", "x", "x", False),
    ("NumericEquals", "+1", " 1 ", True),
    ("NumericEquals", ".5", "0.50", True),
    ("NumericEquals", "٣", "3", False),
    ("NumericLessThan", "3600", "3599.5", True),
    ("NumericLessThan", "3600", "3600", False),
    ("NumericLessThan", ["1", "5"], "3", True),
    ("NumericLessThanEquals", "3600", "3600", True),
    ("NumericLessThanEquals", "3600", "-4000", True),
    ("NumericGreaterThan", "3600", "3601", True),
    ("NumericGreaterThanEquals", "3600", "3600", True),
    ("NumericGreaterThan", "1", "9" * 65, False),
    ("NumericGreaterThan", "1", "9" * 64, True),
    ("NumericGreaterThan", "1", "1e999999999", False),
    ("NumericGreaterThan", "1", "inf", False),
    ("DateEquals", "2026-04-01T00:00:00Z", "2026-04-01T02:00:00+02:00", True),
    ("DateEquals", "2026-04-01T00:00:00Z", "2026-03-31T18:30:00-05:30", True),
    ("DateEquals", "2026-04-01", "2026-04-01T00:00:00.000Z", True),
    ("DateEquals", "2026-04", "2026-04-01T00:00Z", True),
    ("DateEquals", "2026", "2026-01-01T00:00:00", True),
    ("DateEquals", "1780000000", "1780000000.0", True),
    ("DateEquals", "1970-01-01T00:00:01Z", "00001", True),
    ("DateEquals", "2026-02-30", "2026-02-30", False),
    ("DateEquals", "0000", "0000", False),
    ("DateEquals", "2026-01-01T24:00:00Z", "2026-01-01T24:00:00Z", False),
    ("DateEquals", "2026-01-01T00:60:00Z", "2026-01-01T00:60:00Z", False),
    ("DateEquals", "2026-01-01T00:00:60Z", "2026-01-01T00:00:60Z", False),
    ("DateEquals", "soon", "soon", False),
    ("DateLessThan", "2026-04-01", "2026-03-31T23:59:59.999Z", True),
    ("DateLessThan", "9" * 70, "2026-04-01", False),
    ("DateLessThan", "9" * 30, "2026-04-01", True),
    ("DateLessThan", "9999-12-31T23:59:59-23:59", "2026-04-01", True),
    ("DateLessThanEquals", "1785000000", "2026-07-25T17:20:00Z", True),
    ("DateLessThanEquals", "1785000000", "2026-07-25T17:20:01Z", False),
    ("DateGreaterThan", "2026-04-01", "2026-04-01", False),
    ("DateGreaterThanEquals", "2026-04-01", "2026-04-01", True),
    ("Bool", "true", "TRUE", True),
    ("Bool", "True", "true", True),
    ("Bool", "true", "false", False),
    ("Bool", "yes", "yes", False),
    ("Bool", ["true", "false"], "false", True),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "Binary", False),
    ("BinaryEquals", "QQ==", "QR==", True),
    ("BinaryEquals", "QQ=", "QQ=", False),
    ("BinaryEquals", "\ud800", "\ud800", False),
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.7/24", "203.0.113.0", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "10.0.0.1", "10.0.0.1", True),
    ("IpAddress", "10.0.0.1", "10.0.0.2", False),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
    ("IpAddress", "2001:db8::1", "2001:db8::2", False),
    ("IpAddress", "0.0.0.0/0", "::1", False),
    ("IpAddress", "::/0", "10.0.0.1", False),
    ("IpAddress", "10.0.0.0/255.0.0.0", "10.0.0.1", False),
    ("IpAddress", "10.0.0.0/33", "10.0.0.1", False),
    ("IpAddress", "10.0.0.0/²", "10.0.0.1", False),
    ("IpAddress", "10.0.0.0/8", "10.0.0.0/8", False),
    ("IpAddress", "10.0.0.0/8", "1" * 65, False),
    ("IpAddress", "1" * 65, "10.0.0.1", False),
    ("ArnEquals", ROLE, ROLE, True),
    ("ArnLike", "arn:aws:iam::*:role/O?s", ROLE, True),
    ("ArnLike", "arn:aws:iam::*:role/O?s", "arn:aws:iam::1:role/path/Ops", False),
    ("ArnLike", "arn:aws:iam::*:role/*", "arn:aws:iam::1:role/path/Ops", True),
    ("ArnLike", "arn:aws:*:role/Ops", ROLE, False),
    ("ArnLike", "arn:aws:iam::*", ROLE, True),
    ("ArnLike", "*", ROLE, True),
    ("ArnLike", "arn:aws:iam", ROLE, False),
    ("ArnLike", "*", "Ops", False),
    ("ArnLike", "arn:aws:sns:*:*:*", "arn:aws:sns:r:1:topic:subscription", True),
]
NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}


@pytest.mark.parametrize(("operator", "expected", "value", "holds"), COMPARED)
def test_one_value_is_compared(operator: str, expected: object, value: str, holds: bool) -> None:
    assert allowed(when(operator, "k", expected), {"K": value}) is holds
    assert allowed(when(f"{operator}IfExists", "k", expected), {"k": value}) is holds
    assert allowed(when(f"ForAnyValue:{operator}", "k", expected), {"k": (value,)}) is holds
    assert allowed(when(f"ForAllValues:{operator}", "k", expected), {"k": value}) is holds


@pytest.mark.parametrize(
    ("operator", "expected", "value", "holds"), [row for row in COMPARED if row[0] in NEGATED]
)
def test_negated_operators_are_true_where_no_value_matches(
    operator: str, expected: object, value: str, holds: bool
) -> None:
    assert allowed(when(NEGATED[operator], "k", expected), {"k": value}) is not holds
    assert allowed(when(f"{NEGATED[operator]}IfExists", "k", expected), {"k": value}) is not holds


@pytest.mark.parametrize("operator", sorted({row[0] for row in COMPARED}))
def test_an_absent_key(operator: str) -> None:
    assert not allowed(when(operator, "k", "1"))
    assert allowed(when(f"{operator}IfExists", "k", "1"))
    assert not allowed(when(f"ForAnyValue:{operator}", "k", "1"))
    assert allowed(when(f"ForAllValues:{operator}", "k", "1"))
    assert allowed(when(f"ForAllValues:{operator}IfExists", "k", "1"))
    assert not allowed(when(operator, "k", "1"), {"k": ()})


@pytest.mark.parametrize("operator", sorted(NEGATED.values()))
def test_an_absent_key_under_a_negated_operator(operator: str) -> None:
    assert allowed(when(operator, "k", "1"))
    assert allowed(when(f"{operator}IfExists", "k", "1"))
    assert not allowed(when(f"ForAnyValue:{operator}", "k", "1"))
    assert allowed(when(f"ForAllValues:{operator}", "k", "1"))


@pytest.mark.parametrize(
    ("operator", "values", "holds"),
    [
        ("ForAnyValue:StringEquals", ("a", "z"), True),
        ("ForAnyValue:StringEquals", ("y", "z"), False),
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "z"), False),
        ("ForAnyValue:StringNotEquals", ("a", "z"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("ForAllValues:StringNotEquals", ("y", "z"), True),
        ("ForAllValues:StringNotEquals", ("a", "z"), False),
    ],
)
def test_sets_of_values(operator: str, values: tuple[str, ...], holds: bool) -> None:
    assert allowed(when(operator, "aws:TagKeys", ["a", "b"]), {"aws:TagKeys": values}) is holds


def test_null_tells_absent_from_present() -> None:
    assert allowed(when("Null", "k", "true"))
    assert not allowed(when("Null", "k", "false"))
    assert not allowed(when("Null", "k", "true"), {"k": "v"})
    assert allowed(when("Null", "K", "False"), {"k": ("v",)})
    assert allowed(when("Null", "k", ["true", "false"]))
    assert not allowed(when("Null", "k", "maybe"))


def test_operators_and_keys_are_anded() -> None:
    both = statement(
        Condition={"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}},
    )
    held = {"a": "1", "b": "2", "c": "true"}
    assert allowed(both, held)
    for key in held:
        assert not allowed(both, {**held, key: "0"})


def test_variables_are_literal_in_operators_that_take_none() -> None:
    for operator in ("NumericEquals", "DateEquals", "IpAddress", "BinaryEquals", "Null"):
        assert not allowed(when(operator, "k", "${v}"), {"k": "1", "v": "1"})


def test_a_substituted_value_stays_in_its_part_of_an_arn() -> None:
    mine = when("ArnLike", "arn", "arn:aws:iam::${account}:user/${aws:userid}")
    context = {"account": "1", "aws:userid": "AROA:bob"}
    assert allowed(mine, {**context, "arn": "arn:aws:iam::1:user/AROA:bob"})
    assert not allowed(
        mine, {**context, "account": "1:user/x", "arn": "arn:aws:iam::1:user/x:user/AROA:bob"}
    )
    assert not allowed(mine, {"account": "1", "arn": "arn:aws:iam::1:user/AROA:bob"})


def test_a_value_that_is_no_arn_matches_no_arn_with_variables() -> None:
    assert not allowed(when("ArnLike", "arn", "*:${v}:*"), {"arn": "alice", "v": "a"})
    mine = "arn:aws:iam::1:user/${v}"
    assert not allowed(when("ArnLike", "arn", mine), {"arn": "user/alice", "v": "alice"})
    assert allowed(when("ArnNotLike", "arn", mine), {"arn": "user/alice", "v": "alice"})


def test_bool_takes_variables() -> None:
    same = when("Bool", "k", "${other}")
    assert allowed(same, {"k": "TRUE", "other": "True"})
    assert not allowed(same, {"k": "true", "other": "false"})
    assert not allowed(same, {"k": "yes", "other": "yes"})
    assert not allowed(same, {"k": "true"})
