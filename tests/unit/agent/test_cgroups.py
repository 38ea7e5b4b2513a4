"""Control groups of this machine's kernel: whole sessions end, daemons included."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.process import cgroups
from agent.process.account import account
from agent.process.cgroups import Cgroup, Tree
from agent.process.environment import environment
from agent.process.launch import Launch
from agent.process.processes import members
from agent.terminal import pipes
from agent.terminal.pipes import Piped

NODE = f"i-{secrets.token_hex(8)}0"
SESSION, OTHER = "john-0123456789abcdef0", "mary-0123456789abcdef1"
#: Leaves its process session twice, ignores what asks it to end, and says its number.
DAEMON = (
    'setsid sh -c \'trap "" HUP TERM; setsid sh -c "trap \\"\\" HUP TERM; '
    "echo \\$\\$ >{file}; while :; do sleep 1000; done\" & ' & wait; echo started"
)


@pytest.fixture
def tree() -> Iterator[Tree]:
    found = cgroups.tree(NODE)
    if found is None:
        pytest.skip("this machine has no control groups (v2) that can be written")
    yield found
    for path in found._left():
        Cgroup(path).strike()
    found.remove()


Starting = Callable[[str, Cgroup | None], Piped]


@pytest.fixture
def started() -> Iterator[Starting]:
    """Starts commands in a group or without one; also a failing test leaves none behind."""
    made: list[Piped] = []

    def start(text: str, group: Cgroup | None) -> Piped:
        user = account("nobody" if os.geteuid() == 0 else "")
        launch = Launch(
            account=user,
            command=("/bin/sh", "-c", text),
            environment=environment(user, {}, {}),
            cgroup=group,
        )
        made.append(pipes.spawn(launch, apart=False))
        return made[-1]

    yield start
    for one in made:
        one.processes.signal(signal.SIGKILL)
        one.processes.reap()
        one.close()


async def written(file: Path) -> int:
    """The number in the file, once it is there."""
    async with asyncio.timeout(20):
        while not (text := _read(file)):  # another process writes it
            await asyncio.sleep(0.01)
    return int(text)


def _read(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""


def alive(pid: int) -> bool:
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.fixture
def shared() -> Iterator[Path]:
    """A directory that sessions may write to. Not pytest's own, whose parents only the account
    that runs the tests may enter, and are more of them where there are several workers."""
    with tempfile.TemporaryDirectory(prefix="hatchway-shared-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


async def test_all_that_a_session_starts_is_in_its_group_and_ends_with_it(
    tree: Tree, shared: Path, started: Starting
) -> None:
    group = tree.make(SESSION)
    made = started(DAEMON.format(file=shared / "pid"), group)
    daemon = await written(shared / "pid")
    assert daemon not in members(made.processes.pid), "it has left the process session"
    assert daemon in made.processes.alive()
    assert made.processes.contained
    assert await made.processes.end()
    assert not alive(daemon)
    assert not group.path.exists()


async def test_without_a_group_what_called_setsid_escapes(shared: Path, started: Starting) -> None:
    """The limit of the fallback, which the operator's page tells."""
    made = started(DAEMON.format(file=shared / "pid"), None)
    daemon = await written(shared / "pid")
    assert await made.processes.end()
    assert alive(daemon)
    os.killpg(daemon, 9)


async def test_a_session_that_ends_by_itself_takes_its_group_away(
    tree: Tree, started: Starting
) -> None:
    group = tree.make(SESSION)
    made = started("exit 3", group)
    async with asyncio.timeout(20):
        while made.processes.status() is None:  # the kernel's news
            await asyncio.sleep(0.01)
    assert await made.processes.end()
    assert made.processes.status() == 3
    assert not group.path.exists()


async def test_ending_one_session_leaves_the_others(tree: Tree, started: Starting) -> None:
    first, second = (started("exec sleep 1000", tree.make(name)) for name in (SESSION, OTHER))
    assert await first.processes.end()
    assert second.processes.alive() == {second.processes.pid}
    assert await second.processes.end()


async def test_a_new_agent_ends_what_an_earlier_one_left(
    tree: Tree, shared: Path, started: Starting
) -> None:
    started(DAEMON.format(file=shared / "pid"), tree.make(SESSION))
    daemon = await written(shared / "pid")
    (tree.make(OTHER).path / "below").mkdir()
    again = cgroups.tree(NODE)
    assert again is not None
    assert await again.clear() == 2
    assert not alive(daemon)
    assert await again.clear() == 0


async def test_a_kernel_without_cgroup_kill_is_served_by_freezing(
    tree: Tree, shared: Path, started: Starting
) -> None:
    made = started("while :; do sleep 1000 & done", tree.make(SESSION))
    group = Unkillable(tree.make(SESSION).path)
    async with asyncio.timeout(20):
        while len(group.pids()) < 20:  # it forks as fast as it can
            await asyncio.sleep(0.01)
    assert await group.kill()
    assert made.processes.alive() == set()


class Unkillable(Cgroup):
    """Where writing `cgroup.kill` fails, as it does where the kernel has none."""

    def _strike(self) -> None:
        self._strike_frozen()


async def test_a_group_that_is_gone_does_not_keep_a_session_from_starting(
    tree: Tree, started: Starting
) -> None:
    group = tree.make(SESSION)
    group.path.rmdir()
    made = started("sleep 1000", group)
    assert not made.processes.contained
    assert await made.processes.end()


def test_a_start_that_fails_leaves_no_group(tree: Tree) -> None:
    from agent.ports import StartFailed

    group = tree.make(SESSION)
    user = account("nobody" if os.geteuid() == 0 else "")
    launch = Launch(
        account=user, command=("/bin/true",), environment={}, limits={"odd": 1}, cgroup=group
    )
    with pytest.raises(StartFailed):
        pipes.spawn(launch, apart=False)
    assert not group.path.exists()


def test_an_agent_that_may_not_make_groups_has_none(tmp_path: Path) -> None:
    assert cgroups.tree(NODE, own=tmp_path / "nothing" / "here") is None or os.geteuid() == 0
    file = tmp_path / "file"
    file.touch()
    assert cgroups.tree(NODE, own=file) is None
    assert cgroups.tree(NODE, own=tmp_path) is None, "a directory that is no control group"


def test_the_agents_own_group_is_where_the_kernel_says() -> None:
    own = cgroups.own_group()
    if own is None:
        pytest.skip("this machine has no control groups (v2)")
    assert str(os.getpid()) in (own / "cgroup.procs").read_text().split()
