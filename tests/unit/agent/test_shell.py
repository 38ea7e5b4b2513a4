"""The shell runner on real terminals of this machine."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.ports import Client, StartFailed
from agent.process.account import Account, account
from agent.process.environment import PATH, environment
from agent.process.launch import Launch
from agent.process.processes import members
from agent.runners import leader
from agent.runners.shell import MAX_FED, ShellRunner
from agent.terminal.posix import spawn


class FakeScreen:
    """Collects what the runner tells; wakes who waits for it."""

    def __init__(self) -> None:
        self.text = b""
        self.taken = 0
        self.code: int | None = None
        self.runner: ShellRunner | None = None
        self._changed = asyncio.Event()

    def output(self, data: bytes, *, error: bool = False) -> None:
        assert not error, "a terminal has one output"
        self.text += data
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

    async def says(self, text: bytes) -> None:
        await self.until(lambda: text in self.text)


def someone() -> Account:
    return account("nobody" if os.geteuid() == 0 else "")


def launch_of(*command: str) -> Launch:
    user = someone()
    return Launch(account=user, command=command, environment=environment(user, {}, {}))


@asynccontextmanager
async def running(
    *command: str, size: tuple[int, int] | None = None, allowed: int = 1 << 20
) -> AsyncIterator[tuple[ShellRunner, FakeScreen]]:
    screen = FakeScreen()
    runner = ShellRunner(lambda asked, _: spawn(launch_of(*command), asked))
    if size:
        runner.resize(*size)
    runner.allow(allowed)
    runner.start(screen, Client())
    try:
        yield runner, screen
    finally:
        await runner.close()


def pid_of(runner: ShellRunner) -> int:
    assert runner._running is not None
    return runner._running._terminal.processes.pid


async def test_output_comes_before_the_exit_code() -> None:
    async with running("/bin/sh", "-c", "seq 20000; exit 7") as (_, screen):
        await screen.until(lambda: screen.code is not None)
        assert screen.code == 7
        assert screen.text.split(b"\r\n")[-2] == b"20000"


async def test_a_signal_that_ends_the_leader_is_128_plus_its_number() -> None:
    async with running("/bin/sh", "-c", "kill -TERM $$") as (_, screen):
        await screen.until(lambda: screen.code is not None)
        assert screen.code == 143


async def test_the_shell_has_a_controlling_terminal_and_job_control() -> None:
    async with running("/bin/sh", "-i") as (runner, screen):
        runner.feed(b"ps -o tpgid= -p $$ >/dev/null; (: </dev/tty) && echo controlling-$((40+2))\r")
        await screen.says(b"controlling-42")
        assert b"job control turned off" not in screen.text


async def test_ctrl_c_stops_the_foreground_job_and_not_the_shell() -> None:
    async with running("/bin/sh", "-i") as (runner, screen):
        # The job itself says that it runs: it is in the foreground then.
        runner.feed(b"sh -c 'echo rea\"\"dy; exec sleep 1000'\r")
        await screen.says(b"ready\r\n")
        runner.feed(b"\x03")
        runner.feed(b"echo st''ill here\r")
        await screen.says(b"still here")
        assert screen.code is None


async def test_ctrl_c_works_where_the_agent_itself_ignores_interrupts(tmp_path: Path) -> None:
    """As it is for a process that a shell started in the background, or nohup."""
    script = tmp_path / "ignoring.py"
    script.write_text(
        "import os, signal\n"
        "from agent.process.account import account\n"
        "from agent.process.environment import environment\n"
        "from agent.process.launch import Launch\n"
        "from agent.terminal.posix import spawn\n"
        "user = account('nobody' if os.geteuid() == 0 else '')\n"
        "look = 'grep -E \"Sig(Ign|Blk)\" /proc/self/status'\n"
        "run = ('/bin/sh', '-c', look)\n"
        "launch = Launch(account=user, command=run, environment=environment(user, {}, {}))\n"
        "terminal = spawn(launch, None)\n"
        "terminal.processes.reap()\n"
        "print(terminal.read(4096).decode())\n"
    )
    run = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", f"trap '' INT QUIT TSTP HUP; exec {sys.executable} {script}"),
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "PATH": PATH},
    )
    lines = (await run.communicate())[0].decode().splitlines()
    masks = [int(line.split()[1], 16) for line in lines if ":" in line]
    # 32 and 33 are the C library's own, which it ignores in what posix_spawn starts.
    assert [mask & (1 << 31) - 1 for mask in masks] == [0, 0]


async def test_the_size_is_there_from_the_start_and_follows() -> None:
    async with running("/bin/sh", "-i", size=(123, 45)) as (runner, screen):
        runner.feed(b"stty size\r")
        await screen.says(b"45 123")
        runner.resize(80, 24)
        runner.feed(b"stty size\r")
        await screen.says(b"24 80")


async def test_nothing_of_the_agents_environment_reaches_the_shell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with running("/usr/bin/env") as (_, screen):
        await screen.until(lambda: screen.code is not None)
        names = {line.split(b"=")[0].decode() for line in screen.text.split(b"\r\n") if line}
        # A shell in between adds PWD and the like by itself.
        assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == set(environment(someone(), {}, {}))


async def test_only_standard_descriptors_are_open() -> None:
    leaked = os.open("/dev/null", os.O_RDONLY)
    os.dup2(leaked, 57, inheritable=True)
    try:
        async with running("/bin/ls", "/proc/self/fd") as (_, screen):
            await screen.until(lambda: screen.code is not None)
            # The fourth is the directory that ls reads.
            assert screen.text.split() == [b"0", b"1", b"2", b"3"]
    finally:
        os.close(57)
        os.close(leaked)


async def test_no_more_is_read_than_is_allowed() -> None:
    async with running("/usr/bin/yes", allowed=1000) as (runner, screen):
        await screen.until(lambda: len(screen.text) == 1000)
        runner.allow(0)
        runner.allow(500)
        await screen.until(lambda: len(screen.text) == 1500)


async def test_the_exit_waits_until_the_output_may_be_read() -> None:
    async with running("/bin/echo", "hello", allowed=0) as (runner, screen):
        pid, ended = pid_of(runner), asyncio.Event()
        leader.watch(pid, ended.set)
        async with asyncio.timeout(20):
            await ended.wait()
        assert screen.code is None
        runner.allow(100)
        await screen.until(lambda: screen.code is not None)
        assert screen.text == b"hello\r\n"


async def test_what_the_terminal_does_not_take_waits_and_is_credited_when_taken() -> None:
    async with running("/bin/sh", "-c", "stty raw -echo; echo go; sleep 0.2; wc -c") as (
        runner,
        screen,
    ):
        await screen.says(b"go")
        runner.feed(b"x" * MAX_FED)
        await screen.until(lambda: screen.taken == MAX_FED)


async def test_more_input_than_there_is_credit_for_is_refused() -> None:
    async with running("/bin/sleep", "100") as (runner, _):
        with pytest.raises(StartFailed):
            runner.feed(b"x" * (MAX_FED + 1))


async def test_kill_ends_every_process_of_the_session_even_those_that_ignore_hang_ups() -> None:
    stubborn = "trap '' HUP; set -m; sleep 1000 & sh -c 'trap \"\" HUP; sleep 1000' & echo up; wait"
    async with running("/bin/sh", "-c", stubborn) as (runner, screen):
        await screen.says(b"up")
        pid = pid_of(runner)
        assert len(list(members(pid))) >= 3
        await runner.kill()
        assert list(members(pid)) == []
        await screen.until(lambda: screen.code is not None)
        assert screen.code == 137


async def test_a_background_job_that_holds_the_terminal_does_not_keep_the_session_open() -> None:
    async with running("/bin/sh", "-c", "sleep 1000 & exit 3") as (runner, screen):
        await screen.until(lambda: screen.code is not None)
        assert screen.code == 3
        await runner.kill()
        assert list(members(pid_of(runner))) == []


async def test_closing_a_running_shell_ends_it() -> None:
    async with running("/bin/sleep", "1000") as (runner, screen):
        pid = pid_of(runner)
    assert list(members(pid)) == []
    assert screen.code is None


async def test_a_command_that_does_not_exist_exits_with_127() -> None:
    async with running("/nonexistent") as (_, screen):
        await screen.until(lambda: screen.code is not None)
        assert screen.code == 127


async def test_kernels_without_pidfd_are_served_by_a_thread() -> None:
    terminal = spawn(launch_of("/bin/true"), None)
    ended = asyncio.Event()
    waiter = leader.Waiter(terminal.processes.pid, ended.set)
    async with asyncio.timeout(20):
        await ended.wait()
    waiter.close()
    assert terminal.processes.status() == 0
    terminal.close()
    terminal.processes.reap()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
class TestRoot:
    def test_root_must_say_who_sessions_run_as(self) -> None:
        with pytest.raises(StartFailed):
            account("")

    def test_an_unknown_user_is_refused(self) -> None:
        with pytest.raises(StartFailed):
            account("no-such-user-here")

    async def test_the_shell_runs_as_that_user_with_its_groups_only(self) -> None:
        async with running("/usr/bin/id") as (_, screen):
            await screen.until(lambda: screen.code is not None)
            assert b"(nobody)" in screen.text
            assert b"(root)" not in screen.text


# --- what stands before the client's own ---------------------------------------------------------


@asynccontextmanager
async def greeted(
    shell: str, *, greeting: bytes = b"", profile: bytes = b"", allowed: int = 1 << 20
) -> AsyncIterator[tuple[ShellRunner, FakeScreen]]:
    screen = FakeScreen()
    runner = ShellRunner(
        lambda asked, _: spawn(launch_of(shell), asked), greeting=greeting, profile=profile
    )
    runner.allow(allowed)
    runner.start(screen, Client())
    try:
        yield runner, screen
    finally:
        await runner.close()


async def test_the_greeting_is_the_first_output_and_no_more_of_it_is_shown_than_allowed() -> None:
    async with greeted("/bin/sh", greeting=b"welcome\r\n", allowed=3) as (runner, screen):
        assert screen.text == b"wel"
        runner.allow(2)
        assert screen.text == b"welco"
        runner.allow(1 << 16)
        await screen.until(lambda: screen.text.startswith(b"welcome\r\n") and len(screen.text) > 9)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
async def test_the_profile_is_typed_before_what_the_client_types(shell: str) -> None:
    profile = b"cd /usr\nkept=yes\nhello() { echo hel''lo $kept; }\n"
    async with greeted(shell, profile=profile) as (runner, screen):
        runner.feed(b"hello; pwd; echo en''d\r")
        await screen.says(b"end\r\n")
    assert b"hello yes\r\n" in screen.text
    assert b"/usr\r\n" in screen.text


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
async def test_a_profile_may_put_another_shell_in_the_place_of_this_one(shell: str) -> None:
    async with greeted(shell, profile=b"exec bash\ncd /usr\n") as (runner, screen):
        runner.feed(b"pwd; echo ba''sh ${BASH_VERSION:+yes}\r")
        await screen.says(b"bash yes\r\n")
    assert b"/usr\r\n" in screen.text


async def test_a_shell_that_shows_nothing_gets_its_profile_after_a_moment() -> None:
    async with greeted("/bin/cat", profile=b"typed\n") as (_, screen):
        await screen.says(b"typed\r\ntyped\r\n")


async def test_the_profile_costs_the_client_no_credit() -> None:
    async with greeted("/bin/cat", profile=b"p" * 3000 + b"\n") as (runner, screen):
        runner.feed(b"x" * 100 + b"\n")
        await screen.until(lambda: screen.taken == 101 and screen.text.count(b"x") == 200)
        assert screen.text.count(b"p") == 6000
        assert screen.taken == 101
