"""The text of a document: JSON and YAML say the same, and neither says more than data."""

from __future__ import annotations

import json

import pytest

from hatchway.core.errors import InvalidDocumentContent, MaxDocumentSizeExceeded
from lambdas.documents import content
from lambdas.documents.content import members


def test_yaml_and_json_mean_the_same() -> None:
    said = {"a": {"b": [1, True, None, "x", "10", 2.5]}, "c": "two\nlines\n"}
    yaml = "a:\n  b: [1, true, null, x, '10', 2.5]\nc: |\n  two\n  lines\n"
    assert members(yaml, "YAML") == members(json.dumps(said), "JSON") == said


def test_what_looks_like_a_date_is_text() -> None:
    assert members("a: 2026-01-02", "YAML") == {"a": "2026-01-02"}


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x",
        "a: !!python/object/apply:os.system [id]",
        "a: !local x",
        "%YAML 1.1\n---\na: 1",
        "a: 1\na: 2",
        "a:\n  b: 1\n  b: 2",
        "1: x",
        "? [a]\n: x",
        "a: [",
        "a: 1\n--- \nb: 2",
        "\t- x",
        "[" * 500,
        "a: b: c",
        "x" + "\x00",
        "- " * 200 + "x",
        "[" + "a," * content.MAX_TOKENS + "]",
    ],
)
def test_yaml_that_is_more_than_data_or_not_yaml_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocumentContent):
        members(text, "YAML")


def test_a_bomb_of_aliases_is_refused_before_it_is_built() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    with pytest.raises(InvalidDocumentContent, match="Line 1: anchors"):
        members(bomb, "YAML")


@pytest.mark.parametrize(
    "text", ["", "{", '{"a":1,"a":2}', '{"a":NaN}', "[" * 100_0 + "]" * 100_0, '{"a":1}x']
)
def test_json_that_is_odd_is_refused(text: str) -> None:
    with pytest.raises(InvalidDocumentContent):
        members(text, "JSON")


def test_where_reading_stopped_is_said() -> None:
    with pytest.raises(InvalidDocumentContent, match="line 2, column 6"):
        members('{\n"a": x}', "JSON")
    with pytest.raises(InvalidDocumentContent, match="line 2"):
        members("a: 1\n  b: 2", "YAML")
    with pytest.raises(InvalidDocumentContent, match="a is there twice"):
        members('{"a":1,"a":2}', "JSON")


def test_size_and_depth_are_bounded_at_the_limit() -> None:
    assert members(json.dumps("x" * (content.MAX_BYTES - 2)), "JSON")
    with pytest.raises(MaxDocumentSizeExceeded):
        members(json.dumps("x" * (content.MAX_BYTES - 1)), "JSON")
    deepest = "[" * content.MAX_DEPTH + "]" * content.MAX_DEPTH
    assert members(deepest, "JSON") == members(deepest, "YAML")
    for form in ("JSON", "YAML"):
        with pytest.raises(InvalidDocumentContent, match="nested"):
            members(f"[{deepest}]", form)
