"""Where the output of many nodes goes: whole lines with names, exact files, bounded memory."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import cast

import pytest

from hatchway.cli.lines import MAX_KEPT, MAX_LINE, Files, Kept, Prefixed, Screen, make_directory
from hatchway.client.records import Node
from hatchway.client.terminal import Terminal
from hatchway.core.errors import ValidationException

NODE = Node(
    node_id="i-0123456789abcdef0",
    name="web\x1b[2J",
    ping_status="Online",
    agent_version="1",
    last_ping=None,
    tags={},
)


class FakeTerminal:
    """Remembers each write; another task gets its turn in the middle of one."""

    def __init__(self, *, screen: bool = False) -> None:
        self.screen = screen
        self.out: list[bytes] = []
        self.err: list[bytes] = []

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(0)
        self.out.append(data)

    async def write_error(self, data: bytes) -> None:
        await asyncio.sleep(0)
        self.err.append(data)


def screen(terminal: FakeTerminal, *, status: bool = False) -> Screen:
    return Screen(cast(Terminal, terminal), status=status)


async def test_each_line_bears_the_nodes_name_which_reaches_no_terminal_raw() -> None:
    terminal = FakeTerminal()
    sink = Prefixed(screen(terminal), NODE, filtered=(False, False))
    for piece in (b"one\ntw", b"o\n\nthr", b"ee"):
        await sink.write(piece)
    await sink.write_error(b"bad")
    await sink.finish()
    name = rb"web\x1b[2J: "
    assert b"".join(terminal.out) == b"".join(
        name + line + b"\n" for line in (b"one", b"two", b"", b"three")
    )
    assert terminal.err == [name + b"bad\n"]


async def test_a_line_without_end_does_not_fill_memory() -> None:
    terminal = FakeTerminal()
    sink = Prefixed(screen(terminal), NODE, filtered=(False, False))
    await sink.write(b"z" * (3 * MAX_LINE + 5))
    assert sum(text.count(b"z") for text in terminal.out) == 3 * MAX_LINE
    await sink.finish()
    assert sum(text.count(b"z") for text in terminal.out) == 3 * MAX_LINE + 5


async def test_escapes_that_reach_beyond_the_screen_are_kept_from_a_terminal() -> None:
    terminal = FakeTerminal(screen=True)
    sink = Prefixed(screen(terminal), NODE, filtered=(True, True))
    await sink.write(b"\x1b]52;c;aGk=\x07text\n")
    assert terminal.out == [rb"web\x1b[2J: " + b"text\n"]


@pytest.mark.parametrize("shared", [True, False])
async def test_the_status_line_gives_way_to_output_on_its_screen_only(shared: bool) -> None:
    terminal = FakeTerminal(screen=shared)
    made = screen(terminal, status=True)
    await made.say("1 of 2")
    await made.say("1 of 2")
    assert terminal.err == [b"\r\x1b[K1 of 2"]
    await made.write(b"line\n", error=False)
    assert terminal.out == [b"line\n"]
    assert terminal.err[1:] == ([b"\r\x1b[K", b"1 of 2"] if shared else [])
    await made.say("")
    assert terminal.err[-1] == b"\r\x1b[K"


async def test_without_a_terminal_there_is_no_status_line() -> None:
    terminal = FakeTerminal()
    await screen(terminal).say("1 of 2")
    assert terminal.err == []


async def test_files_are_named_by_the_nodes_id_and_exact(tmp_path: Path) -> None:
    directory = make_directory(str(tmp_path / "new" / "deep"))
    sink = Files(directory, NODE)
    await sink.write(b"\x00\xff out")
    await sink.write_error(b"err")
    await sink.finish()
    await sink.finish()
    assert (directory / f"{NODE.node_id}.stdout").read_bytes() == b"\x00\xff out"
    assert (directory / f"{NODE.node_id}.stderr").read_bytes() == b"err"


async def test_a_link_that_waits_in_the_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / f"{NODE.node_id}.stdout").symlink_to(tmp_path / "victim")
    with pytest.raises(ValidationException):
        Files(tmp_path, NODE)
    assert (tmp_path / "victim").read_text() == "kept"


async def test_a_full_disk_is_an_error_of_ours() -> None:
    sink = Files.__new__(Files)
    sink._files = [os.open("/dev/full", os.O_WRONLY)]
    with pytest.raises(ValidationException):
        await sink.write(b"x")
    await sink.finish()


async def test_memory_keeps_the_beginning_and_says_that_there_was_more() -> None:
    kept = Kept()
    await kept.write(b"a" * MAX_KEPT)
    assert not kept.truncated
    await kept.write(b"b")
    await kept.write_error(b"e")
    await kept.finish()
    assert (bytes(kept.output), bytes(kept.errors), kept.truncated) == (b"a" * MAX_KEPT, b"e", True)


def test_a_directory_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValidationException):
        make_directory(str(tmp_path / "file" / "deep"))
