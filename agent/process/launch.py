"""Starts a session's leading process as another user: groups, identity, limits, control group.

What to start is a `Launch`; `start(launch, (stdin, stdout, stderr))` starts it, with a terminal's
path also on that terminal. No code of ours runs between fork and exec, where other threads may
hold any lock: the new process is a shell that has the account's identity already and stops itself;
it goes on, and becomes the command, when the agent has put it into its group and set its limits.
"""

from __future__ import annotations

import functools
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.ports import StartFailed
from agent.process.account import ADMIN_PATH, Account
from agent.process.cgroups import Cgroup
from agent.process.processes import Processes

#: What login gives people; the agent's own may be stricter.
UMASK = 0o022
#: Shells known to take `-l`, for where `bash` is missing, which can give any shell its login name.
LOGIN_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"})
#: Resource limits that can be set, by the names that documents have for them.
LIMITS: Mapping[str, int] = {
    name: getattr(resource, f"RLIMIT_{name.upper()}")
    for name in (
        *("as", "core", "cpu", "data", "fsize", "memlock"),
        *("msgqueue", "nofile", "nproc", "sigpending", "stack"),
    )
    if hasattr(resource, f"RLIMIT_{name.upper()}")
}

_BASH = "/bin/bash"
_CAP_SYS_RESOURCE = 24
# The new process keeps the pid. Opening a terminal makes it the controlling one of a session
# leader that has none. A home that cannot be entered is no reason not to start.
_HOME = 'kill -STOP $$; CDPATH= cd -- "$1" 2>/dev/null || cd /'
_PIPES = f'{_HOME}; shift; exec "$@"'
_TERMINAL = f'{_HOME}; tty=$2; shift 2; exec "$@" <>"$tty" >&0 2>&0'
_LOGIN = f'{_HOME}; tty=$2; shift 2; exec -a "$0" "$@" <>"$tty" >&0 2>&0'
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start. `environment` is all that it finds; `login` starts a shell, on a terminal,
    as login does (`-bash`); `limits` have the names in LIMITS; without `cgroup` the process
    session is all that holds its processes together."""

    account: Account
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    login: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    cgroup: Cgroup | None = None


def start(launch: Launch, descriptors: tuple[int, int, int], tty: str = "") -> Processes:
    """Starts it in its account's home, leading a session, with these as its standard input, output
    and error. StartFailed; then nothing runs, and the group is gone. A group that refuses the
    process is gone too: better a session that is held together less well."""
    try:
        return _start(launch, descriptors, tty)
    except StartFailed:
        if launch.cgroup is not None:
            launch.cgroup.strike()
        raise


def _start(launch: Launch, descriptors: tuple[int, int, int], tty: str) -> Processes:
    if unknown := {name: launch.limits[name] for name in launch.limits if name not in LIMITS}:
        raise _unlimited(unknown)
    _default_signals()
    command = _wrapped(launch, tty)
    if _limits_itself(launch):
        command = _limited(launch, command)
    try:
        process = _popen(launch, command, descriptors)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise StartFailed(f"the process could not be started ({type(error).__name__})") from None
    try:
        return Processes(process, _release(process.pid, launch))
    except BaseException:
        process.kill()
        process.wait()
        raise


def _wrapped(launch: Launch, tty: str) -> list[str]:
    home = launch.account.home
    if not tty:
        return ["/bin/sh", "-c", _PIPES, "sh", home, *launch.command]
    if not launch.login:
        return ["/bin/sh", "-c", _TERMINAL, "sh", home, tty, *launch.command]
    name = Path(launch.command[0]).name
    if os.access(_BASH, os.X_OK):  # -p: nothing of the environment is read as a script
        return [_BASH, "-p", "-c", _LOGIN, f"-{name}", home, tty, *launch.command]
    flags = ["-l"] if name in LOGIN_SHELLS else []
    return ["/bin/sh", "-c", _TERMINAL, "sh", home, tty, *launch.command, *flags]


def _popen(
    launch: Launch, command: list[str], descriptors: tuple[int, int, int]
) -> subprocess.Popen[bytes]:
    """Groups, then group, then user, each for good: there is no way back for the child."""
    user = launch.account
    return subprocess.Popen(
        command,
        stdin=descriptors[0],
        stdout=descriptors[1],
        stderr=descriptors[2],
        env=launch.environment,
        cwd="/",
        start_new_session=True,
        close_fds=True,
        umask=UMASK,
        user=user.uid if user.switch else None,
        group=user.gid if user.switch else None,
        extra_groups=user.groups if user.switch else None,
    )


def _release(pid: int, launch: Launch) -> Cgroup | None:
    """Sets up the stopped process, and lets it go on: the group that it is in."""
    found = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
    if found is not None and found.si_code != os.CLD_STOPPED:
        if _limits_itself(launch):
            raise _unlimited(launch.limits)
        return launch.cgroup  # it ended by itself: its status says how
    contained = launch.cgroup is not None and _into(launch.cgroup, pid)
    if not _limits_itself(launch):
        _limit(pid, launch.limits)
    os.kill(pid, signal.SIGCONT)
    return launch.cgroup if contained else None


def _into(cgroup: Cgroup, pid: int) -> bool:
    try:
        cgroup.add(pid)
    except OSError:
        cgroup.strike()
        return False
    return True


def _limits_itself(launch: Launch) -> bool:
    """Root in a container may not touch another user's limits: the process has to lower its own."""
    return bool(launch.limits) and launch.account.switch and not _may_limit_others()


@functools.cache
def _may_limit_others() -> bool:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return True
    masks = [int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")]
    return all(mask >> _CAP_SYS_RESOURCE & 1 for mask in masks)


def _limit(pid: int, limits: Mapping[str, int]) -> None:
    for name, value in limits.items():
        try:
            resource.prlimit(pid, LIMITS[name], (value, value))
        except (OSError, ValueError):
            raise _unlimited({name: value}) from None


def _limited(launch: Launch, command: list[str]) -> list[str]:
    program = shutil.which("prlimit", path=ADMIN_PATH)
    if program is None:
        raise _unlimited(launch.limits)
    flags = [f"--{name}={value}:{value}" for name, value in launch.limits.items()]
    return [program, *flags, "--", *command]


def _unlimited(limits: Mapping[str, int]) -> StartFailed:
    said = ", ".join(f"{name} {value}" for name, value in limits.items())
    return StartFailed(f"this limit cannot be set on this node: {said}")


def _default_signals() -> None:
    """An ignored signal stays ignored through exec, a handled one becomes default: whoever started
    the agent with nohup or in the background must not have shells that Ctrl-C cannot stop."""
    for number in _DEFAULTS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _ignore)


def _ignore(_number: int, _frame: object) -> None:
    return
