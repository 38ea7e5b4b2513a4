"""Only the very process that was started is ever signalled, with all that it started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.processes import Process
from local.records import read_record, write_record
from local.waiting import until

_SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# Starts another, says its pid in a file that appears complete, and waits for ever.
_PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1] + ".part", "w").write(str(child.pid))
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
"""
_STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
time.sleep(600)
"""


def _start(command: list[str], folder: Path) -> Process:
    return processes.start(
        command, environ=os.environ, log=folder / "log", record=folder / "record", cwd=folder
    )


def _wait_for(path: Path) -> str:
    until(path.exists, 20, f"{path} did not appear")
    return path.read_text()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(_SLEEP)
    yield process
    process.kill()
    process.wait()


def test_a_started_process_is_found_again_and_stopped(tmp_path: Path) -> None:
    process = _start(_SLEEP, tmp_path)
    assert processes.recorded(tmp_path / "record") == process
    processes.stop(tmp_path / "record")
    assert not processes.alive(process)
    assert not (tmp_path / "record").exists()


def test_stopping_twice_or_what_never_ran_does_nothing(tmp_path: Path) -> None:
    processes.stop(tmp_path / "record")
    process = _start(_SLEEP, tmp_path)
    processes.stop(tmp_path / "record")
    processes.stop(tmp_path / "record")
    assert not processes.alive(process)


@pytest.mark.parametrize("field", ["started", "boot"])
def test_a_recycled_pid_is_never_signalled(
    tmp_path: Path, bystander: subprocess.Popen[bytes], field: str
) -> None:
    stat = (Path("/proc") / str(bystander.pid) / "stat").read_text()
    started = int(stat.rpartition(")")[2].split()[19])
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    same = {"pid": bystander.pid, "started": started, "boot": boot}
    write_record(tmp_path / "same", same)
    assert processes.recorded(tmp_path / "same") is not None
    other = {"started": started - 1} if field == "started" else {"boot": "another boot"}
    write_record(tmp_path / "other", same | other)
    assert processes.recorded(tmp_path / "other") is None
    processes.stop(tmp_path / "other")
    assert bystander.poll() is None


def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    process = _start([sys.executable, "-c", _PARENT, str(tmp_path / "child")], tmp_path)
    child = int(_wait_for(tmp_path / "child"))
    processes.stop(tmp_path / "record")
    assert not processes.alive(process)
    state = Path(f"/proc/{child}/stat")
    # Orphaned, it may wait as a zombie for whoever adopted it.
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    process = _start([sys.executable, "-c", _STUBBORN, str(tmp_path / "ready")], tmp_path)
    _wait_for(tmp_path / "ready")
    processes.stop(tmp_path / "record", grace=0.1)
    assert not processes.alive(process)


def test_kill_spares_what_the_process_started(tmp_path: Path) -> None:
    process = _start([sys.executable, "-c", _PARENT, str(tmp_path / "child")], tmp_path)
    child = int(_wait_for(tmp_path / "child"))
    processes.kill(process)
    assert not processes.alive(process)
    assert Path(f"/proc/{child}").exists()
    os.kill(child, 9)


def test_a_spoilt_record_names_no_process(tmp_path: Path) -> None:
    for text in ("", "[]", "{", '{"pid": "1"}', '{"pid": 1, "started": 1}'):
        (tmp_path / "record").write_text(text)
        assert processes.recorded(tmp_path / "record") is None
    assert read_record(tmp_path / "record") == {"pid": 1, "started": 1}
