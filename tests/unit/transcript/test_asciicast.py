"""The export is what the asciicast v3 page describes, and is harmless to its player."""

from __future__ import annotations

import json

import pytest

from hatchway.core.transcript.asciicast import cast
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from tests.unit.transcript.frames import AT, chunk
from tests.vectors.hostile import CORPUS, MARK


def events(*chunks: Chunk) -> tuple[dict[str, object], list[list[object]]]:
    first, *rest = "".join(cast(chunks, 1_700_000_000, "ann on web")).splitlines()
    return json.loads(first), [json.loads(line) for line in rest]


def test_the_file_is_a_header_and_events_with_intervals() -> None:
    header, found = events(
        chunk(b"100x30", Kind.RESIZE, AT, side=Side.CLIENT),
        chunk(b"$ ", at=AT + 250),
        chunk(b"ls\r", Kind.INPUT, AT + 1250),
        chunk(b"120x40", Kind.RESIZE, AT + 1250, side=Side.CLIENT),
        chunk(b"", Kind.MARKER, AT + 1300, note="client 2 took over"),
        chunk(b"0", Kind.EXIT, AT + 1400),
    )
    assert header == {
        "version": 3,
        "term": {"cols": 100, "rows": 30, "type": "xterm-256color"},
        "timestamp": 1_700_000_000,
        "title": "ann on web",
    }
    assert found == [
        [0.0, "r", "100x30"],
        [0.25, "o", "$ "],
        [1.0, "i", "ls\r"],
        [0.0, "r", "120x40"],
        [0.05, "m", "client 2 took over"],
        [0.0, "x", "0"],
    ]


def test_a_character_across_chunks_is_whole() -> None:
    _, found = events(chunk(b"\xe2\x82"), chunk(b"\xac"))
    assert found == [[0.0, "o", "\u20ac"]]


def test_time_never_goes_back() -> None:
    _, found = events(chunk(b"a", at=AT + 5), chunk(b"b", at=AT), chunk(b"c", at=AT + 6))
    assert [event[0] for event in found] == [0.0, 0.0, 0.001]


def test_what_follows_the_exit_comes_before_it_in_the_file() -> None:
    _, found = events(chunk(b"3", Kind.EXIT), chunk(b"", Kind.MARKER, note="the end was late"))
    assert [event[1] for event in found] == ["m", "x"]


def test_gaps_are_markers_and_handshakes_are_nothing() -> None:
    _, found = events(
        chunk(b"", Kind.MARKER, note="handshake request"),
        chunk(b"5 bytes", Kind.GAP, note="5 bytes of output were lost at the node"),
    )
    assert found == [[0.0, "m", "5 bytes of output were lost at the node"]]


@pytest.mark.parametrize("name", CORPUS)
def test_hostile_output_does_not_reach_beyond_the_players_screen(name: str) -> None:
    text = "".join(cast([chunk(CORPUS[name]), chunk(b"\r\nend\r\n")], 1, "\x1b]0;" + name))
    assert all(line.isprintable() for line in text.splitlines())
    if "line feed" not in name:
        assert MARK.decode() not in text
    shown = "".join(json.loads(line)[2] for line in text.splitlines()[1:])
    assert not {"\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x05"} & {
        shown[at : at + size] for at in range(len(shown)) for size in (1, 2)
    }
