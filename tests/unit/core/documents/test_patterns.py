"""Expressions of documents: what they match, what is refused, and that nobody makes them slow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.documents import patterns
from hatchway.core.documents.patterns import BadPattern, Pattern


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "a|b|cd",
        "(?:ab)+c?",
        "(INC|CHG)-[0-9]{3,5}",
        "^[a-z_][a-z0-9_-]*$",
        r"\d{2}\.\w+\s\S\D\W",
        "[^0-9]",
        "[a\\-z]",
        "[\\]x]",
        "[-a]",
        "[a-]",
        "[]a]",
        "a{2}",
        "a{2,}",
        "a{0,2}b",
        "x.y",
        r"\$\^\.\\",
        r"\n|\t",
        "[\\d-]+",
        "(a|b)*c",
        "()",
        "a||b",
        r"[\n-\r]",
        r"a\$",
    ],
)
@pytest.mark.parametrize(
    "value",
    ["", "a", "abc", "ab", "ababc", "INC-123", "CHG-123456", "x\ny", "x-y", "-", "]", "\n",
     "12.a b1a", "aa", "aab", "b", "cd", "$^.\\", "a$", "9", "_x-1", "c", "\r", "0\u0661"],
)  # fmt: skip
def test_a_whole_value_matches_as_in_python(text: str, value: str) -> None:
    assert Pattern(text).matches(value) is (re.fullmatch(text, value, re.ASCII) is not None)


@given(st.text(alphabet="ab", max_size=12))
def test_repeats_within_repeats_match_as_in_python(value: str) -> None:
    text = "(a{1,3}|b+a)*b?"
    assert Pattern(text).matches(value) is (re.fullmatch(text, value) is not None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(", "( without )"),
        (")", ") without ("),
        ("(?=a)", "only (?:"),
        ("(?P<n>a)", "only (?:"),
        ("a**", "repeated"),
        ("a+?", "lazy"),
        ("*a", "not served"),
        ("a{", "{m}"),
        ("a{x}", "{m}"),
        ("a{,2}", "{m}"),
        ("a{1,x}", "{m}"),
        ("a{3,2}", "smaller"),
        ("a{256}", "up to 255"),
        ("[", "too early"),
        ("[a", "too early"),
        ("[z-a]", "upwards"),
        ("[[:alpha:]]", "written"),
        ("\\", "too early"),
        (r"(a)\1", "not served"),
        (r"\bword", "not served"),
        (r"[\b]", "not served"),
        ("a$b", "not served"),
        ("a^", "not served"),
        ("a]", "not served"),
        ("(" * 17 + ")" * 17, "too deep"),
        ("(a{255}){2}", "too many states"),
        ("((((){255}){255}){255})*", "too many states"),
        ("a" * (patterns.MAX_PATTERN + 1), "longer"),
    ],
)
def test_what_is_not_served_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(why)):
        Pattern(text)


def test_states_are_bounded_at_the_limit() -> None:
    most = patterns.MAX_STATES - 1
    assert Pattern(f"(?:{'a' * 100}){{4}}{'a' * (most - 400)}")
    with pytest.raises(BadPattern):
        Pattern(f"(?:{'a' * 100}){{4}}{'a' * (most - 399)}")


def test_what_takes_a_backtracking_matcher_for_ever_takes_few_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = 0

    def counted(test: patterns.Test | None, char: str) -> bool:
        nonlocal steps
        steps += 1
        return test is not None and test(char)

    # The only place where a character is looked at.
    monkeypatch.setattr(patterns, "_passes", counted)
    value = "a" * 1000 + "!"
    assert not Pattern("(a|a)*(a*)*(a+)+$").matches(value)
    assert steps < 40 * len(value)
