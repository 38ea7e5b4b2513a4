"""The launcher's files are private and replaced at once; a fingerprint says what changed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from local.fingerprint import fingerprint
from local.places import Places
from local.records import read_record, write_private, write_record


def test_a_private_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_record(tmp_path / "record", {"a": 1, "b": "two"})
    assert read_record(tmp_path / "record") == {"a": 1, "b": "two"}
    assert read_record(tmp_path / "none") == {}


def test_directories_are_for_their_owner_only(tmp_path: Path) -> None:
    here = Places(tmp_path / "local")
    here.make()
    here.make()
    for path in (here.directory, here.logs, here.nodes, here.emulator):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "a.py").write_text("a")
    (tmp_path / "app.py").write_text("app")
    return tmp_path


def test_the_same_sources_have_the_same_fingerprint(tree: Path) -> None:
    before = fingerprint(tree, ["infra", "app.py"], "context")
    (tree / "infra" / "__pycache__").mkdir()
    (tree / "infra" / "__pycache__" / "a.pyc").write_text("compiled")
    (tree / "other").write_text("not a source")
    assert fingerprint(tree, ["infra", "app.py"], "context") == before


def test_any_change_of_a_source_changes_it(tree: Path) -> None:
    before = fingerprint(tree, ["infra", "app.py"], "context")
    seen = {before, fingerprint(tree, ["infra", "app.py"], "another")}
    (tree / "infra" / "b.py").write_text("")
    seen.add(fingerprint(tree, ["infra", "app.py"], "context"))
    (tree / "infra" / "b.py").rename(tree / "infra" / "c.py")
    seen.add(fingerprint(tree, ["infra", "app.py"], "context"))
    (tree / "infra" / "c.py").write_text("c")
    seen.add(fingerprint(tree, ["infra", "app.py"], "context"))
    (tree / "app.py").unlink()
    seen.add(fingerprint(tree, ["infra", "app.py"], "context"))
    assert len(seen) == 6
