"""A pseudo-terminal and the process that leads its session, on Linux; knows no event loop.

No code of ours runs between fork and exec: other threads may hold any lock at that moment.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.ports import StartFailed

#: Bytes of one read; the kernel gives at most 4096 of a pty.
READ_SIZE = 32 * 1024
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TERM = "xterm-256color"
LANG = "C.UTF-8"
#: What login gives people; the agent's own may be stricter.
UMASK = 0o022
FALLBACK_SHELL = "/bin/sh"
#: Shells known to take `-l`; any other is started without.
LOGIN_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"})

# Opening a terminal makes it the controlling one of a session leader that has none: that is all
# that this line of shell is for. The new process keeps the pid.
_ACQUIRE = ("/bin/sh", "-c", 'tty=$1; shift; exec "$@" <>"$tty" >&0 2>&0', "sh")
_DEFAULTS = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTSTP,
    signal.SIGHUP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGTERM,
    signal.SIGCHLD,
)


@dataclass(frozen=True, slots=True)
class Account:
    """Who a shell runs as. `switch` is whether the agent has to become that user first."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str
    switch: bool


def account(session_user: str) -> Account:
    """The user that sessions run as: `session_user` when the agent is root, else its own."""
    root = os.geteuid() == 0
    if root and not session_user:
        raise StartFailed("session_user is not set, and sessions do not run as root by default.")
    try:
        entry = pwd.getpwnam(session_user) if root else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise StartFailed("The user that sessions run as does not exist.") from None
    if session_user and entry.pw_name != session_user:
        raise StartFailed("Only root can run sessions as another user.")
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=groups,
        home=entry.pw_dir or "/",
        shell=entry.pw_shell or FALLBACK_SHELL,
        switch=root,
    )


def login(user: Account) -> tuple[str, ...]:
    """The command that starts the user's shell."""
    return (user.shell, "-l") if Path(user.shell).name in LOGIN_SHELLS else (user.shell,)


def environment(user: Account) -> dict[str, str]:
    """All of what a shell finds: nothing of the agent's own environment."""
    return {
        "PATH": PATH,
        "HOME": user.home,
        "SHELL": user.shell,
        "USER": user.name,
        "LOGNAME": user.name,
        "TERM": TERM,
        "LANG": LANG,
    }


class Terminal:
    """The master side, and the session's leading process.

    The process is not reaped before `reap`: until then its pid, which is the session's id, cannot
    become anybody else's.
    """

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self.master = master
        self.pid = process.pid
        self._process = process
        self._closed = False

    def read(self, size: int) -> bytes | None:
        """Up to `size` bytes; b"" when nobody has the terminal open any more, None: none yet."""
        try:
            return os.read(self.master, min(size, READ_SIZE))
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EIO:
                return b""
            raise

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

    def resize(self, columns: int, rows: int) -> None:
        """The kernel sends SIGWINCH to the foreground when the size changes."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def status(self) -> int | None:
        """The leader's exit status, 128+n for signal n; None while it runs. Does not reap it."""
        return status(self.pid)

    def signal(self, number: int) -> int:
        """Sends it to every process of the session, whatever its group; how many there were."""
        return signal_session(self.pid, number)

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

    def reap(self) -> None:
        """Lets the pid go; waits where the leader has not ended."""
        self._process.wait()


def spawn(
    user: Account,
    command: Sequence[str],
    size: tuple[int, int] | None,
    told: Mapping[str, str] | None = None,
) -> Terminal:
    """Starts `command` as `user` in its home, leading a session on a terminal of its own. `told`
    is what the client says of its terminal and language."""
    master, slave = os.openpty()
    try:
        if size:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        if user.switch:
            os.fchown(slave, user.uid, -1)
        os.set_blocking(master, False)
        through = [*_ACQUIRE, os.ttyname(slave), *command]
        variables = environment(user) | dict(told or {})
        process = launch(user, through, (slave, slave, slave), variables)
    except (OSError, subprocess.SubprocessError) as error:
        os.close(master)
        raise StartFailed(f"The shell could not be started ({type(error).__name__}).") from None
    finally:
        os.close(slave)
    return Terminal(master, process)


def launch(
    user: Account,
    command: Sequence[str],
    descriptors: tuple[int, int, int],
    variables: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    """Starts `command` as `user` in its home, leading a session, with these as its standard input,
    output and error, and this environment; OSError or SubprocessError."""
    _default_signals()
    home = user.home if os.access(user.home, os.X_OK) else "/"
    return subprocess.Popen(
        command,
        stdin=descriptors[0],
        stdout=descriptors[1],
        stderr=descriptors[2],
        env=variables,
        cwd=home,
        start_new_session=True,
        close_fds=True,
        umask=UMASK,
        user=user.uid if user.switch else None,
        group=user.gid if user.switch else None,
        extra_groups=user.groups if user.switch else None,
    )


def _default_signals() -> None:
    """An ignored signal stays ignored through exec, a handled one becomes default: whoever started
    the agent with nohup or in the background must not have shells that Ctrl-C cannot stop."""
    for number in _DEFAULTS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _ignore)


def _ignore(_number: int, _frame: object) -> None:
    return


def status(pid: int) -> int | None:
    """A child's exit status, 128+n for signal n; None while it runs. Does not reap it."""
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else 128 + found.si_status


def signal_session(session: int, number: int) -> int:
    """Sends a signal to every process of a session; how many there were."""
    count = 0
    for pid in members(session):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
        count += 1
    return count


def members(session: int) -> list[int]:
    """The processes of a session, zombies left out."""
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
