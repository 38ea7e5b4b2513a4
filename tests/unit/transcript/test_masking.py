"""Patterns are masked wherever chunks are cut, bounded in what is held back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import ValidationException
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.masking import (
    KEPT,
    LINE_WITHIN,
    MAX_LINE,
    MAX_PATTERN,
    MAX_PATTERNS,
    Masker,
    compile_patterns,
)
from tests.unit.transcript.frames import AT, chunk

KEY = r"AKIA[0-9A-Z]{16}"
SECRET = b"AKIAIOSFODNN7EXAMPLE"


def run(masker: Masker, *chunks: Chunk) -> list[Chunk]:
    return [found for one in chunks for found in masker.take(one)]


def pieces(data: bytes, cuts: list[int]) -> list[Chunk]:
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [
        chunk(data[first:end], sequence=n, digest="d")
        for n, (first, end) in enumerate(itertools.pairwise(places))
    ]


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_a_secret_is_masked_wherever_the_chunks_are_cut(cuts: list[int]) -> None:
    data = b"one\r\nkey " + SECRET + b" two\r\nthree"
    masker = Masker(compile_patterns([KEY]))
    found = run(masker, *pieces(data, cuts)) + list(masker.finish())
    assert b"".join(c.data for c in found) == data.replace(SECRET, b"*" * 20)
    assert [c.sequence for c in found] == list(range(len(found)))
    assert masker.masked == 20


@given(st.binary(max_size=200), st.lists(st.integers(0, 10_000), max_size=12))
def test_what_does_not_match_passes_unchanged(data: bytes, cuts: list[int]) -> None:
    masker = Masker(compile_patterns(["no such text anywhere"]))
    chunks = pieces(data, cuts)
    assert run(masker, *chunks) + list(masker.finish()) == chunks
    assert masker.clean


def test_colour_within_a_secret_does_not_disclose_it() -> None:
    masker = Masker(compile_patterns([KEY]))
    data = b"k=" + SECRET[:7] + b"\x1b[1m" + SECRET[7:] + b"\x1b[0m;\n"
    (found,) = run(masker, chunk(data))
    assert found.data == b"k=" + b"*" * 7 + b"\x1b[1m" + b"*" * 13 + b"\x1b[0m;\n"


def test_a_masked_chunk_bears_no_digest() -> None:
    masker = Masker(compile_patterns([KEY]))
    masked, other = run(masker, chunk(SECRET + b"\n", digest="d"), chunk(b"x\n", digest="e"))
    assert (masked.digest, masked.note) == ("", "masked")
    assert other.digest == "e"


def test_a_line_is_held_back_until_it_ends() -> None:
    masker = Masker(compile_patterns([KEY]))
    assert run(masker, chunk(b"done\nnew line")) == []
    assert [c.data for c in run(masker, chunk(b" ends\n"))] == [b"done\nnew line", b" ends\n"]


def test_a_line_without_end_is_let_go_after_its_time() -> None:
    masker = Masker(compile_patterns([KEY]))
    assert run(masker, chunk(b"$ ")) == []
    assert list(masker.expire(AT + LINE_WITHIN - 1)) == []
    assert [c.data for c in masker.expire(AT + LINE_WITHIN)] == [b"$ "]


def test_a_line_beyond_the_limit_is_let_go_but_for_its_end() -> None:
    masker = Masker(compile_patterns([KEY]))
    assert run(masker, *(chunk(b"x" * 1024) for _ in range(MAX_LINE // 1024))) == []
    found = run(masker, chunk(b"x" * 1024))
    assert sum(len(c.data) for c in found) == MAX_LINE + 1024 - KEPT
    rest = run(masker, chunk(SECRET[:5]), chunk(SECRET[5:] + b"\n"))
    assert SECRET not in b"".join(c.data for c in rest)


def test_streams_are_masked_apart_and_keep_their_order() -> None:
    masker = Masker(compile_patterns([KEY]))
    found = run(
        masker,
        chunk(SECRET[:5], sequence=0),
        chunk(b"warning\n", Kind.STDERR, sequence=1),
        chunk(b"80x24", Kind.RESIZE, side=Side.CLIENT, sequence=2),
        chunk(SECRET[5:] + b"\n", sequence=3),
    )
    assert [c.data for c in found] == [b"*" * 5, b"warning\n", b"80x24", b"*" * 15 + b"\n"]


def test_without_patterns_nothing_is_held() -> None:
    assert run(Masker(()), chunk(b"no end")) == [chunk(b"no end")]


@pytest.mark.parametrize(
    "pattern",
    ["", "(", "(a+)+b", "(?:a*)*", "([a-z]+)*", "(x{2,})+", "a*", "x" * (MAX_PATTERN + 1)],
)
def test_a_pattern_that_is_odd_or_takes_time_without_end_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationException):
        compile_patterns([pattern])


def test_so_many_patterns_and_no_more() -> None:
    assert len(compile_patterns(["a"] * MAX_PATTERNS)) == MAX_PATTERNS
    with pytest.raises(ValidationException):
        compile_patterns(["a"] * (MAX_PATTERNS + 1))


@pytest.mark.parametrize(
    "pattern",
    [KEY, r"(?i)password[:=]\s*\S+", r"\b\d{4}[- ]?\d{4}\b", r"ghp_[A-Za-z0-9]{36}", r"(ab)+"],
)
def test_patterns_that_people_use_are_taken(pattern: str) -> None:
    compile_patterns([pattern])
