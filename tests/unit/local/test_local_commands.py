"""The developer commands' edges, and what is corrected in the embedded AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ministack.core import iam_actions

from local import __main__ as commands
from local import corrections
from local.places import ROOT


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that a command may scrub, and a directory of its own."""
    monkeypatch.setattr(
        os, "environ", dict(os.environ) | {"HATCHWAY_LOCAL_DIR": str(tmp_path / "x")}
    )
    return tmp_path / "x"


@pytest.mark.parametrize("arguments", [[], ["fly"], ["up", "--now"], ["down", "please"]])
def test_an_unknown_command_or_argument_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_down_where_nothing_was_started_makes_and_stops_nothing(
    caller: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["down"]) == 0
    assert not caller.exists()
    assert "Stopping" in capsys.readouterr().err


def test_deploy_says_in_one_line_why_it_refuses() -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": "https://127.0.0.1:1",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "local", "deploy", "-c", "stage=prod"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The AWS endpoint is https://127.0.0.1:1, which is this machine.")
    assert "Traceback" not in done.stderr


def test_instance_profiles_are_authorised_by_their_arn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_actions, "extract_resource_arn", iam_actions.extract_resource_arn)
    corrections.apply()

    def resource(service: str, query: dict[str, list[str]]) -> str:
        where = ("us-east-1", "000000000000")
        found = iam_actions.extract_resource_arn(service, "POST", "/", {}, b"", query, *where)
        return str(found)

    found = resource("iam", {"InstanceProfileName": ["web"]})
    assert found == "arn:aws:iam::000000000000:instance-profile/web"
    assert resource("iam", {"RoleName": ["web"]}) == "arn:aws:iam::000000000000:role/web"
    assert resource("iam", {}) == "*"
    assert resource("sts", {"InstanceProfileName": ["web"]}) == "*"
