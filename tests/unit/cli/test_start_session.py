"""start-session as a person has it (on a terminal) and as a script has it (in a pipeline)."""

from __future__ import annotations

import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any, cast

import pexpect
import pytest

from hatchway.cli import start_session
from hatchway.cli.exits import apart
from hatchway.client import Hatchway, Started
from hatchway.client.events import Ended
from hatchway.client.posix_terminal import NO_TERMINAL
from hatchway.client.shell import Outcome
from hatchway.core.errors import ChannelFailed, Exit, HatchwayError, TakenOver
from tests.unit.client.world import NODE, SESSION, World

pytestmark = pytest.mark.timeout(60)
COMMAND = ["-m", "hatchway.cli", "start-session", "--target", NODE]


class Person:
    """Someone at a terminal of 90 by 30 who has just started a session."""

    def __init__(self, *more: str) -> None:
        self.rest = b""
        # Bytes both ways; its type stubs know text only.
        self.child: Any = pexpect.spawn(
            sys.executable, [*COMMAND, *more], dimensions=(30, 90), timeout=20, echo=True
        )
        self.before = termios.tcgetattr(self.child.child_fd)

    def sees(self, text: str) -> bytes:
        """Waits for `text`; what came before it."""
        self.child.expect_exact(text)
        return bytes(self.child.before)

    def types(self, text: str) -> None:
        self.child.send(text)

    def leaves(self) -> int:
        """Waits for the end; the exit status. The terminal has to be as it was."""
        self.rest = self.child.read()
        after = termios.tcgetattr(self.child.child_fd)
        assert after == self.before
        self.child.close()
        if self.child.signalstatus is not None:
            return -int(self.child.signalstatus)
        return int(self.child.exitstatus)


def test_a_session_on_a_terminal(world: World) -> None:
    person = Person("--reason", "looking around")
    person.sees(f"Starting session with SessionId: {SESSION}\r\n")
    person.sees("$ ")
    person.types("size\r")
    person.sees("90 30\r\n$ ")
    person.types("\x03\x1a\x1c\x11\x13ls\t")
    person.types("\rexit 3\r")
    person.sees(f"Session {SESSION} ended with exit code 3.\r\n")
    assert person.leaves() == 3
    assert b"\x03\x1a\x1c\x11\x13ls\t\r" in world.shell.typed
    assert world.asked[0].body["Reason"] == "looking around"
    assert [asked.method for asked in world.asked] == ["POST"]


def test_a_change_of_size_arrives(world: World) -> None:
    person = Person()
    person.sees("$ ")
    person.child.setwinsize(40, 100)
    while True:
        person.types("size\r")
        if b"100 40" in person.sees("\r\n$ "):
            break
    person.types("exit\r")
    assert person.leaves() == 0


def test_escapes_that_reach_beyond_the_screen_are_filtered_unless_asked_for(world: World) -> None:
    evil = b"\x1b]52;c;aGk=\x07<\x1b[6n\x1b[31mred>".hex()
    person = Person()
    person.sees("$ ")
    person.types(f"raw {evil}\r")
    person.sees("<\x1b[31mred>")
    person.types("exit\r")
    assert person.leaves() == 0
    assert b"\x1b[m" in person.rest


def test_unfiltered_passes_everything(world: World) -> None:
    person = Person("--unfiltered")
    person.sees("$ ")
    person.types("raw " + b"\x1b]52;c;aGk=\x07<".hex() + "\r")
    person.sees("\x1b]52;c;aGk=\x07<")
    person.types("exit\r")
    assert person.leaves() == 0


def test_what_a_program_left_behind_on_the_screen_is_put_right(world: World) -> None:
    person = Person()
    person.sees("$ ")
    person.types("raw " + b"\x1b[?1049h\x1b[?25l<".hex() + "\r")
    person.sees("<")
    person.types("exit\r")
    assert person.leaves() == 0
    assert b"\x1b[?1049l\x1b[?25h" in person.rest


def test_leaving_with_the_tilde_terminates_the_session(world: World) -> None:
    person = Person()
    person.sees("$ ")
    person.types("~?")
    person.sees("end the session")
    person.types("~.")
    assert person.leaves() == apart(Exit.FAILURE)
    assert (world.asked[-1].method, world.asked[-1].path) == ("DELETE", f"/sessions/{SESSION}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_the_terminal_as_it_was(number: int, world: World) -> None:
    person = Person()
    person.sees("$ ")
    person.child.kill(number)
    assert person.leaves() == 128 + number
    assert world.asked[-1].method == "DELETE"


def test_a_connection_that_stays_away_is_said_and_so_is_its_return(world: World) -> None:
    path = f"POST /sessions/{SESSION}/resume"
    world.answers[path] = (429, {"__type": "ThrottlingException", "message": "busy"})
    person = Person()
    person.sees("$ ")
    world.cut()
    person.sees("[hatchway: Connection lost; reconnecting: busy]\r\n")
    del world.answers[path]
    person.sees("[hatchway: Connected again]\r\n")
    person.types("exit 4\r")
    assert person.leaves() == 4


def test_ctrl_c_takes_a_person_out_of_a_connection_that_stays_away(world: World) -> None:
    refusal = {"__type": "ThrottlingException", "message": "busy"}
    world.answers[f"POST /sessions/{SESSION}/resume"] = (429, refusal)
    person = Person()
    person.sees("$ ")
    world.cut()
    person.sees("reconnecting")
    person.types("\x03")
    assert person.leaves() == apart(Exit.FAILURE)


def test_a_session_that_someone_else_ended_says_why(world: World) -> None:
    gone = {"__type": "DoesNotExistException", "message": "ended"}
    world.answers[f"POST /sessions/{SESSION}/resume"] = (404, gone)
    record = {"SessionId": SESSION, "Status": "Terminated", "EndReason": "Terminated by\x1b admin"}
    world.answers[f"GET /sessions/{SESSION}"] = (200, record)
    person = Person()
    person.sees("$ ")
    world.cut()
    person.sees(f"Session {SESSION} ended: Terminated by\\x1b admin.\r\n")
    assert person.leaves() == apart(Exit.FAILURE)


# --- in a pipeline ------------------------------------------------------------------------------


def piped(script: bytes, *more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, *COMMAND, *more], input=script, capture_output=True, timeout=50
    )


def test_a_script_from_a_pipe_runs_to_its_end(world: World) -> None:
    done = piped(b"size\nexit 9\n")
    columns, rows = NO_TERMINAL
    assert done.stdout == b"$ size\r\n%d %d\r\n$ exit 9\r\n" % (columns, rows)
    assert done.returncode == 9
    first, last = done.stderr.decode().splitlines()
    assert first == f"Starting session with SessionId: {SESSION}"
    assert last == f"Session {SESSION} ended with exit code 9."


@pytest.mark.parametrize("script", [b"one\n", b"no line end", b""])
def test_the_end_of_a_script_ends_the_shell(script: bytes, world: World) -> None:
    assert piped(script).returncode == 0
    assert world.shell.typed.rstrip(b"\x04").endswith(b"\n" if script else b"")


def test_a_script_from_a_file_and_output_to_a_file(world: World, tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(b"raw 1b5d323b7469746c6507\nexit\n")
    with (tmp_path / "script").open() as script, (tmp_path / "out").open("wb") as out:
        done = subprocess.run([sys.executable, *COMMAND], stdin=script, stdout=out, timeout=50)
    assert done.returncode == 0
    # Nobody's terminal: what the shell printed, byte for byte.
    assert b"\x1b]2;title\x07" in (tmp_path / "out").read_bytes()


def test_no_input_at_all(world: World) -> None:
    done = subprocess.run(
        [sys.executable, *COMMAND], stdin=subprocess.DEVNULL, capture_output=True, timeout=50
    )
    assert done.returncode == 0


def test_a_reader_that_leaves_ends_the_session(world: World) -> None:
    command = f"{sys.executable} {' '.join(COMMAND)} | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], input=b"many 200000\n", capture_output=True, timeout=50
    )
    assert done.returncode == 128 + signal.SIGPIPE
    assert world.asked[-1].method == "DELETE"


def test_a_large_output_arrives_whole(world: World) -> None:
    done = piped(b"many 3000000\nexit\n")
    assert len(done.stdout) == 3_000_000 + len(b"$ many 3000000\r\n$ exit\r\n")


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ('{"port": ["22"], "one": "x"}', {"port": ["22"], "one": ["x"]}),
        ("port=22,23", {"port": ["22", "23"]}),
    ],
)
def test_parameters_as_the_aws_cli_takes_them(
    given: str, sent: dict[str, list[str]], world: World
) -> None:
    assert piped(b"exit\n", "--parameters", given, "--document", "My-Doc").returncode == 0
    assert world.asked[0].body["Parameters"] == sent
    assert world.asked[0].body["DocumentName"] == "My-Doc"


@pytest.mark.parametrize("given", ["{", "novalue", '{"a": [1]}'])
def test_parameters_that_are_none_are_refused_before_anything_is_asked(
    given: str, world: World
) -> None:
    assert piped(b"", "--parameters", given).returncode == apart(Exit.USAGE)
    assert world.asked == []


class Ender:
    """The people API, as far as it ends sessions."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def terminate(self, session_id: str) -> None:
        self.ended.append(session_id)


@pytest.mark.parametrize(
    ("error", "ends"),
    [(ChannelFailed("The node did not begin."), True), (TakenOver(), False)],
)
def test_a_session_that_failed_is_ended_and_one_that_another_client_has_is_not(
    error: HatchwayError, ends: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    service, started = Ender(), Started(session_id=SESSION, stream_url="wss://x", token="t")
    outcome = Outcome(ended=Ended(None, "", error))
    assert start_session._conclude(cast(Hatchway, service), started, outcome, quiet=False) == apart(
        error.exit
    )
    assert service.ended == ([SESSION] if ends else [])
    said = capsys.readouterr().err
    assert f"Session {SESSION} was left." in said
    assert error.message in said


def test_a_refused_start_prints_nothing_on_standard_output(world: World) -> None:
    refusal = {"__type": "TargetNotConnected", "message": "The node's agent is not connected."}
    world.answers[f"POST /nodes/{NODE}/sessions"] = (409, refusal)
    done = piped(b"exit\n")
    assert done.returncode == apart(Exit.NOT_CONNECTED)
    assert done.stdout == b""
    assert done.stderr.decode().startswith(
        "hatchway: TargetNotConnected: The node's agent is not connected. (request id request-1)\n"
    )
