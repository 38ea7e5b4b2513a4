"""docs/security.md names tests: each of them exists, and is of the kind that the page says."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))
KINDS = {"emulator": "integration", "template": "infra", "code": "unit"}
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if re.match(r"\| .*`[\w/]+\.py::test_", line)
]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part)
def test_a_test_that_the_page_names_exists(file: str, name: str) -> None:
    assert name in names_in(file)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_claim_is_proved_where_the_page_says(row: tuple[str, ...]) -> None:
    claim, proved, tests = row
    assert claim
    folders = {name.partition("/")[0] for name in re.findall(r"`([\w/]+\.py)::", tests)}
    assert folders == {KINDS[proved]}


def test_every_actor_says_what_remains() -> None:
    actors = [
        section
        for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
        if "| proved |" in section
    ]
    assert len(actors) >= 9
    for section in actors:
        assert "*Remains.*" in section, section.splitlines()[0]
