"""All that one session runs: its leading process and whatever that started, ended as a whole.

With a control group that is every process in it, whoever daemonised it; without one, the members
of the process session: what called `setsid` has left it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

from agent.process.cgroups import Cgroup

#: Seconds between looks at what is left; looks from SIGHUP to SIGKILL, and rounds of SIGKILL.
POLL = 0.02
HANGUP_ROUNDS = 50
KILL_ROUNDS = 100


class Processes:
    """The leader is not reaped before `reap`: until then its pid, which is the process session's
    id, cannot become anybody else's."""

    def __init__(self, leader: subprocess.Popen[bytes], cgroup: Cgroup | None = None) -> None:
        self.pid = leader.pid
        self._leader = leader
        self._cgroup = cgroup

    @property
    def contained(self) -> bool:
        """Whether they have a control group."""
        return self._cgroup is not None

    def status(self) -> int | None:
        """The leader's exit status, 128+n for signal n; None while it runs. Does not reap it."""
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else 128 + found.si_status

    def alive(self) -> set[int]:
        """The processes, zombies left out."""
        grouped = self._cgroup.pids() if self._cgroup else ()
        return {*members(self.pid), *grouped}

    def signal(self, number: int) -> int:
        """Sends it to every one of them; how many there were. To the leader first: a shell that
        waits for the others would see them end, and run on or exit as if nobody had ended it."""
        found = self.alive()
        for pid in sorted(found, key=lambda each: each != self.pid):
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                continue
        return len(found)

    async def end(self) -> bool:
        """SIGHUP to all, stopped jobs too; a second later SIGKILL until nothing is left: whether
        that is so. The control group goes with the last of them."""
        self.signal(signal.SIGHUP)
        self.signal(signal.SIGCONT)
        await self._gone()
        for _ in range(KILL_ROUNDS):
            removed = self._cgroup is None or self._cgroup.strike()
            if not self.signal(signal.SIGKILL) and removed:
                return True
            await asyncio.sleep(POLL)
        return False

    async def _gone(self) -> None:
        for _ in range(HANGUP_ROUNDS):
            if not self.alive():
                return
            await asyncio.sleep(POLL)

    def reap(self) -> None:
        """Lets the pid go; waits where the leader has not ended."""
        self._leader.wait()


def members(session: int) -> list[int]:
    """The processes of a process session, zombies left out."""
    with os.scandir("/proc") as entries:
        names = [entry.name for entry in entries if entry.name.isdigit()]
    return [int(name) for name in names if _session_of(name) == session]


def _session_of(pid: str) -> int:
    """The session of a process that is alive; -1 for any other."""
    try:
        stat = Path("/proc", pid, "stat").read_bytes()
    except OSError:
        return -1
    # The name, in parentheses, may hold anything: what follows the last one is regular.
    state, _parent, _group, session = stat.rpartition(b")")[2].split()[:4]
    return -1 if state in (b"Z", b"X") else int(session)
