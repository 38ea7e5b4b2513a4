"""exec on one node, as scripts and CI have it: streams apart, exact bytes, statuses, signals."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hatchway.cli.exits import apart
from hatchway.core.errors import Exit
from tests.unit.client.node import LittleCommand, LittleShell
from tests.unit.client.world import NODE, SESSION, World

pytestmark = pytest.mark.timeout(60)
EXEC = [sys.executable, "-m", "hatchway.cli", "exec"]


def piped(
    world: World, *arguments: str, shell: LittleShell | None = None, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    world.shell = shell or LittleCommand()
    return subprocess.run([*EXEC, *arguments], input=given, capture_output=True, timeout=50)


def test_the_three_streams_and_the_status_are_the_commands_and_nothing_is_added(
    world: World,
) -> None:
    data = os.urandom(300_000)
    done = piped(world, NODE, "--", "cat", shell=LittleCommand(7, b"\x00oops\n"), given=data)
    assert (done.returncode, done.stdout, done.stderr) == (7, data, b"\x00oops\n")
    assert [asked.method for asked in world.asked] == ["POST"]


def test_the_command_is_quoted_word_by_word_for_the_built_in_document(world: World) -> None:
    words = ["printf", "%s|", "it's", "$HOME; rm -rf /", "--", "-x", ""]
    assert piped(world, NODE, "--reason", "why", "--", *words).returncode == 0
    body = world.asked[0].body
    assert body["DocumentName"] == "AWS-StartNonInteractiveCommand"
    assert body["Reason"] == "why"
    sent = body["Parameters"]
    assert isinstance(sent, dict)
    assert shlex.split(sent["command"][0]) == ["exec", *words]


def test_an_empty_input_and_an_absent_one_end_the_commands_input(world: World) -> None:
    for redirection in ("</dev/null", "<&-", "-n"):
        world.shell, world.node = LittleCommand(3), None
        option, shell = ("-n", "") if redirection == "-n" else ("", redirection)
        line = f"{shlex.join(EXEC)} {NODE} {option} -- cat {shell}"
        done = subprocess.run(["/bin/sh", "-c", line], stdin=subprocess.PIPE, timeout=50)
        assert done.returncode == 3


def test_a_closed_standard_output_takes_no_connections_place(world: World) -> None:
    world.shell = LittleCommand(0, output=b"lost")
    line = f"{shlex.join(EXEC)} {NODE} -n -- cat >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", line], timeout=50).returncode == 0


def test_input_from_a_file(world: World, tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(b"echo hello\n")
    done = piped(world, NODE, "--input", str(tmp_path / "script"), "--", "sh", given=b"not this")
    assert done.stdout == b"echo hello\n"
    done = piped(world, NODE, "--input", str(tmp_path / "none"), "--", "sh")
    assert done.returncode == apart(Exit.USAGE)


@contextmanager
def heeded(number: signal.Signals) -> Iterator[None]:
    """What is started meanwhile does not ignore the signal, though these tests may have been
    started in the background or by nohup: a handler becomes the default in a new program."""
    before = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_is_forwarded_and_the_status_is_what_the_command_made_of_it(
    number: signal.Signals, world: World
) -> None:
    world.shell = command = LittleCommand(output=b"up\n")
    command_line = [*EXEC, NODE, "--", "x"]
    with heeded(number), subprocess.Popen(command_line, stdin=-1, stdout=-1, stderr=-1) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        child.send_signal(number)
        assert child.wait(30) == 128 + number
    assert command.signals == [number]
    assert [asked.method for asked in world.asked] == ["POST"], "the session ended by itself"


def test_the_third_signal_of_a_kind_ends_this_program_and_the_session(world: World) -> None:
    world.shell = command = LittleCommand(output=b"up\n", ignored=(signal.SIGTERM,))
    with subprocess.Popen([*EXEC, NODE, "--", "x"], stdin=-1, stdout=-1, stderr=-1) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        for count in (1, 2):
            child.send_signal(signal.SIGTERM)
            world.until(lambda seen=count: len(command.signals) == seen)  # type: ignore[misc]
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 128 + signal.SIGTERM
    assert (world.asked[-1].method, world.asked[-1].path) == ("DELETE", f"/sessions/{SESSION}")


def test_a_signal_that_is_ignored_here_is_not_forwarded(world: World) -> None:
    world.shell = command = LittleCommand(output=b"up\n")
    line = f"trap '' HUP; exec {shlex.join([*EXEC, NODE, '--', 'x'])}"
    with subprocess.Popen(["/bin/sh", "-c", line], stdin=-1, stdout=-1, stderr=-1) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        child.send_signal(signal.SIGHUP)
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 128 + signal.SIGTERM
    assert command.signals == [signal.SIGTERM]


def test_a_reader_that_has_gone_ends_the_command_and_no_word_is_said(world: World) -> None:
    world.shell = LittleCommand(output=b"y\n" * 500_000)
    line = f"{{ {shlex.join([*EXEC, NODE, '--', 'yes'])}; echo $? >&2; }} | head -1"
    done = subprocess.run(["/bin/bash", "-c", line], stdin=-1, capture_output=True, timeout=50)
    assert (done.stdout, done.stderr) == (b"y\n", b"141\n")
    assert world.asked[-1].method == "DELETE"


def test_our_own_failures_have_statuses_that_no_command_is_likely_to_have(world: World) -> None:
    refusal = {"__type": "TargetNotConnected", "message": "The node's agent is not connected."}
    world.answers[f"POST /nodes/{NODE}/sessions"] = (409, refusal)
    done = piped(world, NODE, "--", "true")
    assert done.returncode == apart(Exit.NOT_CONNECTED) == 245
    assert done.stdout == b""
    assert done.stderr.startswith(b"hatchway: TargetNotConnected: ")


@pytest.mark.parametrize(
    "arguments", [(NODE,), (NODE, "--"), (NODE, "ls"), ("-x", NODE, "--", "ls"), (NODE, "-t")]
)
def test_a_wrong_command_line_asks_nothing_and_is_told_apart(
    arguments: tuple[str, ...], world: World
) -> None:
    assert piped(world, *arguments).returncode == apart(Exit.USAGE)
    assert world.asked == []


def test_it_waits_for_a_node_where_it_is_asked_to(world: World) -> None:
    path = f"POST /nodes/{NODE}/sessions"
    refusal = {"__type": "TargetNotConnected", "message": "The node's agent is not connected."}
    world.answers[path] = (409, refusal)
    with subprocess.Popen([*EXEC, NODE, "--wait", "30", "--", "x"], stdin=-1, stdout=-1) as child:
        world.until(lambda: len(world.asked) == 2)
        world.shell = LittleCommand(5)
        del world.answers[path]
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(30) == 5


def test_a_connection_that_is_cut_is_restored_and_said_unless_it_is_to_be_quiet(
    world: World,
) -> None:
    for options, said in (((), True), (("-q",), False)):
        world.shell, world.node = LittleCommand(output=b"up\n"), None
        with subprocess.Popen(
            [*EXEC, NODE, *options, "--", "x"], stdin=-1, stdout=-1, stderr=-1
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            assert child.stdout.readline() == b"up\n"
            world.cut()
            child.stdin.write(b"after")
            out, err = child.communicate(timeout=30)
        assert out == b"after"
        assert (b"Connection lost" in err) is said


def test_with_a_terminal_the_other_document_is_used(world: World) -> None:
    done = piped(world, "-t", NODE, "--", "top", shell=LittleShell(), given=b"exit 4\n")
    assert done.returncode == 4
    assert world.asked[0].body["DocumentName"] == "AWS-StartInteractiveCommand"


def test_the_exit_code_table_is_in_the_help() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "hatchway.cli", "help", "exit-codes"], capture_output=True, text=True
    )
    assert told.returncode == 0
    for status in Exit:
        assert f"{apart(status) if status else 0}" in told.stdout
    assert len({apart(status) for status in Exit if status}) == len(Exit) - 1
    assert all(192 < apart(status) < 256 for status in Exit if status)
