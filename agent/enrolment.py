"""The enrolment secret: made once, kept in a file that only the agent's user can read."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Callable
from pathlib import Path

from agent.ports import Random
from hatchway.core.errors import HatchwayError

SECRET_BYTES = 32
FILE = "enrolment"
#: The encoded secret and a newline; more is not our file.
MAX_FILE = 256


class EnrolmentError(HatchwayError):
    """The enrolment secret cannot be kept or read."""

    code = "EnrolmentError"


def secret(directory: Path, random: Random) -> str:
    """The node's enrolment secret: base64url of 256 random bits. It is on disk, synced, before
    this returns: a secret that was sent and then lost would lock the node out."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _private(directory.stat(follow_symlinks=False), "The state directory", stat.S_ISDIR)
        path = directory / FILE
        if not os.path.lexists(path):
            _make(directory, path, random)
        return _read(path)
    except OSError as error:
        raise EnrolmentError(f"{directory}: {error.strerror}.") from None


def _make(directory: Path, path: Path, random: Random) -> None:
    """A complete file appears under its name or none; whoever came first wins."""
    text = base64.urlsafe_b64encode(random(SECRET_BYTES)).rstrip(b"=")
    fresh = directory / f"{FILE}.{os.getpid()}"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, text + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    finally:
        fresh.unlink()
    _sync(directory)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        _private(os.fstat(descriptor), "The enrolment file", stat.S_ISREG)
        text = os.read(descriptor, MAX_FILE).decode("ascii", "replace").strip()
    finally:
        os.close(descriptor)
    try:
        if len(base64.b64decode(text + "=", altchars=b"-_", validate=True)) == SECRET_BYTES:
            return text
    except (binascii.Error, ValueError):
        pass
    raise EnrolmentError("The enrolment file does not hold a secret.")


def _private(status: os.stat_result, name: str, kind: Callable[[int], bool]) -> None:
    """Refuses what another user made, may write or may read: it would not be a secret."""
    if not kind(status.st_mode):
        raise EnrolmentError(f"{name} is not what it should be.")
    if status.st_uid != os.geteuid():
        raise EnrolmentError(f"{name} belongs to another user.")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise EnrolmentError(f"{name} is open to other users.")
