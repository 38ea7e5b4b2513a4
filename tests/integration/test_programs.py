"""Programs that use the whole terminal: an editor, a monitor and a multiplexer, through it all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests.integration.screens import Screen
from tests.integration.terminal import PROMPT, Terminal, terminal

pytestmark = pytest.mark.stack

#: What a terminal puts around what is pasted, for programs that asked for it.
PASTE, PASTED = "\x1b[200~", "\x1b[201~"


def needs(command: str) -> pytest.MarkDecorator:
    missing = shutil.which(command) is None
    return pytest.mark.skipif(missing, reason=f"needs {command} (Debian's package {command})")


@pytest.fixture
def shell(stack: Stack, tmp_path: Path) -> Iterator[Terminal]:
    with terminal(stack, tmp_path) as opened:
        opened.run("cd $(mktemp -d)")
        yield opened


@needs("vim")
def test_vim_draws_follows_the_size_and_keeps_what_is_pasted(shell: Terminal) -> None:
    screen = Screen(shell)
    screen.send("vim -N -u NONE -i NONE --cmd 'set autoindent' written\r")
    screen.shows('"written" [New]', -1)
    assert screen.lines[1:-1] == ["~"] * 22
    screen.resize(30, 100)
    screen.until(lambda: screen.lines[1:-1] == ["~"] * 28)
    # A terminal sends a pasted line's end as Return. Typed, the lines would be indented ever more.
    screen.send(f"i{PASTE}    one\r    two\r\r    über\r{PASTED}typed\x1b")
    screen.shows("typed")
    assert screen.lines[:5] == ["    one", "    two", "", "    über", "typed"]
    screen.send(":wq\r")
    screen.shows(PROMPT.strip())
    shell.child.send("\r")
    shell.child.expect_exact(PROMPT)
    assert shell.run("od -An -tx1 written | tr -d ' \\n'") == (
        "    one\n    two\n\n    über\ntyped\n".encode().hex()
    )


@needs("htop")
def test_htop_draws_and_follows_the_size(shell: Terminal) -> None:
    screen = Screen(shell)
    screen.send("htop -d 100\r")
    screen.shows("CPU%")
    screen.shows("Quit", -1)
    screen.resize(40, 132)
    screen.until(lambda: "Quit" in screen.lines[39] and "Quit" not in screen.lines[23])
    screen.send("q")
    screen.until(lambda: any(PROMPT.strip() in line for line in screen.lines))


@needs("tmux")
def test_tmux_splits_follows_the_size_and_ends(shell: Terminal) -> None:
    screen = Screen(shell)
    screen.send("tmux -L hatchway-test -f /dev/null new-session 'PS1=inside sh'\r")
    screen.shows("[0] 0:", -1)
    screen.send('\x02"')  # a second pane below
    screen.until(lambda: any(line.startswith("─" * 80) for line in screen.lines))
    screen.resize(40, 132)
    screen.until(lambda: any(line.startswith("─" * 132) for line in screen.lines))
    screen.shows("[0] 0:", 39)
    screen.send("tmux -L hatchway-test kill-server\r")
    screen.shows("[server exited]")


def test_pasted_lines_keep_their_ends(shell: Terminal) -> None:
    """Return and line feed are what the terminal of the node makes of them, here nothing."""
    screen = Screen(shell)
    screen.send("stty raw -echo; echo rea''dy; head -c 14 >pasted; stty sane\r")
    screen.shows("ready")
    screen.send("a\rb\nc\r\nd\te\x04\x03\x1a\x11")
    shell.child.expect_exact(PROMPT)
    assert shell.run("od -An -tx1 pasted") == "61 0d 62 0a 63 0d 0a 64 09 65 04 03 1a 11"


def test_a_new_size_reaches_what_runs_as_a_signal(shell: Terminal) -> None:
    watch = 'trap "stty size" WINCH; echo watch""ing; while :; do sleep 0.05; done'
    shell.child.send(f"sh -c '{watch}'\r")
    shell.child.expect_exact("watching")
    for rows, columns in ((40, 132), (1, 1), (500, 500)):
        shell.child.setwinsize(rows, columns)
        shell.child.expect_exact(f"{rows} {columns}")
    shell.child.sendcontrol("c")
