"""exec on many nodes: whose line is whose, what the result says, and what status all have."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.cli.exec_many import run_many
from hatchway.cli.exits import apart
from hatchway.cli.lines import flat
from hatchway.cli.main import build_parser
from hatchway.client import Hatchway, Node
from hatchway.core.errors import Exit, TargetNotConnected, TargetUnknown, ValidationException
from hatchway.core.screen import ScreenFilter
from tests.unit.client.node import LittleCommand
from tests.unit.client.test_fleet import Service, node
from tests.vectors.hostile import CORPUS, MARK

pytestmark = pytest.mark.timeout(60)
Capture = pytest.CaptureFixture[str]
IDS = [node(number).node_id for number in range(3)]


class Nodes(Service):
    """And the list of them."""

    def __init__(self, commands: Sequence[LittleCommand]) -> None:
        super().__init__(commands)
        self._listed = [node(n, role="web") for n in range(len(commands))]

    def nodes(self) -> list[Node]:
        return self._listed


def run(service: Nodes, *options: str, targets: Sequence[str] = ()) -> int:
    args = build_parser().parse_args(["exec", *options])
    args.rest = ["uptime", "-p"]
    return run_many(args, cast(Hatchway, service), targets)


def printing(*outputs: bytes, status: int = 0) -> Nodes:
    """Commands that print that much and end at once, for their input is empty."""
    return Nodes([LittleCommand(status, output=output) for output in outputs])


def test_each_line_is_behind_its_nodes_name_and_the_summary_is_beside(capfd: Capture) -> None:
    assert run(printing(b"up\n", b"down"), targets=IDS[:2]) == 0
    out, err = capfd.readouterr()
    assert sorted(out.splitlines()) == ["web-0: up", "web-1: down"]
    assert all(word in err for word in (*IDS[:2], "Succeeded", "Exit code"))


def test_errors_are_lines_of_standard_error(capfd: Capture) -> None:
    assert run(Nodes([LittleCommand(0, b"oops\n")]), "-q", targets=IDS[:1]) == 0
    assert capfd.readouterr() == ("", "web-0: oops\n")


def test_the_status_is_the_highest_of_all(capfd: Capture) -> None:
    service = Nodes([LittleCommand(0), LittleCommand(7), LittleCommand(3)])
    assert run(service, "--tag", "role=web") == 7
    assert "7" in capfd.readouterr().err


def test_as_json_there_is_nothing_but_the_results(capfd: Capture) -> None:
    service = printing(b"up\n", b"\xff\x1b[2J", status=4)
    service.refusals[IDS[1]] = [TargetNotConnected("It is \x1b[2Jnot there.")]
    assert run(service, "--json", targets=IDS[:2]) == apart(Exit.NOT_CONNECTED)
    out, _ = capfd.readouterr()
    assert out.isascii()
    assert "\x1b" not in out
    told = json.loads(out)
    ran, refused = told["Results"]
    assert told["Command"] == ["uptime", "-p"]
    assert (ran["NodeId"], ran["Status"], ran["ExitCode"], ran["Stdout"], ran["Truncated"]) == (
        IDS[0],
        "Exited",
        4,
        "up\n",
        False,
    )
    assert refused["Error"]["Code"] == "TargetNotConnected"
    assert refused["SessionId"] is None
    assert (told["Summary"]["Exited"], told["Summary"]["Failed"]) == (1, 1)
    assert told["ExitStatus"] == apart(Exit.NOT_CONNECTED)


def test_with_a_directory_the_output_is_there_and_exact(tmp_path: Path, capfd: Capture) -> None:
    service = Nodes([LittleCommand(0, b"\x00err", output=b"\xff\x1b[2Jout")])
    assert run(service, "--output-dir", str(tmp_path), "--json", targets=IDS[:1]) == 0
    [result] = json.loads(capfd.readouterr().out)["Results"]
    assert Path(result["StdoutFile"]).read_bytes() == b"\xff\x1b[2Jout"
    assert Path(result["StderrFile"]).read_bytes() == b"\x00err"


def test_the_input_of_a_file_goes_to_each(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "in").write_bytes(b"same\n")
    options = ("--input", str(tmp_path / "in"), "-q")
    assert run(Nodes([LittleCommand(), LittleCommand()]), *options, targets=IDS[:2]) == 0
    assert sorted(capfd.readouterr().out.splitlines()) == ["web-0: same", "web-1: same"]


def test_after_too_many_failures_no_more_are_started(capfd: Capture) -> None:
    service = Nodes([LittleCommand(9), LittleCommand(), LittleCommand()])
    options = ("--max-failures", "0", "--concurrency", "1", "-q")
    assert run(service, *options, targets=IDS) == apart(Exit.FAILURE)
    assert service.started == IDS[:1]
    told = capfd.readouterr().err.splitlines()
    assert [line.split(": ")[:2] for line in told] == [["hatchway", each] for each in IDS[1:]]


@pytest.mark.parametrize(
    "options",
    [("-t",), ("--concurrency", "0"), ("--concurrency", "1001"), ("--max-failures", "-1")],
)
def test_what_cannot_be_is_refused_before_anything_is_started(options: Sequence[str]) -> None:
    service = printing(b"")
    with pytest.raises(ValidationException):
        run(service, *options, targets=IDS[:1])
    assert service.started == []


def test_a_tag_that_no_node_has_is_an_error() -> None:
    with pytest.raises(TargetUnknown):
        run(printing(b""), "--tag", "role=db")


def test_a_refusal_that_is_told_quietly_reaches_the_terminal_as_text(capfd: Capture) -> None:
    service = printing(b"")
    service.refusals[IDS[0]] = [TargetNotConnected("no\x1b]0;x\x07\u202e node")]
    assert run(service, "-q", targets=IDS[:1]) == apart(Exit.NOT_CONNECTED)
    err = capfd.readouterr().err
    assert "no\\x1b]0;x\\x07\\u202e node" in err
    assert err.replace("\n", "").isprintable()


# --- whose line is whose ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"plain", b"plain"),
        (b"a\tb", b"a\tb"),
        (b"ends in CR\r", b"ends in CR"),
        (b"10%\r20%\rdone", b"done"),
        (b"N\bNA\bA", b"NA"),
        (b"\x1b[31mred", b"\x1b[31mred\x1b[m"),
        (b"\x1b[2K\x1b[1Gdb-1: fine", rb"\x1b[2K\x1b[1Gdb-1: fine"),
        (b"\x1b[Aother's line", rb"\x1b[Aother's line"),
        (b"\rdb-1: fine", b"db-1: fine"),
        ("\u202egnp".encode(), rb"\u202egnp"),
        (b"\xff", "\ufffd".encode()),
        (b"", b""),
        (b"\r\r", b""),
        (b"\b\b", b""),
    ],
)
def test_a_line_on_a_terminal_stays_on_its_line(line: bytes, shown: bytes) -> None:
    assert flat(line) == shown


@given(st.binary(max_size=400))
def test_whatever_a_node_prints_moves_no_cursor_and_turns_no_text(data: bytes) -> None:
    text = flat(data.replace(b"\n", b"")).decode()
    for colour in _colours(text):
        text = text.replace(colour, "")
    assert all(char.isprintable() or char == "\t" for char in text)


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_hostile_is_in_a_line(name: str) -> None:
    for line in ScreenFilter().feed(CORPUS[name]).split(b"\n"):
        text = flat(line).decode()
        for colour in _colours(text):
            text = text.replace(colour, "")
        assert all(char.isprintable() or char == "\t" for char in text)
        if "line feed" not in name:
            assert MARK.decode() not in text


def _colours(text: str) -> set[str]:
    return set(re.findall(r"\x1b\[[0-9:;]*m", text))
