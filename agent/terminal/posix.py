"""A pseudo-terminal and the process that leads its session, on Linux; knows no event loop."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios

from agent.ports import StartFailed
from agent.process.launch import Launch, start
from agent.process.processes import Processes

#: Bytes of one read: the kernel gives no more of a pty at once.
READ_SIZE = 4096
#: A read of less than this has most likely emptied it: asking again is not worth a call.
EMPTIED = 1024


class Terminal:
    """The master side, and what runs at the other."""

    def __init__(self, master: int, processes: Processes) -> None:
        self.master = master
        self.processes = processes
        self._closed = False

    def read(self, size: int) -> bytes | None:
        """What is there now, up to `size` bytes; b"" when nobody has the terminal open any more,
        None: none yet."""
        pieces: list[bytes] = []
        while not pieces or size >= READ_SIZE:
            try:
                piece = os.read(self.master, min(size, READ_SIZE))
            except BlockingIOError:
                return b"".join(pieces) if pieces else None
            except OSError as error:
                if error.errno == errno.EIO:  # the end, which the next read finds again
                    break
                raise
            pieces.append(piece)
            size -= len(piece)
            if len(piece) < EMPTIED:
                break
        return b"".join(pieces)

    def write(self, data: bytes) -> int:
        """How many bytes the terminal took now; all of them where nobody reads any more."""
        try:
            return os.write(self.master, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno == errno.EIO:
                return len(data)
            raise

    @property
    def echoes(self) -> bool:
        """False while something asks for a secret: it reads lines, and has the terminal echo
        nothing. What reads keys itself (editors, shells at their prompt) does without the
        terminal's echo, and shows what it likes."""
        try:
            local = termios.tcgetattr(self.master)[3]
        except (OSError, termios.error):
            return False
        return not (local & termios.ICANON and not local & termios.ECHO)

    def resize(self, columns: int, rows: int) -> None:
        """The kernel sends SIGWINCH to the foreground when the size changes."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def interrupt(self, number: int) -> None:
        """Sends it to the foreground job, as the terminal does for Ctrl-C."""
        try:
            os.killpg(os.tcgetpgrp(self.master), number)
        except OSError:  # no foreground any more
            return

    def close(self) -> None:
        """Hangs up: the kernel sends SIGHUP to the leader and the foreground."""
        if not self._closed:
            self._closed = True
            os.close(self.master)


def spawn(launch: Launch, size: tuple[int, int] | None) -> Terminal:
    """Starts what `launch` says on a terminal of its own; StartFailed."""
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise StartFailed(f"there is no terminal ({error.errno})") from None
    try:
        if size:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        if launch.account.switch:
            os.fchown(slave, launch.account.uid, -1)
        os.set_blocking(master, False)
        return Terminal(master, start(launch, (slave, slave, slave), os.ttyname(slave)))
    except OSError as error:
        os.close(master)
        raise StartFailed(f"there is no terminal ({error.errno})") from None
    except StartFailed:
        os.close(master)
        raise
    finally:
        os.close(slave)
