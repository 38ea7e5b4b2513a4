"""A command with a pipe for each of its standard streams, on POSIX systems; knows no event loop."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable

from agent.ports import StartFailed
from agent.terminal.posix import signal_session, status

#: Bytes of one read.
READ_SIZE = 64 * 1024

#: Starts the command with these descriptors as its standard input, output and error.
Launch = Callable[[tuple[int, int, int]], "subprocess.Popen[bytes]"]


class Piped:
    """Our ends of the pipes, and the process that leads the session at their other ends.

    `errors` is -1 where standard error goes the way of the output. The process is not reaped
    before `reap`, so that its pid stays its own.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], stdin: int, stdout: int, stderr: int
    ) -> None:
        self.pid = process.pid
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self._process = process

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

    def status(self) -> int | None:
        """The leader's exit status, 128+n for signal n; None while it runs."""
        return status(self.pid)

    def signal(self, number: int) -> int:
        """Sends it to every process of the session; how many there were."""
        return signal_session(self.pid, number)

    def interrupt(self, number: int) -> None:
        """Sends it to the command's process group, as a terminal does."""
        try:
            os.killpg(self.pid, number)
        except OSError:  # all of it has ended
            return

    def close(self) -> None:
        """Closes the pipes: who still writes to them gets SIGPIPE."""
        self.end_input()
        for fd in {self.stdout, self.stderr} - {-1}:
            os.close(fd)
        self.stdout = self.stderr = -1

    def reap(self) -> None:
        """Lets the pid go; waits where the leader has not ended."""
        self._process.wait()


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
        process = launch((theirs[0], theirs[1], theirs[-1]))
    except (OSError, subprocess.SubprocessError) as error:
        _close(ours)
        kind = type(error).__name__
        raise StartFailed(f"The command could not be started ({kind}).") from None
    finally:
        _close(theirs)
    for fd in ours:
        os.set_blocking(fd, False)
    return Piped(process, ours[0], ours[1], ours[2] if apart else -1)


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
