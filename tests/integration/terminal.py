"""The CLI as a person uses it: in a terminal of its own, with a local shell around it."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pexpect

from local.identities import JOHN
from local.places import ROOT
from local.stack import CLI, Stack

#: Seconds for one step: a cold function may be in it.
PATIENCE = 30
PROMPT = "hatchway-prompt> "
#: Echo shows the command, so the prompt must not stand in it.
_SET_PROMPT = "PS1='hatchway-''prompt> '; PROMPT_COMMAND="
_SESSION = re.compile(r"SessionId: (?P<id>\S+)")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(slots=True)
class Terminal:
    """A CLI that has a session open. Files tell what the local shell saw."""

    child: pexpect.spawn[str]
    session_id: str
    directory: Path

    def run(self, command: str) -> str:
        """A command's output, without the line that was typed."""
        self.child.send(command + "\r")
        self.child.expect_exact(PROMPT)
        shown = _ESCAPES.sub("", self.child.before or "")
        return shown.partition("\n")[2].replace("\r", "").strip()

    def leave(self, command: str) -> int:
        """Types a last command; the CLI's exit status."""
        self.child.send(command + "\r")
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int((self.directory / "status").read_text())

    @property
    def settings(self) -> tuple[str, str]:
        """`stty -g` of the local terminal, before and after the CLI."""
        before, after = (self.directory / name for name in ("before", "after"))
        return before.read_text(), after.read_text()


@contextmanager
def terminal(
    stack: Stack,
    directory: Path,
    *arguments: str,
    user: str = JOHN,
    size: tuple[int, int] = (24, 80),
) -> Iterator[Terminal]:
    """`start-session` in a terminal of `size` (rows, columns), at the remote prompt."""
    command = shlex.join([*CLI, "start-session", *(arguments or ("--target", stack.demo.node))])
    script = f"stty -g >before; {command}; echo $? >status; stty -g >after"
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", script],
        cwd=str(directory),
        env=stack.environ(user) | {"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=size,
    )
    try:
        child.expect(_SESSION)
        assert isinstance(child.match, re.Match)
        opened = Terminal(child, child.match["id"], directory)
        child.expect(r"[$#] ")
        opened.run(_SET_PROMPT)
        yield opened
    finally:
        child.close(force=True)


def cli(
    stack: Stack, *arguments: str, user: str = JOHN, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """The CLI without a terminal, `typed` piped into it."""
    return subprocess.run(
        [*CLI, *arguments],
        env=stack.environ(user),
        cwd=ROOT,
        input=typed,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
