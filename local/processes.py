"""Background processes, each with a record; only that very process is ever signalled.

A record holds the pid with the kernel's start time and boot id, and the signal goes through a
pidfd: a pid that was given to another process in between is never hit. Linux only.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.errors import CommandFailed
from local.records import read_record, write_record

#: Seconds a process gets to end by itself.
GRACE = 10.0

_PROC = Path("/proc")
# Fields of /proc/PID/stat behind the command's closing parenthesis.
_STATE, _PARENT, _SESSION, _STARTED = 0, 1, 3, 19


@dataclass(frozen=True, slots=True)
class Process:
    """A process, identified beyond its pid: `started` is in clock ticks since boot."""

    pid: int
    started: int
    boot: str


def start(
    command: Sequence[str], *, environ: Mapping[str, str], log: Path, record: Path, cwd: Path
) -> Process:
    """Starts `command` in a session of its own, output to `log`, and remembers it in `record`."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = _identify(child.pid)
    if process is None:
        raise CommandFailed(f"{command[0]} ended at once", log)
    # The parent must not wait for it: it outlives us, and while we live it is reaped by `_reap`.
    child.returncode = 0
    write_record(record, {"pid": process.pid, "started": process.started, "boot": process.boot})
    return process


def recorded(record: Path) -> Process | None:
    """The process that `record` names, if it still runs."""
    fields = read_record(record)
    pid, started, boot = (fields.get(name) for name in ("pid", "started", "boot"))
    if not (isinstance(pid, int) and isinstance(started, int) and isinstance(boot, str)):
        return None
    process = Process(pid, started, boot)
    return process if alive(process) else None


def alive(process: Process) -> bool:
    return _identify(process.pid) == process


def stop(record: Path, grace: float = GRACE) -> None:
    """Ends the recorded process with all that it started, and forgets it. Idempotent.

    SIGTERM first, SIGKILL after `grace` seconds; then the same for what is left of its session and
    of its descendants.
    """
    process = recorded(record)
    if process is not None:
        family = _family(process)
        _end([process], grace)
        _end([member for member in family if alive(member)], grace=1.0)
    record.unlink(missing_ok=True)


def kill(process: Process) -> None:
    """SIGKILL for this one process only, and waits for its end: for tests of a node's death."""
    _end([process], grace=0.0, first=signal.SIGKILL)


def kill_all(process: Process) -> None:
    """SIGKILL for this one and everything that it started, at one stroke: a node that dies."""
    family = _family(process)
    for each in (process, *family):
        with suppress(ProcessLookupError):
            _end([each], grace=0.0, first=signal.SIGKILL)


def _end(
    processes: Iterable[Process], grace: float, first: signal.Signals = signal.SIGTERM
) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(process.pid)
            try:
                if alive(process):  # the handle now stands for this one, whatever the pid becomes
                    signal.pidfd_send_signal(handle, first)
                    if not _ended(handle, grace):
                        signal.pidfd_send_signal(handle, signal.SIGKILL)
                        _ended(handle, GRACE)
            finally:
                os.close(handle)
        _reap(process.pid)


def _ended(handle: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _family(process: Process) -> list[Process]:
    """Those of the process's session, and all of its descendants, without itself."""
    running = {pid: fields for pid in _pids() if (fields := _stat(pid)) is not None}
    members = {pid for pid, fields in running.items() if int(fields[_SESSION]) == process.pid}
    members |= _closure(process.pid, lambda pid: int(running[pid][_PARENT]), running)
    return [
        Process(pid, int(running[pid][_STARTED]), process.boot)
        for pid in sorted(members - {process.pid})
    ]


def _closure(top: int, parent_of: Callable[[int], int], pids: Iterable[int]) -> set[int]:
    """All of `pids` that descend from `top`."""
    found = {top}
    pending = set(pids)
    while grown := {pid for pid in pending if parent_of(pid) in found and pid not in found}:
        found |= grown
        pending -= grown
    return found - {top}


def _pids() -> list[int]:
    return [int(path.name) for path in _PROC.iterdir() if path.name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _identify(pid: int) -> Process | None:
    """The running process with this pid; None for none, and for one that is dead but not reaped."""
    fields = _stat(pid)
    if fields is None or fields[_STATE] in "ZX":
        return None
    boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return Process(pid, int(fields[_STARTED]), boot)
