"""A user of this machine for a test, with a group besides its own; taken away afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

#: Why there can be none here, or "".
MISSING = "" if os.geteuid() == 0 and shutil.which("useradd") else "needs root and useradd"


@contextmanager
def machine_user(*options: str) -> Iterator[tuple[str, str]]:
    """Names of a user and of a group that it is in besides."""
    name, group = f"hw-{secrets.token_hex(4)}", f"hwg-{secrets.token_hex(4)}"
    _run("groupadd", group)
    try:
        _run("useradd", "--create-home", "--user-group", "--groups", group, *options, name)
        yield name, group
    finally:
        remove(name)
        _run("groupdel", group)


def remove(name: str) -> None:
    """Takes the user and its home away, if it is there."""
    subprocess.run(
        ["userdel", "--force", "--remove", name], capture_output=True, timeout=30, check=False
    )


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, timeout=30, check=True)
