"""Commands from end to end: exec on one node and on many, documents of commands, every client."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hatchway.cli.exits import apart
from hatchway.client import Hatchway, load_settings
from hatchway.core.errors import Exit
from local.identities import ADMIN, JOHN
from local.places import ROOT
from local.stack import CLI, Stack
from tests.integration.sessions import connect, described, start, wait_status
from tests.integration.terminal import PATIENCE

pytestmark = pytest.mark.stack

PIPED = "AWS-StartNonInteractiveCommand"


def execute(
    stack: Stack, *arguments: str, given: bytes = b"", user: str = JOHN
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*CLI, "exec", *arguments],
        env=stack.environ(user),
        cwd=ROOT,
        input=given,
        capture_output=True,
        timeout=2 * PATIENCE,
        check=False,
    )


@contextmanager
def executing(stack: Stack, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [*CLI, "exec", *arguments],
        env=stack.environ(JOHN),
        cwd=ROOT,
        stdin=-1,
        stdout=-1,
        stderr=-1,
    ) as child:
        try:
            yield child
        finally:
            child.kill()


# --- one node -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_the_exit_status_is_the_commands_and_so_are_both_streams(stack: Stack, code: int) -> None:
    script = f"printf 'out\\n'; printf 'err\\000\\n' >&2; exit {code}"
    done = execute(stack, "demo", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"out\n", b"err\x00\n")


def test_a_megabyte_goes_there_and_comes_back_as_it_was(stack: Stack) -> None:
    data = secrets.token_bytes(1_000_000)
    done = execute(stack, "demo", "--", "sh", "-c", "tee /dev/stderr | sha256sum", given=data)
    assert done.returncode == 0
    assert done.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()
    assert done.stderr == data


def test_no_shell_on_the_way_changes_a_word(stack: Stack) -> None:
    words = ["it's", 'a "b"', "$HOME", "`id`", "*", "a\nb", "", "--", "-n", "é;&|<>()\\"]
    done = execute(stack, "demo", "--", "printf", "%s\\0", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split("\0")[:-1] == words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_the_remote_process_group(stack: Stack, number: signal.Signals) -> None:
    with executing(stack, "demo", "--", "sh", "-c", "echo up; sleep 1000 | cat; echo no") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        child.send_signal(number)
        out, err = child.communicate(timeout=PATIENCE)
        assert (child.returncode, out, err) == (128 + number, b"", b"")


def test_a_command_that_ignores_signals_is_ended_by_the_third(stack: Stack) -> None:
    script = "trap 'echo caught' TERM; echo up; while :; do sleep 0.05; done"
    with executing(stack, "demo", "--", "sh", "-c", script) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        for _ in range(2):
            child.send_signal(signal.SIGTERM)
            assert child.stdout.readline() == b"caught\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE) == 128 + signal.SIGTERM


def test_without_a_terminal_and_without_input_it_ends_by_itself(stack: Stack) -> None:
    """As CI runs it: a session of its own, no standard input at all."""
    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'exec "$@" <&-',
            "sh",
            *CLI,
            "exec",
            "demo",
            "--",
            "sh",
            "-c",
            "cat; tty",
        ],
        env=stack.environ(JOHN),
        cwd=ROOT,
        capture_output=True,
        start_new_session=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"not a tty\n", b"")


def test_a_reader_that_goes_away_ends_the_command(stack: Stack) -> None:
    mark = f"4{secrets.randbelow(10**8):08}"  # a length of sleep that is only ours
    script = f"sleep {mark} & while echo y; do :; done"
    line = '"$@" | head -2; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["/bin/bash", "-c", line, "bash", *CLI, "exec", "demo", "--", "sh", "-c", script],
        env=stack.environ(JOHN),
        cwd=ROOT,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=2 * PATIENCE,
    )
    assert (done.stdout, done.stderr) == (b"y\ny\n141\n", b"")
    deadline = time.monotonic() + PATIENCE
    while _runs(mark):
        assert time.monotonic() < deadline


def _runs(argument: str) -> bool:
    """Whether a sleep of this length runs anywhere on the machine."""
    for path in Path("/proc").iterdir():
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", argument.encode()]:
            return True
    return False


def test_with_a_terminal_there_is_one(stack: Stack) -> None:
    done = execute(stack, "-t", "-q", "demo", "--", "sh", "-c", "tty >/dev/null && exit 9")
    assert (done.returncode, done.stdout, done.stderr) == (9, b"", b"")


def test_our_own_failures_are_told_apart(stack: Stack) -> None:
    assert execute(stack, "no-such-node", "--", "true").returncode == apart(Exit.NOT_FOUND)
    assert execute(stack, "demo").returncode == apart(Exit.USAGE)
    gone = execute(stack, "i-00000000000000000", "--", "true", user=ADMIN)
    assert gone.returncode == apart(Exit.NOT_CONNECTED), gone.stderr
    assert gone.stdout == b""


def test_it_waits_for_a_node_that_starts(stack: Stack) -> None:
    name = secrets.token_hex(4)
    node = stack.run_instance({"team": "web", "Name": name})
    with executing(stack, "--wait", "60", name, "--", "echo", "there") as child:
        with stack.agent(node):
            out, err = child.communicate(timeout=60)
        assert (child.returncode, out) == (0, b"there\n"), err


# --- documents of commands ----------------------------------------------------------------------


def test_start_session_runs_a_command_document(stack: Stack) -> None:
    text = json.dumps({"command": ["echo out; echo err >&2; cat; exit 6"]})
    done = subprocess.run(
        [*CLI, "start-session", "--target", "demo", "--document-name", PIPED, "--parameters", text],
        env=stack.environ(JOHN),
        cwd=ROOT,
        input=b"\x00typed\x04",
        capture_output=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (6, b"out\n\x00typed\x04"), done.stderr
    assert b"err\n" in done.stderr


def test_a_client_of_the_original_sees_both_streams_and_the_exit_code(stack: Stack) -> None:
    """The document asks for streams apart: payload types 1, 11 and 12, as the original's agent."""
    text = "echo out; echo err >&2; exit 5"
    started = start(stack, DocumentName=PIPED, Parameters={"command": [text]})
    client = connect(stack, started)
    client.until(lambda: client.closed is not None)
    assert bytes(client.output) == b"out\n"
    assert bytes(client.standard_error) == b"err\n"
    assert client.exit_code == "EXIT_CODE: 5"
    assert client.largest <= 1024
    ended = wait_status(stack, started.session_id, "Terminated")
    assert (ended["ExitCode"], ended["EndReason"]) == (5, "exited")
    assert described(stack, started.session_id)["DocumentName"] == PIPED


# --- Python -------------------------------------------------------------------------------------


def test_python_runs_a_command(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.environ(JOHN).items():
        monkeypatch.setenv(name, value)
    hatchway = Hatchway(load_settings())
    data = os.urandom(100_000)
    with hatchway.run("demo", ["sh", "-c", "cat; echo err >&2; exit 4"]) as command:
        done = command.communicate(data)
    assert (done.stdout, done.stderr, done.exit_code) == (data, b"err\n", 4)
    with hatchway.run("demo", ["sh", "-c", "echo up; exec sleep 1000"]) as command:
        assert next(iter(command)).data == b"up\n"
        assert command.signal(signal.SIGTERM)
        assert command.wait(PATIENCE) == 143


# --- many nodes ---------------------------------------------------------------------------------


@contextmanager
def rack(stack: Stack, count: int) -> Iterator[tuple[str, list[str]]]:
    """Nodes with a tag of their own; the last one has no agent any more."""
    name = secrets.token_hex(4)
    nodes = [
        stack.run_instance({"team": "web", "rack": name, "Name": f"{name}-{n}"})
        for n in range(count)
    ]
    with stack.agent(nodes[-1]):
        pass
    with stack.agent(nodes[0]), stack.agent(nodes[1]):
        yield name, nodes


def test_many_nodes_by_tag_with_a_result_for_each(stack: Stack, tmp_path: Path) -> None:
    with rack(stack, 3) as (name, nodes):
        tag = ("--tag", f"rack={name}", "--tag", "team=web")
        script = "cat; echo out; echo err >&2; exit 3"
        (tmp_path / "input").write_bytes(b"in\n")
        words = ("--input", str(tmp_path / "input"), "--", "sh", "-c", script)
        _check_lines(execute(stack, *tag, *words), name)
        _check_json(execute(stack, *tag, "--json", *words), nodes)
        out = tmp_path / "out"
        done = execute(stack, *tag, "--output-dir", str(out), "-q", *words)
        assert (done.returncode, done.stdout) == (apart(Exit.NOT_CONNECTED), b"")
        for node in nodes[:2]:
            assert (out / f"{node}.stdout").read_bytes() == b"in\nout\n"
            assert (out / f"{node}.stderr").read_bytes() == b"err\n"
        both = execute(stack, "--target", nodes[0], "--target", f"{name}-1", "--", "true")
        assert both.returncode == 0
        assert both.stdout == b""


def _check_lines(done: subprocess.CompletedProcess[bytes], name: str) -> None:
    assert done.returncode == apart(Exit.NOT_CONNECTED), "the highest of all"
    lines = sorted(done.stdout.decode().splitlines())
    assert lines == [f"{name}-{n}: {text}" for n in (0, 1) for text in ("in", "out")]
    told = done.stderr.decode()
    for n in (0, 1):
        assert f"{name}-{n}: err\n" in told
    assert told.count("Exited") == 2
    assert "TargetNotConnected" in told


def _check_json(done: subprocess.CompletedProcess[bytes], nodes: list[str]) -> None:
    told = json.loads(done.stdout)
    results = {result["NodeId"]: result for result in told["Results"]}
    assert sorted(results) == sorted(nodes)
    for node in nodes[:2]:
        found = results[node]
        assert (found["Status"], found["ExitCode"]) == ("Exited", 3)
        assert (found["Stdout"], found["Stderr"]) == ("in\nout\n", "err\n")
    assert results[nodes[2]]["Error"]["Code"] == "TargetNotConnected"
    assert told["Summary"] == {"Succeeded": 0, "Exited": 2, "Failed": 1, "NotStarted": 0}
    assert told["ExitStatus"] == done.returncode
