"""Who a session's processes run as: looked up, checked, and created where the document says so.

Nothing here changes the agent's own identity; `launch.start` makes the child the account's. Lookups
may ask a directory over the network and `useradd` takes a while: call from a thread.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from agent.document import PLATFORM
from agent.order import Order
from agent.ports import StartFailed

FALLBACK_SHELL = "/bin/sh"
PREFERRED_SHELL = "/bin/bash"
#: Seconds that creating a user may take.
CREATE_LIMIT = 20.0
_ROOT = "root"
ADMIN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Account:
    """Who a process runs as. `groups` are all of the user's, the first one included; `switch` is
    whether the agent has to become that user first."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str
    switch: bool


def choose(order: Order, configured: str) -> Account:
    """The account of a session: the run-as user; without run as the document's session user, or
    else the `configured` one. StartFailed says why there is none; nobody else takes its place."""
    inputs = order.document.inputs
    own = inputs.hatchway
    command = order.document.properties.of(PLATFORM)
    if command is not None and command.run_as_elevated:
        return _allowed("elevated user", _ROOT, own.run_as_root_allowed)
    if order.run_as:
        return _allowed("run-as user", order.run_as, own.run_as_root_allowed)
    if inputs.run_as_enabled:
        raise StartFailed("run as is on, and the service named no user")
    if own.session_user:
        if own.create_session_user:
            _create(own.session_user)
        return _allowed("session user", own.session_user, own.run_as_root_allowed)
    return account(configured)


def account(session_user: str) -> Account:
    """The agent's own choice: `session_user` when the agent is root, else the agent's user."""
    if os.geteuid() == 0 and not session_user:
        raise StartFailed("session_user is not set, and sessions do not run as root by default.")
    return _found("session user", session_user or _own().pw_name)


def _allowed(role: str, name: str, root_allowed: bool) -> Account:
    found = _found(role, name)
    if found.uid == 0 and not root_allowed:
        raise StartFailed(f"{role} {name} is root, which the document does not allow")
    return found


def _found(role: str, name: str) -> Account:
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):
        raise StartFailed(f"{role} {name} does not exist on this node") from None
    if os.geteuid() != 0 and entry.pw_uid != os.geteuid():
        raise StartFailed(f"{role} {name} cannot be used: this node's agent is not root")
    return Account(
        name=entry.pw_name,
        uid=entry.pw_uid,
        gid=entry.pw_gid,
        groups=tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)),
        home=entry.pw_dir or "/",
        shell=entry.pw_shell or FALLBACK_SHELL,
        switch=os.geteuid() == 0,
    )


def _own() -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        raise StartFailed("The user that sessions run as does not exist.") from None


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except (KeyError, ValueError):
        return False
    return True


def _create(name: str) -> None:
    """A user with a home of its own, no password and no rights beyond any user's. Of two sessions
    that create it at once, the later finds it."""
    if _exists(name):
        return
    useradd = shutil.which("useradd", path=ADMIN_PATH)
    shell = PREFERRED_SHELL if Path(PREFERRED_SHELL).exists() else FALLBACK_SHELL
    if os.geteuid() == 0 and useradd is not None:
        command = [useradd, "--create-home", "--user-group", "--shell", shell, "--", name]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # what counts is the result
            subprocess.run(
                command,
                env={"PATH": ADMIN_PATH, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=CREATE_LIMIT,
                check=False,
            )
    if not _exists(name):
        raise StartFailed(f"session user {name} could not be created on this node")
