"""A control group (v2) for each session: all that it starts is in it, and is killed as a whole.

Below the agent's own group, `hatchway/<node>/<17 hex digits>`: under systemd that needs
`Delegate=yes`. No controller is switched on: the groups only hold processes together.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from hatchway.core.names import session_suffix

ROOT = "hatchway"
#: Seconds between looks at a group that is being killed, and how many looks.
POLL = 0.02
ROUNDS = 150
#: Groups left by an earlier agent that are looked at, and bytes read of a list of processes.
MAX_LEFT = 2000
MAX_LIST = 4 * 1024 * 1024


class Cgroup:
    """One session's group, which exists as a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, pid: int) -> None:
        """Puts a process into the group; what it starts from then on is in it too. OSError."""
        _write(self.path / "cgroup.procs", str(pid))

    def pids(self) -> list[int]:
        """The processes in it and below, zombies left out; none where it is gone."""
        return [pid for folder in self._folders() for pid in _pids(folder)]

    async def kill(self) -> bool:
        """SIGKILL to all of it, also to what is started meanwhile; whether nothing is left. The
        group is removed with the last of it."""
        for _ in range(ROUNDS):
            if self.strike():
                return True
            await asyncio.sleep(POLL)
        return False

    def strike(self) -> bool:
        """The same at once, without waiting for what takes time to die."""
        self._strike()
        return self._remove()

    def _strike(self) -> None:
        try:
            _write(self.path / "cgroup.kill", "1")
        except OSError:
            self._strike_frozen()

    def _strike_frozen(self) -> None:
        """Before Linux 5.14: nothing of it can fork while it is frozen."""
        with contextlib.suppress(OSError):
            _write(self.path / "cgroup.freeze", "1")
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            _write(self.path / "cgroup.freeze", "0")

    def _remove(self) -> bool:
        """Whether it is gone: only an empty group can be removed."""
        for folder in sorted(self._folders(), key=lambda each: len(each.parts), reverse=True):
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                return False
        return True

    def _folders(self) -> list[Path]:
        """The group's directory and those that were made below it."""
        return [Path(folder) for folder, _, _ in os.walk(self.path)]


class Tree:
    """The groups of one agent's sessions."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self, session: str) -> Cgroup:
        """A group for the session, empty. OSError where it cannot be had."""
        path = self._path / session_suffix(session)
        path.mkdir(parents=True, exist_ok=True)
        return Cgroup(path)

    async def clear(self) -> int:
        """Ends what an earlier agent left: its sessions are over, whatever runs on. How many
        groups there were."""
        left = list(self._left())
        await asyncio.gather(*(Cgroup(path).kill() for path in left))
        return len(left)

    def remove(self) -> None:
        """Takes the empty tree away."""
        for path in (self._path, self._path.parent):
            with contextlib.suppress(OSError):
                path.rmdir()

    def _left(self) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(self._path), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries[:MAX_LEFT]:
            if entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def tree(node: str, own: Path | None = None) -> Tree | None:
    """The tree below the agent's own group (`own`, or where the kernel says it is); None where
    there is no such thing, or the agent may not make groups there."""
    base = own or own_group()
    if base is None:
        return None
    path = base / ROOT / node
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Whoever may move a process in can write here; one that cannot be opened is of no use.
        os.close(os.open(path / "cgroup.procs", os.O_WRONLY))
    except OSError:
        return None
    return Tree(path)


def own_group() -> Path | None:
    """The directory of the agent's own group of version 2, also beside version 1."""
    place = _own_place()
    if place is None:
        return None
    for line in _lines("/proc/self/mountinfo"):
        fields = line.split()
        if "-" in fields and fields[fields.index("-") + 1] == "cgroup2":
            root, mounted = fields[3], Path(fields[4].replace("\\040", " "))
            inside = os.path.relpath(place, root)
            if inside.startswith(".."):
                continue  # mounted from elsewhere in the hierarchy: not ours to see
            return mounted / inside
    return None


def _own_place() -> str | None:
    for line in _lines("/proc/self/cgroup"):
        if line.startswith("0::/"):
            return line[3:]
    return None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _pids(folder: Path) -> list[int]:
    try:
        with (folder / "cgroup.procs").open("rb") as file:
            return [int(line) for line in file.read(MAX_LIST).split() if line != b"0"]
    except OSError:
        return []


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
