"""The agent's archive: complete, the same for the same code, and it installs."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tools.agent_bundle import BUNDLE, ROOT, bundle, files


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("bundle") / "agent.tar.gz", list(files(ROOT)))


def unpacked(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / BUNDLE


def test_the_same_code_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    again = bundle(tmp_path / "again.tar.gz", list(files(ROOT)))
    assert archive.read_bytes() == again.read_bytes()


def test_the_agent_starts_from_nothing_but_the_bundle(archive: Path, tmp_path: Path) -> None:
    place = unpacked(archive, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "agent"],
        cwd=place,
        env={"HATCHWAY_AGENT_CONFIG": str(tmp_path / "absent.toml"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "ConfigError" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_installer_says_what_is_missing(archive: Path, tmp_path: Path) -> None:
    place = unpacked(archive, tmp_path)
    env = {"DESTDIR": str(tmp_path / "root"), "PATH": os.environ["PATH"]}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["sh", str(place / "install.sh"), *arguments],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        return done.stderr

    assert "--api-url and --region are needed" in run()
    assert "unknown option --port" in run("--port", "22")
    assert "--region needs a value" in run("--region")


@pytest.mark.slow
def test_the_installer_lays_out_an_agent_that_runs(archive: Path, tmp_path: Path) -> None:
    place, root = unpacked(archive, tmp_path), tmp_path / "root"
    url = "https://abc123.execute-api.eu-central-1.amazonaws.com/prod"
    subprocess.run(
        ["sh", str(place / "install.sh"), "--api-url", url, "--region", "eu-central-1"],
        env={**os.environ, "DESTDIR": str(root), "PYTHON": sys.executable},
        check=True,
        timeout=300,
    )
    config = root / "etc/hatchway/agent.toml"
    assert config.stat().st_mode & 0o777 == 0o600
    assert f'agent_api_url = "{url}"' in config.read_text()
    home = root / "opt/hatchway"
    loaded = subprocess.run(
        [home / "venv/bin/python", "-c", "from agent import config; import agent.main; print("
         "config.load({'HATCHWAY_AGENT_CONFIG': '" + str(config) + "'}).session_user)"],
        cwd=home / "lib", capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert loaded.stdout.strip() == "hatchway-session"
