"""docs/security.md names tests: each of them is of the kind that the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
PAGE = (TESTS.parent / "docs" / "security.md").read_text(encoding="utf-8")
KINDS = {"emulator": "integration", "template": "infra", "code": "unit"}
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in PAGE.splitlines()
    if re.match(r"\| .*`[\w/]+\.py::test_", line)
]


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
