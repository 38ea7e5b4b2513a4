"""The verbs of session documents: what they ask for, and what is read from files."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hatchway.cli.document_files import MAX_FILE
from hatchway.cli.main import main
from hatchway.core.errors import Exit
from tests.unit.client.world import World

pytestmark = pytest.mark.timeout(60)
Capture = pytest.CaptureFixture[str]
CONTENT = '{"schemaVersion": "1.0", "sessionType": "Standard_Stream"}'
DOCUMENT: dict[str, Any] = {
    "Name": "web",
    "DocumentType": "Session",
    "DocumentVersion": "2",
    "LatestVersion": "2",
    "DefaultVersion": "1",
    "Owner": "123456789012",
    "CreatedDate": 1_700_000_000,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "web.json"
    path.write_text(CONTENT)
    return path


def test_documents_are_listed(world: World, capsys: Capture) -> None:
    world.answers["GET /documents"] = (200, {"DocumentIdentifiers": [DOCUMENT]})
    assert main(["list-documents"]) == 0
    assert capsys.readouterr().out.split()[-5:] == ["web", "Session", "123456789012", "2", "2"]
    assert main(["list-documents", "--output", "json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["DocumentIdentifiers"]
    assert found["Name"] == "web"


def test_no_document_is_said_on_standard_error(world: World, capsys: Capture) -> None:
    world.answers["GET /documents"] = (200, {"DocumentIdentifiers": []})
    assert main(["list-documents"]) == 0
    assert capsys.readouterr() == ("", "There is no document.\n")


def test_versions_are_listed_with_the_default_marked(world: World, capsys: Capture) -> None:
    older = DOCUMENT | {"DocumentVersion": "1", "IsDefaultVersion": True, "Author": "ann"}
    world.answers["GET /documents/web/versions"] = (200, {"DocumentVersions": [DOCUMENT, older]})
    assert main(["list-document-versions", "--name", "web"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    newest, default = (next(row for row in rows if row[:1] == [number]) for number in "21")
    assert newest[0] == "2"
    assert "yes" not in newest
    assert (default[0], default[1], default[-1]) == ("1", "yes", "ann")
    assert main(["list-document-versions", "--name", "web", "--output", "json"]) == 0
    versions = json.loads(capsys.readouterr().out)["DocumentVersions"]
    assert [each["DocumentVersion"] for each in versions] == ["2", "1"]


def test_no_version_is_said_on_standard_error(world: World, capsys: Capture) -> None:
    world.answers["GET /documents/web/versions"] = (200, {"DocumentVersions": []})
    assert main(["list-document-versions", "--name", "web"]) == 0
    assert capsys.readouterr() == ("", "There is no version.\n")


def test_a_document_or_one_version_of_it_is_removed(world: World, capsys: Capture) -> None:
    world.answers["DELETE /documents/web"] = (200, {"Name": "web"})
    assert main(["delete-document", "--name", "web"]) == 0
    assert capsys.readouterr().out == "Removed web.\n"
    assert world.asked[-1].query == ""
    arguments = ["delete-document", "--name", "web", "--document-version", "2"]
    assert main([*arguments, "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"Name": "web"}
    assert world.asked[-1].query == "DocumentVersion=2"


def test_a_document_that_is_not_there_is_an_error(world: World, capsys: Capture) -> None:
    gone = {"__type": "InvalidDocument", "message": "There is no such document."}
    world.answers["DELETE /documents/web"] = (400, gone)
    assert main(["delete-document", "--name", "web"]) == Exit.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hatchway: InvalidDocument: There is no such document.")


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_document_is_made_from_a_file(
    world: World, file: Path, prefix: str, capsys: Capture
) -> None:
    world.answers["POST /documents"] = (200, {"Document": DOCUMENT})
    assert main(["create-document", "--name", "web", "--content", f"{prefix}{file}"]) == 0
    assert world.asked[-1].body == {"Name": "web", "Content": CONTENT, "DocumentFormat": "JSON"}
    assert "DocumentVersion: 2" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("name", "options", "form"),
    [
        ("web.yaml", (), "YAML"),
        ("web.YML", (), "YAML"),
        ("web", (), "JSON"),
        ("web.yaml", ("--document-format", "JSON"), "JSON"),
    ],
)
def test_how_it_is_written_is_what_the_name_says_unless_said_otherwise(
    world: World, tmp_path: Path, name: str, options: tuple[str, ...], form: str
) -> None:
    (tmp_path / name).write_text(CONTENT)
    world.answers["POST /documents"] = (200, {"Document": DOCUMENT})
    content = ["--content", str(tmp_path / name)]
    assert main(["create-document", "--name", "web", *content, *options]) == 0
    assert world.asked[-1].body["DocumentFormat"] == form


def test_a_document_comes_from_standard_input(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.answers["POST /documents"] = (200, {"Document": DOCUMENT})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CONTENT.encode())))
    assert main(["create-document", "--name", "web", "--content", "-"]) == 0
    assert world.asked[-1].body["Content"] == CONTENT


def test_what_cannot_be_read_is_refused_and_asks_nothing(
    world: World, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * (MAX_FILE + 1))
    (tmp_path / "fits").write_bytes(b"x" * MAX_FILE)
    for name, said in (
        ("none", "No such file"),
        ("binary", "it is not UTF-8"),
        ("large", f"larger than {MAX_FILE} bytes"),
    ):
        arguments = ["create-document", "--name", "web", "--content", str(tmp_path / name)]
        assert main(arguments) == Exit.USAGE
        assert said in capsys.readouterr().err
    assert world.asked == []


def test_an_update_may_become_the_default_at_once(
    world: World, file: Path, capsys: Capture
) -> None:
    world.answers["PUT /documents/web"] = (200, {"Document": DOCUMENT})
    chosen = DOCUMENT | {"DefaultVersion": "2"}
    world.answers["PUT /documents/web/default-version"] = (200, {"Document": chosen})
    arguments = ["update-document", "--name", "web", "--content", str(file)]
    assert main([*arguments, "--document-version", "1"]) == 0
    assert world.asked[-1].body["DocumentVersion"] == "1"
    assert [asked.path for asked in world.asked] == ["/documents/web"]
    assert main([*arguments, "--set-default", "--output", "json"]) == 0
    assert world.asked[-1].path == "/documents/web/default-version"
    assert world.asked[-1].body == {"DocumentVersion": "2"}
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["Document"]["DefaultVersion"] == "2"
