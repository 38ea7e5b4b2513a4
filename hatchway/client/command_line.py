"""A command as the built-in documents take it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from hatchway.core.errors import ValidationException

TERMINAL_DOCUMENT, PIPED_DOCUMENT = "AWS-StartInteractiveCommand", "AWS-StartNonInteractiveCommand"


def command_parameters(command: Sequence[str]) -> dict[str, list[str]]:
    """The parameters that run these words: text for the node's /bin/sh, each word quoted, so that
    it changes none. The shell gives way to the program (`exec`): a signal to the process group
    would otherwise end the shell, and the session with it, before the program has handled it.
    ValidationException where there is no word, one text in place of words, or an option first."""
    if isinstance(command, str) or not command:
        raise ValidationException("A command is a sequence of words, one at least.")
    if any("\0" in word for word in command):
        raise ValidationException("A word of a command has no NUL.")
    if command[0].startswith("-"):
        raise ValidationException("A command does not begin with a dash.")
    return {"command": [f"exec {shlex.join(command)}"]}
