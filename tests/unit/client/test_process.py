"""A command from synchronous Python: input, both outputs, signals, the exit code, a sure end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatchway.client import Hatchway, Output, Process
from hatchway.client.command_line import command_parameters
from hatchway.core.errors import TargetNotConnected, ValidationException
from hatchway.core.wire import FlagValue
from tests.unit.client.node import LittleCommand
from tests.unit.client.world import NODE, World

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    with World(tmp_path) as world:
        world.shell = LittleCommand(5, b"err", output=b"out")
        yield world


def run(world: World, *command: str) -> Process:
    return Hatchway(world.settings).run(NODE, command or ("cat",))


def ended_at_the_service(world: World) -> bool:
    return any(asked.method == "DELETE" for asked in world.asked)


def test_communicate_gives_both_outputs_and_the_code_byte_for_byte(world: World) -> None:
    data = os.urandom(200_000)
    with run(world) as command:
        done = command.communicate(data)
    assert (done.stdout, done.stderr, done.exit_code) == (b"out" + data, b"err", 5)
    assert not ended_at_the_service(world)


def test_a_conversation_reads_pieces_as_they_come(world: World) -> None:
    with run(world) as command:
        pieces = iter(command)
        assert {next(pieces), next(pieces)} == {Output(b"out", False), Output(b"err", True)}
        command.write(b"ping")
        assert next(pieces) == Output(b"ping", False)
        command.end_input()
        assert list(pieces) == []
        assert command.exit_code == command.wait() == 5


def test_a_signal_reaches_the_command(world: World) -> None:
    with run(world) as command:
        assert not command.signal(signal.SIGKILL), "only those that are named"
        assert command.signal(signal.SIGTERM)
        assert command.wait() == 143


def test_leaving_the_block_early_ends_the_command(world: World) -> None:
    with run(world) as command:
        assert command.exit_code is None
    assert ended_at_the_service(world)


class Endless(LittleCommand):
    """Goes on after the end of its input."""

    def flagged(self, value: FlagValue) -> int | None:
        return super().flagged(value) if value.signal else None


def test_a_late_command_is_a_timeout_and_may_go_on(world: World) -> None:
    world.shell = command_line = Endless()
    with run(world) as command:
        with pytest.raises(TimeoutError):
            command.communicate(b"x", timeout=0.05)
        assert command.signal(signal.SIGTERM)
        assert command.wait() == 143
    assert command_line.signals == [signal.SIGTERM]


def test_a_refused_start_is_the_services_error(world: World) -> None:
    refusal = {"__type": "TargetNotConnected", "message": "no"}
    world.answers[f"POST /nodes/{NODE}/sessions"] = (409, refusal)
    with pytest.raises(TargetNotConnected):
        run(world)


@pytest.mark.parametrize("command", [(), "uname -a", ("a\0b",), ("-x",)])
def test_a_command_is_words(world: World, command: tuple[str, ...] | str) -> None:
    with pytest.raises(ValidationException):
        Hatchway(world.settings).run(NODE, command)
    assert world.asked == []


def test_the_nodes_shell_gives_way_so_that_a_program_may_handle_a_signal_to_its_group() -> None:
    program = "trap 'echo caught; exit 9' TERM; echo up; while :; do sleep 0.05; done"
    (text,) = command_parameters(["sh", "-c", program])["command"]
    with subprocess.Popen(
        ["/bin/sh", "-c", text], stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        os.killpg(child.pid, signal.SIGTERM)
        assert child.stdout.read() == b"caught\n"
        assert child.wait() == 9


def test_no_word_is_an_assignment_or_the_shells_own() -> None:
    for words in (["A=b", "true"], ["if", "true"], ["!", "true"]):
        (text,) = command_parameters(words)["command"]
        assert subprocess.run(["/bin/sh", "-c", text], capture_output=True).returncode == 127
