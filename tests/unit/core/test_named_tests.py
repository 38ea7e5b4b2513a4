"""Pages that name tests as their proof: each of the tests exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
PAGES = ("security.md", "parity.md")
NAMED = sorted(
    {
        found
        for page in PAGES
        for found in re.findall(
            r"`([\w/]+\.py)::(test_\w+)`",
            (TESTS.parent / "docs" / page).read_text(encoding="utf-8"),
        )
    }
)


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part)
def test_a_test_that_a_page_names_exists(file: str, name: str) -> None:
    assert name in names_in(file)


def test_what_parity_says_is_there_has_a_test_or_says_not_yet() -> None:
    page = (TESTS.parent / "docs" / "parity.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "| test |" not in line]
    assert len(rows) > 60
    for row in rows:
        *_, ours, test = (cell.strip() for cell in row.strip("|").split("|"))
        honest = any(
            word in ours for word in ("not yet", "Linux", "changes nothing", "recorded like")
        )
        assert "::test_" in test or honest, row
