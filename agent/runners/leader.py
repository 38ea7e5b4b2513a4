"""Learns of the end of a session's leading process without reaping it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable

#: Seconds without output after the leader's end, where something in the background holds the
#: terminal or a pipe open, until that counts as the end of the output.
LINGER = 0.2


class Pidfd:
    """Linux 5.3 and newer: a descriptor that becomes readable. No thread, no polling."""

    def __init__(self, pid: int, ended: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.pidfd_open(pid)
        self._loop.add_reader(self._descriptor, self._readable, ended)

    def _readable(self, ended: Callable[[], None]) -> None:
        self.close()
        ended()

    def close(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1


class Waiter:
    """Older kernels: a thread that waits."""

    def __init__(self, pid: int, ended: Callable[[], None]) -> None:
        self._ended: Callable[[], None] | None = ended
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._wait, args=(pid, loop), daemon=True).start()

    def _wait(self, pid: int, loop: asyncio.AbstractEventLoop) -> None:
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            loop.call_soon_threadsafe(self._tell)
        except (ChildProcessError, RuntimeError):  # reaped meanwhile, or the loop is closed
            return

    def _tell(self) -> None:
        if self._ended is not None:
            self._ended()

    def close(self) -> None:
        self._ended = None


def watch(pid: int, ended: Callable[[], None]) -> Pidfd | Waiter:
    """Calls `ended` on the event loop once the process has ended."""
    try:
        return Pidfd(pid, ended)
    except (AttributeError, OSError):
        return Waiter(pid, ended)
