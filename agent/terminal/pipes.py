"""A command with a pipe for each of its standard streams, on POSIX systems; knows no event loop."""

from __future__ import annotations

import os
from collections.abc import Iterable

from agent.ports import StartFailed
from agent.process.launch import Launch, start
from agent.process.processes import Processes

#: Bytes of one read.
READ_SIZE = 64 * 1024


class Piped:
    """Our ends of the pipes, and what runs at their other ends. `stderr` is -1 where standard
    error goes the way of the output."""

    def __init__(self, processes: Processes, stdin: int, stdout: int, stderr: int) -> None:
        self.processes = processes
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr

    def write(self, data: bytes) -> int | None:
        """How many bytes the command's input took now; None where nobody reads it any more."""
        try:
            return os.write(self.stdin, data)
        except BlockingIOError:
            return 0
        except OSError:
            return None

    def end_input(self) -> None:
        """The command reads an end of file."""
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def interrupt(self, number: int) -> None:
        """Sends it to the command's process group, as a terminal does."""
        try:
            os.killpg(self.processes.pid, number)
        except OSError:  # all of it has ended
            return

    def close(self) -> None:
        """Closes the pipes: who still writes to them gets SIGPIPE."""
        self.end_input()
        for fd in {self.stdout, self.stderr} - {-1}:
            os.close(fd)
        self.stdout = self.stderr = -1


def read(fd: int, size: int) -> bytes | None:
    """Up to `size` bytes; b"" when nobody has the pipe open for writing any more, None: none
    yet."""
    try:
        return os.read(fd, min(size, READ_SIZE))
    except BlockingIOError:
        return None


def spawn(launch: Launch, *, apart: bool) -> Piped:
    """Starts a command; without `apart` its standard error goes the way of its output, so that
    they keep their order. StartFailed."""
    (theirs_in, ours_in), *outs = _pipes(3 if apart else 2)
    theirs = [theirs_in, *(write for _, write in outs)]
    ours = [ours_in, *(mine for mine, _ in outs)]
    try:
        if launch.account.switch:  # who opens /dev/stderr, say, opens the pipe once more
            for fd in theirs:
                os.fchown(fd, launch.account.uid, -1)
        processes = start(launch, (theirs[0], theirs[1], theirs[-1]))
    except BaseException:
        _close(ours)
        raise
    finally:
        _close(theirs)
    for fd in ours:
        os.set_blocking(fd, False)
    return Piped(processes, ours[0], ours[1], ours[2] if apart else -1)


def _pipes(count: int) -> list[tuple[int, int]]:
    """Pairs of a reading and a writing end."""
    made: list[tuple[int, int]] = []
    try:
        for _ in range(count):
            made.append(os.pipe())  # noqa: PERF401 (those made so far are closed where one fails)
    except OSError as error:
        _close(fd for pair in made for fd in pair)
        raise StartFailed(f"There are no pipes for the command ({error.errno}).") from None
    return made


def _close(descriptors: Iterable[int]) -> None:
    for fd in descriptors:
        os.close(fd)
