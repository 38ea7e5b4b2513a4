"""What of the log is read again is known: nothing is told twice, and nothing is falsely late."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import MalformedRecording
from hatchway.core.recording import Passed, dump
from hatchway.core.transcript import known as limits
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.known import MAX_KNOWN, Known, Mark, mark
from hatchway.core.transcript.ordering import GAP_AFTER, MAX_WAITING
from hatchway.core.transcript.recorder import Redaction
from lambdas.ledger import Progress
from lambdas.passing import OVERLAP, read_on
from lambdas.ports import PassedPage
from tests.unit.transcript.frames import AT, output

ID = "ann-0123456789abcdef0"
#: Events in a page of GetLogEvents.
PAGE = 10_000


@dataclass(slots=True)
class SlowLog:
    """The port PassedLog: an event shows itself `visible`, some time after it was stored."""

    now: int = 0
    #: When it passed, when it shows itself, what it says.
    events: list[tuple[int, int, str]] = field(default_factory=list)
    read_last: int = 0

    def passed(self, at: int, visible: int, *frames: bytes) -> None:
        text = dump(Passed(side=Side.NODE, generation=1, frames=frames))
        self.events.append((AT + at, AT + visible, text))

    def read(self, session_id: str, since: int, next_token: str = "") -> PassedPage:
        there = sorted((at, t) for at, seen, t in self.events if at >= since and seen <= self.now)
        first = int(next_token or 0)
        page = there[first : first + PAGE]
        self.read_last = len(there)
        return PassedPage(events=page, next_token=str(first + len(page)) if page else "")


def looks(log: SlowLog, times: Sequence[int]) -> list[Chunk]:
    """What is told by a look at each of these times, and at the end, each from a kept progress."""
    found, progress = list[Chunk](), Progress()
    for number, time in enumerate(times):
        log.now = AT + time
        final = number == len(times) - 1
        read = read_on(log, ID, Redaction(), progress, until=log.now + 1, final=final)
        assert not read.more
        found += read.chunks
        kept = Known.of_json(read.progress.known.to_json())
        progress = Progress(read.progress.state, read.progress.since, kept)
    return found


def each_once(chunks: Sequence[Chunk], count: int) -> None:
    """Every message is told once, and late only where its place was given up before."""
    given_up, told = set[int](), list[int]()
    for chunk in chunks:
        if chunk.kind is Kind.GAP:
            given_up |= set(range(chunk.sequence, chunk.sequence + chunk.messages))
            continue
        assert chunk.kind is Kind.OUTPUT, chunk.note
        told.append(chunk.sequence)
        assert chunk.note.startswith("late") == (chunk.sequence in given_up)
        assert chunk.data == b"%d" % chunk.sequence
    assert sorted(told) == list(range(count))


def test_at_500_messages_a_second_nothing_is_late_that_was_told_or_was_not_given_up() -> None:
    """Three messages are lost, given up, and sent again: late, once, however often the minute is
    read again. At the end some events show themselves late by seconds: those are in their place."""
    chance, log, lost = random.Random(7), SlowLog(), {1, 2, 3}
    for n in {0, 4}:
        log.passed(n, n, output(n, b"%d" % n))
    began, seconds, rate = GAP_AFTER + 5, 12, 500
    log.passed(began, began, output(5, b"5"))  # by now nothing waits for them any more
    late = {2: 1, 1: 2, 3: 3}  # out of their order
    for n, at in late.items():
        log.passed(began + at, began + at, output(n, b"%d" % n))
    slow = set(chance.sample(range(9 * rate, seconds * rate), 10))
    for n in range(seconds * rate):
        at = began + 10 + n * 1000 // rate
        delay = chance.randrange(10_000) if n in slow else 100
        log.passed(at, at + delay, output(6 + n, b"%d" % (6 + n)))
    end = began + seconds * 1000
    chunks = looks(log, [began + 5, *range(began + 4000, end, 4000), end + OVERLAP])
    each_once(chunks, 6 + seconds * rate)
    assert {c.sequence for c in chunks if c.note.startswith("late")} == lost


def test_a_minute_at_500_messages_a_second_is_remembered_and_may_wait() -> None:
    assert min(MAX_KNOWN, MAX_WAITING) >= 500 * OVERLAP // 1000


@given(
    st.lists(
        st.tuples(st.integers(0, 4000), st.integers(0, OVERLAP - 1000), st.integers(1, 3)),
        min_size=1,
        max_size=40,
    ),
    st.lists(st.integers(0, 300_000), max_size=8),
)
def test_whatever_shows_itself_when_and_whenever_one_looks(
    steps: list[tuple[int, int, int]], times: list[int]
) -> None:
    """Steps are: milliseconds since the one before, how late it shows itself, how often it came."""
    log, at = SlowLog(), 0
    for number, (pause, delay, copies) in enumerate(steps):
        at += pause
        for copy in range(copies):
            log.passed(at + copy, at + copy + delay, output(number, b"%d" % number))
    each_once(looks(log, [*sorted(times), 1_000_000]), len(steps))


def test_what_was_read_is_read_again_and_gives_nothing() -> None:
    log = SlowLog()
    for n in range(10):
        log.passed(n, n, output(n, b"%d" % n))
    log.now = AT + 10
    first = read_on(log, ID, Redaction(), Progress(), until=log.now)
    again = read_on(log, ID, Redaction(), first.progress, until=log.now)
    assert log.read_last == 10
    assert (again.chunks, again.progress, again.counts) == ((), first.progress, {})


def test_more_events_than_are_remembered_are_not_read_again() -> None:
    marks = [Mark(at, 1, b"%016d" % at) for at in range(MAX_KNOWN + 10)]
    since = marks[-1].at
    known = Known().after(marks, since, OVERLAP)
    assert len(known.marks) == MAX_KNOWN
    assert known.floor == min(m.at for m in known.marks) == 10
    assert Known().after(marks[:MAX_KNOWN], MAX_KNOWN - 1, OVERLAP).floor == 0


def test_more_bytes_than_are_read_again_are_forgotten_too() -> None:
    half = limits.MAX_AGAIN // 2
    marks = [Mark(at, half, b"%016d" % at) for at in range(3)]
    assert [m.at for m in Known().after(marks, 2, OVERLAP).marks] == [2, 1]


def test_events_of_one_moment_are_forgotten_together_and_the_latest_never() -> None:
    marks = [Mark(n > 0, limits.MAX_AGAIN, b"%016d" % n) for n in range(3)]
    known = Known().after(marks, 1, OVERLAP)
    assert (known.floor, len(known.marks)) == (1, 2)
    twins = [Mark(5, 1, b"%016d" % n) for n in range(MAX_KNOWN)]
    later = Known().after([*twins, Mark(5, 1, b"x" * 16), Mark(6, 1, b"y" * 16)], 6, OVERLAP)
    assert (later.floor, [m.at for m in later.marks]) == (6, [6])


def test_what_is_older_than_the_overlap_is_forgotten() -> None:
    known = Known().after([Mark(0, 1, b"a" * 16)], 0, OVERLAP)
    later = known.after([Mark(OVERLAP + 1, 1, b"b" * 16)], OVERLAP + 1, OVERLAP)
    assert (later.floor, [m.at for m in later.marks]) == (1, [OVERLAP + 1])


def test_the_same_text_at_another_moment_is_another_event() -> None:
    assert mark(1, "x") == mark(1, "x")
    assert mark(1, "x").fingerprint != mark(2, "x").fingerprint


@pytest.mark.parametrize(
    "damage",
    [
        {"floor": -1},
        {"at": 1},
        {"at": ["x"]},
        {"at": [1, 2]},
        {"size": []},
        {"prints": "no"},
        {"prints": ""},
    ],
)
def test_a_damaged_memory_is_refused(damage: dict[str, object]) -> None:
    document = Known(1, (Mark(2, 3, b"x" * 16),)).to_json()
    assert Known.of_json(document) == Known(1, (Mark(2, 3, b"x" * 16),))
    with pytest.raises(MalformedRecording):
        Known.of_json(document | damage)
    with pytest.raises(MalformedRecording):
        Known.of_json({})
