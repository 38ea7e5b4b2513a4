"""Whom the demo's shells run as: a system user of its own where we are root, else ourselves.

One user for each directory, so that taking it away again never hits another checkout's demo.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.places import Places
from local.records import read_record, write_record

_RECORD = "demo-user"
_LIMIT = 30.0


@dataclass(frozen=True, slots=True)
class DemoUser:
    """`name` is for the agent's configuration, `warning` what a person should know, or ""."""

    name: str
    warning: str = ""


def ensure(places: Places) -> DemoUser:
    """The user for sessions; made where that is possible and it is not there yet."""
    if os.geteuid() != 0:
        name = pwd.getpwuid(os.geteuid()).pw_name
        return DemoUser(
            "",
            f"The demo's shell runs as {name}, since only root could give it another user: "
            f"it can read all that {name} can read, this demo's keys too.",
        )
    name = _name(places)
    if _exists(name) or _make(places, name):
        return DemoUser(name)
    return DemoUser("root", "The demo's shell runs as root, since useradd made no other user.")


def remove(places: Places) -> None:
    """Takes away the user that `ensure` made, with its home directory."""
    name = read_record(places.record(_RECORD)).get("name")
    if name == _name(places) and os.geteuid() == 0 and _exists(str(name)):
        _run("userdel", "--remove", str(name))
    places.record(_RECORD).unlink(missing_ok=True)


def _name(places: Places) -> str:
    return "hatchway-" + hashlib.sha256(str(places.directory).encode()).hexdigest()[:8]


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _make(places: Places, name: str) -> bool:
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    write_record(places.record(_RECORD), {"name": name})
    return _run("useradd", "--system", "--user-group", "--create-home", "--shell", shell, name)


def _run(command: str, *arguments: str) -> bool:
    if shutil.which(command) is None:
        return False
    done = subprocess.run([command, *arguments], capture_output=True, timeout=_LIMIT, check=False)
    return done.returncode == 0
