"""What a newcomer does: a fresh clone, one command, a shell; and nothing of it left at the end."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.places import ROOT
from local.records import read_record

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(1200)]

#: Seconds for one command: the first one installs everything.
LIMIT = 900.0
#: What only the first command has to do.
STEPS = (
    "Installing the pinned requirements",
    "Starting the embedded AWS",
    "Synthesising the stacks",
    "Bootstrapping the account",
    "Deploying the stacks",
)
#: What this test run has set up for itself, and a newcomer has not.
_DROPPED = ("HATCHWAY_", "AWS_", "COV", "PYTEST", "MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON")


@dataclass(frozen=True, slots=True)
class Clone:
    """A fresh clone of what is committed, with an embedded AWS of its own."""

    path: Path

    def make(self, target: str, script: str = "") -> subprocess.CompletedProcess[str]:
        environ = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
        return subprocess.run(
            ["make", "--no-print-directory", target],
            cwd=self.path,
            env=environ,
            input=script,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    @property
    def port(self) -> int:
        return int(str(read_record(self.path / ".local" / "state" / "emulator.json")["port"]))

    def processes(self) -> list[str]:
        """All that runs from it: by directory, program or arguments."""
        return [line for pid in _pids() if str(self.path) in (line := _described(pid))]


def _pids() -> list[Path]:
    return [path for path in Path("/proc").iterdir() if path.name.isdigit()]


def _described(process: Path) -> str:
    """Directory, program and arguments; nothing where it has just ended, or is another's."""
    try:
        arguments = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return f"{process.name} {(process / 'cwd').readlink()} {arguments}"
    except OSError:
        return ""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    path = tmp_path / "hatchway"
    origin = f"file://{ROOT}"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", origin, path], check=True)
    made = Clone(path)
    try:
        yield made
    finally:
        if (path / ".venv").exists():
            made.make("down")


def told(output: str) -> dict[str, str]:
    """What was said of the session at the end, by its label."""
    return dict(re.findall(r"^(Session|Duration|Exit code) +(.+)$", output, re.MULTILINE))


def test_make_shell_in_a_fresh_clone_then_again_then_down(clone: Clone) -> None:
    first = clone.make("shell", "echo answer $((6 * 7)); id -un\n")
    assert first.returncode == 0, first.stderr
    assert "answer 42" in first.stdout
    for step in (*STEPS, "Starting the agent"):
        assert step in first.stderr
    said = told(first.stderr)
    assert re.fullmatch(r"john-[0-9a-f]{17}", said["Session"])
    assert re.fullmatch(r"\d+\.\d s", said["Duration"])
    assert said["Exit code"] == "0"
    notifications = first.stderr.partition("Notifications (")[2]
    assert int(notifications.partition(")")[0]) >= 1
    assert said["Session"] in notifications

    assert clone.processes()
    assert listens(port := clone.port)

    second = clone.make("shell", "exit 3\n")
    assert told(second.stderr)["Exit code"] == "3"
    assert told(second.stderr)["Session"] != said["Session"]
    assert "Error 3" in second.stderr  # make's word for the script's own status
    for step in STEPS:
        assert step not in second.stderr
    assert clone.port == port

    down = clone.make("down")
    assert down.returncode == 0, down.stderr
    assert clone.processes() == []
    assert not listens(port)
    assert clone.make("down").returncode == 0
