"""Steps with times, waiting with a limit, errors with the end of their log."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.commands import run
from local.errors import CommandFailed, LauncherError
from local.progress import Progress
from local.waiting import until


def _progress(*times: float) -> tuple[Progress, io.StringIO]:
    clock: Iterator[float] = iter(times)
    stream = io.StringIO()
    return Progress(stream, lambda: next(clock)), stream


def test_a_step_says_how_long_it_took() -> None:
    progress, stream = _progress(1.0, 3.5)
    with progress.step("Deploying"):
        assert stream.getvalue().strip() == "Deploying"
    assert stream.getvalue().split() == ["Deploying", "2.5", "s"]
    assert stream.getvalue().endswith("\n")


def test_a_failed_step_says_so() -> None:
    progress, stream = _progress(1.0, 3.5)
    with pytest.raises(LauncherError), progress.step("Deploying"):
        raise LauncherError("no")
    assert stream.getvalue().split() == ["Deploying", "failed"]


def test_a_note_in_a_step_has_its_own_line() -> None:
    progress, stream = _progress(1.0, 2.0)
    with progress.step("Deploying"):
        progress.note("hm")
    lines = [line.split() for line in stream.getvalue().splitlines()]
    assert lines == [["Deploying"], ["hm"], ["Deploying", "1.0", "s"]]


def test_waiting_gives_the_first_true_answer() -> None:
    answers = iter([None, 0, "", "yes", "later"])
    assert until(lambda: next(answers), 60, "It did not happen") == "yes"


def test_waiting_ends_and_says_what_did_not_happen() -> None:
    with pytest.raises(LauncherError, match=r"It did not happen within 0 s\."):
        until(lambda: None, 0, "It did not happen")


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done; exit 3"
    with pytest.raises(CommandFailed) as failed:
        run(["sh", "-c", script], environ={}, log=log, what="the script")
    lines = str(failed.value).splitlines()
    assert lines[0] == f"the script failed (log: {log}):"
    assert lines[1:] == [f"line {number}" for number in range(15, 40)]


def test_an_error_far_from_the_end_of_the_log_is_shown_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("\n".join(["fine", "ERROR this one", *["warning"] * 100]))
    lines = str(CommandFailed("it failed", log)).splitlines()
    assert lines[1:3] == ["ERROR this one", "warning"]
    assert "fine" not in lines


def test_a_command_reads_nothing_from_the_terminal(tmp_path: Path) -> None:
    run(["sh", "-c", "cat; echo done"], environ={}, log=tmp_path / "log", what="the script")
    assert (tmp_path / "log").read_text() == "done\n"
