"""What a person could read is what the text says, and nothing in it works on a terminal."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import ValidationException
from hatchway.core.transcript.chunks import Kind, Side
from hatchway.core.transcript.search import MAX_NEEDLE, MAX_SHOWN, Search, needle
from hatchway.core.transcript.text import MAX_CELLS, Line, LineResolver, Origin
from tests.unit.transcript.frames import AT, chunk
from tests.vectors.hostile import CORPUS, MARK


def lines(*pieces: bytes, columns: int = 80) -> list[Line]:
    resolver = LineResolver()
    resolver.take(chunk(b"%dx24" % columns, Kind.RESIZE, side=Side.CLIENT))
    found = [line for n, piece in enumerate(pieces) for line in resolver.take(chunk(piece, at=n))]
    return found + resolver.finish()


def text(*pieces: bytes, columns: int = 80) -> list[str]:
    return [line.text for line in lines(*pieces, columns=columns)]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"one\r\ntwo\nthree", ["one", "two", "three"]),
        (b"10%\r20%\r100%\r\n", ["100%"]),
        (b"abcdef\rxy\r\n", ["xycdef"]),
        (b"helo\blo\r\n", ["hello"]),
        (b"rm -rf\b\b\b\b\b\b\x1b[Kls\r\n", ["ls"]),
        (b"\x1b[1;31mred\x1b[0m and \x1b[38;5;12mblue\x1b[m\r\n", ["red and blue"]),
        (b"a\tb\r\n", ["a       b"]),
        (b"abc\x1b[2Dx\r\n", ["axc"]),
        (b"abc\x1b[3Kd\r\n", ["abcd"]),
        (b"abc\x1b[1Gx\r\n", ["xbc"]),
        (b"ab\x1b[3Cc\r\n", ["ab   c"]),
        (b"abcdef\x1b[4D\x1b[2P\r\n", ["abef"]),
        (b"abef\x1b[2D\x1b[2@cd\r\n", ["abcdef"]),
        (b"abcdef\r\x1b[3X\r\n", ["   def"]),
        (b"abcdef\x1b[1K\r\n", [""]),
        (b"abc\x1b[2Kd\r\n", ["   d"]),
        (b"first\x1b[2;1Hsecond\x1b[2Jthird", ["first", "second", "third"]),
        (b"a\x0bb\x0cc\x1bcd", ["a", "b", "c", "d"]),
        ("caf\u00e9 \u4e2d\u6587\r\n".encode(), ["caf\u00e9 \u4e2d\u6587"]),
        ("\u4e2d\u6587\rx\r\n".encode(), ["x\u6587"]),
        ("e\u0301\r\n".encode(), ["e\u0301"]),
        (b"bad \xff\r\n", ["bad \\xff"]),
        ("a\u202eb\u200bc\r\n".encode(), ["a\\u202eb\\u200bc"]),
        (b"\x1b]0;title\x07shown\r\n", ["shown"]),
        (b"trailing   \r\n", ["trailing"]),
        (b"", []),
    ],
)
def test_a_line_is_what_stood_there_at_its_end(output: bytes, expected: list[str]) -> None:
    assert text(output) == expected


@pytest.mark.parametrize(("output", "expected"), [(b"x" * 9 + b" \ryz\r\n", ["x" * 9 + "yz"])])
def test_a_command_that_wraps_at_the_terminals_edge_is_one_line(
    output: bytes, expected: list[str]
) -> None:
    assert text(output, columns=9) == expected


def test_a_shell_that_goes_up_into_the_line_before_edits_it() -> None:
    wrapped = b"$ abcdefgh \rij\x1b[A\rX\r\n"
    assert text(wrapped, columns=10) == ["X abcdefghij"]
    assert text(b"$ abcdefgh \rij\x1b[A\r\x1b[Bk\r\n", columns=10) == ["$ abcdefghkj"]


@given(st.lists(st.integers(0, 500), max_size=10), st.sampled_from(sorted(CORPUS)))
def test_where_the_chunks_are_cut_makes_no_difference(cuts: list[int], name: str) -> None:
    data = b"before\r\n" + CORPUS[name][:600] + b"\r\nafter \xc3\xa4\r\n"
    places = [0, *sorted({cut % len(data) for cut in cuts}), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(places) if a < b]
    assert text(*pieces) == text(data)


@given(st.binary(max_size=400))
def test_nothing_in_a_line_is_a_control_or_invisible(data: bytes) -> None:
    assert all(line.isprintable() for line in text(data))


@pytest.mark.parametrize("name", CORPUS)
def test_hostile_output_becomes_harmless_lines_and_does_not_swallow_what_follows(name: str) -> None:
    found = text(b"before\r\n", CORPUS[name], b"\x1b\\\x1b[?1049l\r\n", b"after\r\n")
    assert all(line.isprintable() for line in found)
    assert found[0] == "before"
    assert found[-1] == "after"
    assert all(len(line) <= MAX_CELLS * 13 for line in found)


@pytest.mark.parametrize("name", [n for n in CORPUS if MARK in CORPUS[n] and "line feed" not in n])
def test_what_a_terminal_does_not_show_is_not_in_the_text(name: str) -> None:
    assert MARK.decode() not in "".join(text(CORPUS[name]))


def test_full_screen_programs_are_told_in_one_line() -> None:
    found = lines(b"$ vi\r\n\x1b[?1049h", b"~\r\n~\r\n\x1b[5;5Htext", b"\x1b[?1049l", b"$ ")
    assert [line.origin for line in found] == [Origin.OUTPUT, Origin.NOTE, Origin.OUTPUT]
    assert found[1].text.startswith("[a full-screen program: 0 s, ")


def test_a_full_screen_program_that_never_ended_is_told_at_the_end() -> None:
    assert text(b"\x1b[?1049hfull")[-1].startswith("[a full-screen program")


def test_a_line_bears_its_number_and_when_it_was_last_written_to() -> None:
    first, second = lines(b"$ ", b"ls", b"\r\n", b"file\r\n")
    assert (first.number, first.at, first.text) == (1, 1, "$ ls")
    assert (second.number, second.at) == (2, 3)


def test_a_line_beyond_the_limit_comes_in_pieces_of_bounded_size() -> None:
    for data in (b"x" * (3 * MAX_CELLS), b"x" * (3 * MAX_CELLS) + b"\n"):
        found = text(data)
        assert sum(map(len, found)) == 3 * MAX_CELLS
        assert max(map(len, found)) <= MAX_CELLS * 5 // 4


def test_gaps_and_marks_are_lines_and_handshakes_are_not() -> None:
    resolver = LineResolver()
    gap = chunk(b"5 bytes", Kind.GAP, note="5 bytes of output were lost at the node")
    (line,) = resolver.take(gap)
    assert (line.text, line.origin) == (f"[{gap.note}]", Origin.NOTE)
    assert resolver.take(chunk(b"", Kind.MARKER, note="handshake request")) == []
    assert resolver.take(chunk(b"", Kind.MARKER, note="mismatch: \x1b]0;x"))[0].text.isprintable()
    assert resolver.take(chunk(b"typed", Kind.INPUT)) == []


def test_standard_error_is_a_stream_of_its_own() -> None:
    resolver = LineResolver()
    assert resolver.take(chunk(b"out")) == []
    (line,) = resolver.take(chunk(b"oops\n", Kind.STDERR))
    assert (line.text, line.origin) == ("oops", Origin.STDERR)
    assert [line.text for line in resolver.take(chunk(b"put\n"))] == ["output"]


# --- search -------------------------------------------------------------------------------------


def search(what: str, *pieces: tuple[int, bytes]) -> list[tuple[int, float, str]]:
    looking = Search(needle(what))
    found = [m for at, piece in pieces for m in looking.take(chunk(piece, at=AT + at))]
    return [(m.line, m.second, m.text) for m in found + looking.finish()]


def test_a_search_counts_the_lines_that_it_has_read() -> None:
    looking = Search(needle("x"))
    looking.take(chunk(b"one\ntwo\nthree"))
    assert looking.line == 2
    looking.finish()
    assert looking.line == 3


def test_a_match_has_its_line_and_second() -> None:
    pieces = ((0, b"$ ls\r\n"), (1500, b"notes.txt\r\nse"), (2500, b"cret.txt"))
    assert search("secret", *pieces) == [(3, 2.5, "secret.txt")]


def test_a_text_in_colour_or_typed_with_corrections_is_found() -> None:
    assert search("reboot", (0, b"re\x1b[31mboot\x1b[m\r\n"))
    assert search("reboot", (0, b"rebot\bot\r\n"))


def test_lower_case_finds_either_and_upper_case_is_exact() -> None:
    assert search("error", (0, b"ERROR\n"))
    assert not search("Error", (0, b"ERROR\n"))


def test_a_match_in_a_long_line_is_shown_with_what_is_around_it() -> None:
    ((_, _, shown),) = search("needle", (0, b"x" * 5000 + b"needle" + b"y" * 5000 + b"\n"))
    assert "needle" in shown
    assert len(shown) == MAX_SHOWN + 2
    ((_, _, shown),) = search("needle", (0, b"needle" + b"y" * 5000 + b"\n"))
    assert shown.startswith("needle")


@pytest.mark.parametrize("what", ["", "  ", "x" * (MAX_NEEDLE + 1)])
def test_a_text_to_search_for_is_checked(what: str) -> None:
    with pytest.raises(ValidationException):
        needle(what)
