"""Commands without a terminal: three pipes, bounded both ways, signals, and the exit status."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.log import Log
from agent.order import Order
from agent.ports import Client, Runner, StartFailed
from agent.process.account import Account, account
from agent.process.environment import environment
from agent.process.launch import Launch
from agent.process.processes import members
from agent.runners import leader
from agent.runners.choosing import Runners
from agent.runners.command import MAX_FED, PREFIXED, CommandRunner, Prefixes
from agent.runners.shell import ShellRunner
from agent.terminal import pipes
from hatchway.core import documents

OURS, ORIGINAL = Client(), Client(extended=False)


class FakeScreen:
    """Collects what the runner tells, each stream and all in order; wakes who waits."""

    def __init__(self) -> None:
        self.out = self.err = self.all = b""
        self.taken = 0
        self.code: int | None = None
        self._changed = asyncio.Event()

    def output(self, data: bytes, *, error: bool = False) -> None:
        if error:
            self.err += data
        else:
            self.out += data
        self.all += data
        self._changed.set()

    def consumed(self, size: int, *, echo: bool = True) -> None:
        self.taken += size
        self._changed.set()

    def exited(self, code: int) -> None:
        assert self.code is None, "told twice"
        self.code = code
        self._changed.set()

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not ready():
                self._changed.clear()
                await self._changed.wait()

    async def ended(self) -> int:
        await self.until(lambda: self.code is not None)
        assert self.code is not None
        return self.code


def someone() -> Account:
    return account("nobody" if os.geteuid() == 0 else "")


@asynccontextmanager
async def running(
    text: str,
    client: Client = OURS,
    *,
    allowed: int = 1 << 24,
    separate: bool = False,
    prefixes: Prefixes | None = None,
) -> AsyncIterator[tuple[CommandRunner, FakeScreen]]:
    user, screen = someone(), FakeScreen()
    run = ("/bin/sh", "-c", text)

    def spawn(_: Client, apart: bool) -> pipes.Piped:
        variables = environment(user, {}, {})
        launch = Launch(account=user, command=run, environment=variables)
        return pipes.spawn(launch, apart=apart)

    runner = CommandRunner(spawn, separate=separate, prefixes=prefixes)
    runner.allow(allowed)
    runner.start(screen, client)
    try:
        yield runner, screen
    finally:
        await runner.close()


def pid_of(runner: CommandRunner) -> int:
    assert runner._running is not None
    return runner._running._piped.processes.pid


# --- streams ------------------------------------------------------------------------------------


async def test_output_and_standard_error_are_apart_and_before_the_exit_status() -> None:
    async with running("echo out; echo err >&2; seq 20000; exit 7") as (_, screen):
        assert await screen.ended() == 7
        assert screen.out == b"out\n" + b"".join(b"%d\n" % n for n in range(1, 20001))
        assert screen.err == b"err\n"


async def test_bytes_go_through_as_they_are_and_the_end_of_input_is_read() -> None:
    data = os.urandom(1 << 20)
    async with running("cat") as (runner, screen):
        at = 0
        while at < len(data):
            await screen.until(lambda sent=at: screen.taken == sent)  # type: ignore[misc]
            runner.feed(data[at : at + 100_000])
            at += 100_000
        runner.end_input()
        assert await screen.ended() == 0
        assert screen.out == data


async def test_the_end_of_input_waits_for_what_was_fed_before() -> None:
    async with running("sleep 0.2; wc -c") as (runner, screen):
        runner.feed(b"x" * MAX_FED)
        runner.end_input()
        assert await screen.ended() == 0
        assert screen.out.strip() == b"%d" % MAX_FED


async def test_there_is_no_terminal() -> None:
    async with running("test -t 0 || test -t 1 || test -t 2 || (: </dev/tty)") as (_, screen):
        assert await screen.ended() != 0


async def test_input_that_nobody_reads_counts_as_taken_and_does_no_harm() -> None:
    async with running("exec <&-; echo closed; sleep 0.3; exit 3") as (runner, screen):
        await screen.until(lambda: screen.out == b"closed\n")
        runner.feed(b"x" * 100_000)
        await screen.until(lambda: screen.taken == 100_000)
        runner.feed(b"y")
        await screen.until(lambda: screen.taken == 100_001)
        runner.end_input()
        assert await screen.ended() == 3


async def test_more_input_than_there_is_credit_for_is_refused() -> None:
    async with running("sleep 100") as (runner, _):
        with pytest.raises(StartFailed):
            runner.feed(b"x" * (MAX_FED + 1))


async def test_no_more_is_read_than_is_allowed_of_both_streams_together() -> None:
    async with running("yes & yes >&2", allowed=5000) as (runner, screen):
        await screen.until(lambda: len(screen.all) == 5000)
        runner.allow(0)
        runner.allow(700)
        await screen.until(lambda: len(screen.all) == 5700)


async def test_the_exit_waits_until_the_output_may_be_read() -> None:
    async with running("echo hello", allowed=0) as (runner, screen):
        ended = asyncio.Event()
        leader.watch(pid_of(runner), ended.set)
        async with asyncio.timeout(20):
            await ended.wait()
        assert screen.code is None
        runner.allow(100)
        assert await screen.ended() == 0
        assert screen.out == b"hello\n"


# --- clients of the original --------------------------------------------------------------------


async def test_a_client_that_knows_one_stream_gets_both_in_their_order() -> None:
    async with running("for n in 1 2 3; do echo $n; echo $n >&2; done", ORIGINAL) as (_, screen):
        assert await screen.ended() == 0
        assert screen.out == b"1\n1\n2\n2\n3\n3\n"
        assert screen.err == b""


async def test_a_document_may_ask_for_them_apart_with_prefixes_for_such_clients() -> None:
    marks = Prefixes(b"OUT:", b"ERR:")
    text = "printf one; sleep 0.1; echo two; sleep 0.1; echo three; echo bad >&2"
    async with running(text, ORIGINAL, separate=True, prefixes=marks) as (_, screen):
        assert await screen.ended() == 0
        # As in the original: a piece that goes on with a line has none.
        assert screen.out == b"OUT:onetwo\nOUT:three\n"
        assert screen.err == b"ERR:bad\n"


async def test_a_prefixed_piece_is_no_longer_than_the_originals_messages() -> None:
    marks = Prefixes(b"OUT:", b"ERR:")
    sizes: list[int] = []
    async with running("head -c 5000 /dev/zero", ORIGINAL, separate=True, prefixes=marks) as (
        _,
        screen,
    ):
        take = screen.output

        def measured(data: bytes, *, error: bool = False) -> None:
            sizes.append(len(data))
            take(data, error=error)

        screen.output = measured  # type: ignore[method-assign]
        assert await screen.ended() == 0
    assert screen.out == b"OUT:" + bytes(5000)
    assert max(sizes) <= PREFIXED


async def test_our_own_clients_get_no_prefixes() -> None:
    async with running("echo x", separate=True, prefixes=Prefixes(b"O:", b"E:")) as (_, screen):
        assert await screen.ended() == 0
        assert screen.out == b"x\n"


# --- ends ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_reaches_the_whole_process_group_and_its_status_is_128_more(
    number: signal.Signals,
) -> None:
    async with running("sh -c 'echo up; exec sleep 1000' | cat; echo never") as (runner, screen):
        await screen.until(lambda: screen.out == b"up\n")
        pid = pid_of(runner)
        runner.interrupt(number)
        assert await screen.ended() == 128 + number
        assert screen.out == b"up\n"
        async with asyncio.timeout(20):  # the leader's end is told before the others are gone
            while list(members(pid)):
                await asyncio.sleep(0.01)


async def test_a_command_may_handle_a_signal() -> None:
    text = "trap 'echo caught; exit 9' TERM; echo up; while :; do sleep 0.05; done"
    async with running(text) as (runner, screen):
        await screen.until(lambda: screen.out == b"up\n")
        runner.interrupt(signal.SIGTERM)
        assert await screen.ended() == 9
        assert screen.out == b"up\ncaught\n"


async def test_a_command_that_does_not_exist_is_127() -> None:
    async with running("no-such-command-here") as (_, screen):
        assert await screen.ended() == 127
        assert b"not found" in screen.err


async def test_what_runs_in_the_background_does_not_keep_the_session_open() -> None:
    async with running("sleep 1000 & echo $!; exit 4") as (runner, screen):
        assert await screen.ended() == 4
        await runner.kill()
        assert list(members(pid_of(runner))) == []


async def test_kill_ends_what_ignores_hang_ups() -> None:
    async with running("trap '' HUP; sleep 1000 & echo up; wait") as (runner, screen):
        await screen.until(lambda: screen.out == b"up\n")
        await runner.kill()
        assert await screen.ended() == 137


async def test_a_signal_reaches_the_leader_before_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else the shell sees its children end, and ends with a status of its own."""
    text = "for i in $(seq 40); do sleep 1000 & done; echo up; wait"
    async with running(text) as (runner, screen):
        await screen.until(lambda: screen.out == b"up\n")
        assert runner._running is not None
        told: list[int] = []
        with monkeypatch.context() as patch:
            patch.setattr(os, "kill", lambda pid, _: told.append(pid))
            runner._running._piped.processes.signal(signal.SIGTERM)
        assert told[0] == pid_of(runner)
        assert len(told) == 41


async def test_closing_ends_a_running_command_and_lets_every_pipe_go() -> None:
    before = pipes_open()
    async with running("sleep 1000") as (runner, _):
        runner.feed(b"x" * MAX_FED)
        pid = pid_of(runner)
        assert pipes_open() == before + 3
    assert list(members(pid)) == []
    assert pipes_open() == before


def pipes_open() -> int:
    links = [_target(link) for link in Path("/proc/self/fd").iterdir()]
    return sum(target.startswith("pipe:") for target in links)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # the directory's own, closed by now
        return ""


async def test_a_command_that_cannot_be_started_leaves_no_pipe() -> None:
    before = pipes_open()
    impossible = Launch(
        account=someone(), command=("/bin/true",), environment={}, limits={"nofile": 1 << 62}
    )
    with pytest.raises(StartFailed):
        pipes.spawn(impossible, apart=True)
    assert pipes_open() == before


# --- what a document asks for -------------------------------------------------------------------


def resolved(name: str, text: str) -> documents.Document:
    return documents.read(documents.resolve(name, {"command": [text]}))


def runner_of(document: documents.Document) -> Runner:
    return Runners("", None, Log()).of(Order(session="s", document=document), someone())


async def test_a_document_without_terminal_runs_its_command_with_pipes() -> None:
    found = resolved("AWS-StartNonInteractiveCommand", 'printf \'%s|\' "$TERM" "$LANG"; exit 3')
    runner, screen = runner_of(found), FakeScreen()
    assert isinstance(runner, CommandRunner)
    runner.allow(1000)
    runner.start(screen, Client(environment={"TERM": "vt100", "LANG": "C"}))
    assert await screen.ended() == 3
    assert screen.out in (b"|C|", b"dumb|C|"), "no terminal, the client's language"
    await runner.close()


async def test_an_interactive_document_runs_its_command_in_a_terminal() -> None:
    found = resolved("AWS-StartInteractiveCommand", "test -t 0 && echo $TERM; exit 3")
    runner, screen = runner_of(found), FakeScreen()
    assert isinstance(runner, ShellRunner)
    runner.allow(1000)
    runner.start(screen, Client(environment={"TERM": "vt100"}))
    assert await screen.ended() == 3
    assert screen.out == b"vt100\r\n"
    await runner.close()


async def test_a_signal_to_a_terminal_reaches_its_foreground_job() -> None:
    text = "trap 'echo caught; exit 9' TERM; echo up; while :; do sleep 0.05; done"
    found = resolved("AWS-StartInteractiveCommand", text)
    runner, screen = runner_of(found), FakeScreen()
    runner.allow(1000)
    runner.start(screen, OURS)
    await screen.until(lambda: b"up" in screen.out)
    runner.interrupt(signal.SIGTERM)
    assert await screen.ended() == 9
    assert b"caught" in screen.out
    await runner.close()


async def test_an_end_of_input_is_typed_at_a_terminal() -> None:
    found = resolved("AWS-StartInteractiveCommand", "cat; echo over")
    runner, screen = runner_of(found), FakeScreen()
    runner.allow(1000)
    runner.start(screen, OURS)
    runner.feed(b"no line end")
    runner.end_input()
    assert await screen.ended() == 0
    assert screen.out.endswith(b"over\r\n")
    await runner.close()
