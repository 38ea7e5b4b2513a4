"""All vectors agree, and the program that runs them says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.vectors import iam

VECTORS = Path(iam.__file__).parent
FILES = ["iam.json", "iam_unknown.json"]


@pytest.mark.parametrize("name", FILES)
def test_every_vector_agrees(name: str) -> None:
    given = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    assert len(given) > 400
    assert {each["id"]: found for each in given if (found := iam.check(each))} == {}


def test_the_program_counts_and_exits_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert iam.main([str(VECTORS / "iam_unknown.json")]) == 0
    assert capsys.readouterr().out == "agree 460 of 460\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expected": "ImplicitlyDenied"}, "Allowed instead of ImplicitlyDenied"),
        ({"matchedSids": ["Allow:Other"]}, "matched ['Allow:AllowAll'] instead of"),
        ({"unknown": ["aws:username"]}, "unknown () instead of"),
        ({"identityPolicies": [{"Statement": 1}]}, "refused: 0: Statement[0]: is no JSON object"),
    ],
)
def test_a_difference_is_named_and_exits_with_one(
    change: dict[str, object],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    allow = {"Sid": "AllowAll", "Effect": "Allow", "Action": "*", "Resource": "*"}
    vector = {
        "id": "v-1",
        "category": "c",
        "identityPolicies": [{"Statement": allow}],
        "request": {"principal": "p", "action": "a:B", "resource": "*", "context": {}},
        "expected": "Allowed",
    }
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps([vector, {**vector, **change}]))
    assert iam.main([str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"v-1: {said}")
    assert lines[1] == "agree 1 of 2"


def test_an_empty_file_agrees_with_nothing(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    path.write_text("[]")
    assert iam.main([str(path)]) == 1
    assert iam.main([]) == 2


@pytest.mark.parametrize("name", FILES)
def test_a_vector_file_can_be_loaded_whole(name: str) -> None:
    loaded = iam.load(VECTORS / name)
    assert len({vector.id for vector in loaded}) == len(loaded)
