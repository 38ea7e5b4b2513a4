"""The node says which of what was typed its terminal echoed; real terminals, real programs."""

from __future__ import annotations

import os
import termios
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from agent.clock import ServiceClock
from agent.echo import MAX_REPORT_TEXT, EchoReports
from agent.terminal.posix import Terminal
from hatchway.core.transcript.hidden import MAX_STRETCHES, EchoReport, Stretch, parse_report
from hatchway.core.wire import MessageType, parse, text_length

ANN, BOB = str(UUID(int=1)), str(UUID(int=2))


def reports(wanted: bool = True) -> EchoReports:
    clock = ServiceClock.__new__(ServiceClock)
    clock.unix = lambda: 1_700_000_000.0  # type: ignore[method-assign]
    return EchoReports(wanted, clock, lambda size: bytes(size))


def told(echo: EchoReports) -> EchoReport | None:
    frames = echo.report()
    if not frames:
        return None
    (frame,) = frames
    message = parse(frame)
    assert message.message_type is MessageType.AGENT_SESSION_STATE
    return parse_report(message.payload)


def test_a_report_says_whose_bytes_were_echoed_and_tells_again_what_was_told() -> None:
    echo = reports()
    echo.typed(ANN, 3)
    echo.typed(ANN, 8)
    assert told(echo) is None
    echo.fed(3, echo=True)
    assert told(echo) == EchoReport(ANN, (Stretch(0, 3, True),))
    assert told(echo) is None
    echo.fed(5, echo=False)
    echo.fed(3, echo=False)
    assert told(echo) == EchoReport(ANN, (Stretch(0, 3, True), Stretch(3, 11, False)))


def test_what_a_replaced_client_typed_is_told_as_its_own() -> None:
    echo = reports()
    echo.typed(ANN, 2)
    echo.typed(BOB, 2)
    echo.fed(2, echo=True)
    assert told(echo) == EchoReport(ANN, (Stretch(0, 2, True),))
    echo.fed(2, echo=False)
    assert told(echo) == EchoReport(BOB, (Stretch(0, 2, False),))


def test_after_an_upload_that_failed_the_report_goes_again() -> None:
    echo = reports()
    echo.lost()
    assert told(echo) is None
    echo.typed(ANN, 1)
    echo.fed(1, echo=True)
    assert told(echo) is not None
    echo.lost()
    assert told(echo) is not None


def test_where_input_is_not_recorded_nothing_is_reported() -> None:
    echo = reports(wanted=False)
    echo.typed(ANN, 1)
    echo.fed(1, echo=False)
    echo.lost()
    assert told(echo) is None
    assert echo.room == 0


def test_the_longest_report_has_its_room() -> None:
    echo = reports()
    for n in range(MAX_STRETCHES + 1):
        echo.typed(ANN, 10**9)
        echo.fed(10**9, echo=bool(n % 2))
    assert echo.room == MAX_REPORT_TEXT
    (frame,) = echo.report()
    assert text_length(len(frame)) <= MAX_REPORT_TEXT


@pytest.fixture
def terminal() -> Iterator[tuple[Terminal, int]]:
    master, slave = os.openpty()
    made = Terminal.__new__(Terminal)
    made.master = master
    yield made, slave
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize(
    ("icanon", "echo", "echoes"),
    [(True, True, True), (True, False, False), (False, False, True), (False, True, True)],
)
def test_only_reading_lines_without_echo_is_a_secret_s_prompt(
    terminal: tuple[Terminal, int], icanon: bool, echo: bool, echoes: bool
) -> None:
    made, slave = terminal
    attributes = termios.tcgetattr(slave)
    for flag, on in ((termios.ICANON, icanon), (termios.ECHO, echo)):
        attributes[3] = attributes[3] | flag if on else attributes[3] & ~flag
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    assert made.echoes is echoes


def test_of_a_terminal_that_is_gone_nothing_was_echoed(tmp_path: Path) -> None:
    made = Terminal.__new__(Terminal)
    with (tmp_path / "no terminal").open("w") as file:
        made.master = file.fileno()
        assert made.echoes is False
