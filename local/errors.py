"""What can go wrong with the launcher, in words for the person at the terminal."""

from __future__ import annotations

from pathlib import Path

_LAST_LINES = 25


class LauncherError(Exception):
    """The message is shown as it is; it names what to do where that is known."""


class CommandFailed(LauncherError):
    """A command of ours failed; shows the end of its log."""

    def __init__(self, what: str, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        super().__init__("\n".join([f"{what} (log: {log}):", *lines[-_LAST_LINES:]]))
