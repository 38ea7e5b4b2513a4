"""What can go wrong with the launcher, in words for the person at the terminal."""

from __future__ import annotations

import re
from pathlib import Path

_LAST_LINES = 25
_FIRST_ERRORS = 10
_ERROR = re.compile(r"\bERROR\b|Error:|❌")


class LauncherError(Exception):
    """The message is shown as it is; it names what to do where that is known."""


class CommandFailed(LauncherError):
    """A command of ours failed; shows the lines of its log that speak of errors, and its end."""

    def __init__(self, what: str, log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        before, end = lines[:-_LAST_LINES], lines[-_LAST_LINES:]
        errors = [line for line in before if _ERROR.search(line)][:_FIRST_ERRORS]
        super().__init__("\n".join([f"{what} (log: {log}):", *errors, *end]))
