"""What a newcomer is shown: the end of the output, from where it can be shown, asking nothing."""

from __future__ import annotations

import asyncio

import pytest

from agent.redraw import PAUSE, Redraw
from agent.tail import LIMIT, PIECE, SEARCH, Tail
from tests.unit.agent.virtual_time import run


def tail(*pieces: bytes) -> Tail:
    made = Tail()
    for piece in pieces:
        made.write(piece)
    return made


def test_a_short_output_is_shown_whole_but_what_will_be_sent_anyway() -> None:
    assert tail(b"one\r\n", b"two\r\n").replay(0) == b"one\r\ntwo\r\n"
    assert tail(b"one\r\ntwo\r\n").replay(5) == b"one\r\n"
    assert tail(b"one\r\n").replay(5) == tail(b"one\r\n").replay(9) == b""


def test_a_long_output_is_bounded_and_begins_with_a_line() -> None:
    lines = [b"line %06d\r\n" % n for n in range(2 * LIMIT // 13)]
    made = tail(*lines)
    shown = made.replay(0)
    assert LIMIT - SEARCH < len(shown) <= LIMIT
    assert shown.startswith(b"line ")
    assert shown.endswith(lines[-1])
    assert made.kept <= LIMIT + 2 * PIECE


def test_without_lines_no_escape_sequence_and_no_character_is_cut() -> None:
    drawn = b"\x1b[12;40H\x1b[31mx" * (LIMIT // 12)
    assert tail(drawn).replay(0).startswith(b"\x1b[")
    accents = "é".encode() * LIMIT
    assert tail(b"x" + accents).replay(0).decode().startswith("é")


def test_modes_that_were_set_before_the_cut_are_set_again() -> None:
    made = tail(b"\x1b[?1049h\x1b[?25l\x1b[?1;2004h\x1b[?25h\x1b=\n", b"x\r\n" * LIMIT)
    assert made.replay(0).startswith(b"\x1b[?1049h\x1b[?1h\x1b[?2004h\x1b[?25h\x1b=x\r\n")
    assert tail(b"\x1b[?1049h\x1bc\n", b"x\r\n" * LIMIT).replay(0).startswith(b"x\r\n")


@pytest.mark.parametrize("before", range(10))
def test_a_mode_is_learnt_also_where_the_output_is_cut_within_its_sequence(before: int) -> None:
    first = b"x" * (PIECE - before) + b"\x1b[?1049h" + b"x" * (before + 8)
    made = tail(first[:PIECE], first[PIECE:], *[b"\r\n" * PIECE] * 8)
    assert made.replay(0).startswith(b"\x1b[?1049h")


@pytest.mark.parametrize(
    "asks",
    [
        b"\x1b[c",
        b"\x1b[>0c",
        b"\x1b[6n",
        b"\x1b[?6n",
        b"\x1bZ",
        b"\x05",
        b"\x1b[18t",
        b"\x1b]52;c;?\x07",
        b"\x1bP+q544e\x1b\\",
        b"\x1b[?2026$p",
        b"\x1b[?u",
        b"\x1b[>0q",
    ],
)
def test_nothing_that_a_terminal_answers_is_shown_again(asks: bytes) -> None:
    assert tail(b"a" + asks + b"b\x1b[1mc").replay(0) == b"ab\x1b[1mc"


def test_the_first_size_of_a_newcomer_becomes_two() -> None:
    async def test() -> None:
        sizes: list[tuple[int, int]] = []
        redraw = Redraw(lambda columns, rows: sizes.append((columns, rows)))
        redraw.size(80, 24)
        redraw.expect()
        redraw.size(80, 24)
        assert sizes == [(80, 24), (80, 23)]
        await asyncio.sleep(PAUSE * 2)
        assert sizes.pop() == (80, 24)
        redraw.expect()
        redraw.size(80, 1)
        redraw.expect()
        redraw.size(80, 30)
        redraw.size(90, 40)
        await asyncio.sleep(PAUSE * 2)
        assert sizes[2:] == [(80, 1), (80, 29), (90, 40)]

    run(test())
