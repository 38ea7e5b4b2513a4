"""Whole conversations between the real channel's two ends, recorded as they pass."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core.errors import MalformedRecording
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.hidden import EchoReport, Stretch, pack_report
from hatchway.core.transcript.recorder import Recorder, RecorderState, Redaction
from tests.unit.transcript.frames import ANN, AT, BOB, offer, output, report, size, typed

Event = tuple[Side, int, int, tuple[bytes, ...]]


def echo(who: object = ANN, *stretches: tuple[int, int, bool]) -> bytes:
    return report(pack_report(EchoReport(str(who), tuple(Stretch(*s) for s in stretches))))


def run(recorder: Recorder, events: list[Event]) -> list[Chunk]:
    return [c for side, gen, at, frames in events for c in recorder.take(side, gen, at, frames)]


def conversation(count: int, seed: int) -> list[Event]:
    """Both sides talk, the network repeats and reorders, and the node reports."""
    chance = random.Random(seed)
    node = [offer(), *(output(n, b"out %d secret=%d\r\n" % (n, n)) for n in range(1, count))]
    client = [size(0, 80, 24), *(typed(n, b"k%d" % n) for n in range(1, count))]
    passed = [(Side.NODE, frame) for frame in node + chance.sample(node, k=len(node) // 2)]
    passed += [(Side.CLIENT, frame) for frame in client + chance.sample(client, k=len(client) // 2)]
    events: list[Event] = []
    total = sum(len(b"k%d" % n) for n in range(1, count))
    chance.shuffle(passed)
    for n, (side, frame) in enumerate(passed):
        events.append((side, 1, AT + n, (frame,)))
    return [*events, (Side.NODE, 1, AT + len(passed), (echo(ANN, (0, total, True)),))]


@settings(max_examples=40)
@given(st.integers(1, 15), st.integers(0, 1000), st.data())
def test_runs_that_begin_where_another_ended_clean_give_what_one_run_gives(
    count: int, seed: int, data: st.DataObject
) -> None:
    events = conversation(count, seed)
    redaction = Redaction(patterns=(r"secret=\d+",))
    whole = Recorder(redaction)
    expected = run(whole, events) + whole.finish()
    recorder, found = Recorder(redaction), []
    for event in events:
        if recorder.clean and data.draw(st.booleans()):
            recorder = Recorder(redaction, RecorderState.of_json(recorder.state.to_json()))
        found += run(recorder, [event])
    assert found + recorder.finish() == expected
    assert [c.index for c in expected] == list(range(len(expected)))


def test_both_sides_are_numbered_together_and_each_is_contiguous() -> None:
    chunks = run(recorder := Recorder(Redaction()), conversation(8, 1)) + recorder.finish()
    for side in Side:
        numbers = [c.sequence for c in chunks if c.side is side]
        assert numbers == list(range(8))
    assert not recorder.counts["missing"]


def test_without_typing_only_sizes_of_the_client_are_told_each_once() -> None:
    recorder = Recorder(Redaction(typed=False))
    frames = (size(3, 80, 24), size(3, 80, 24), typed(4, b"x"), size(9, 100, 30), b"rubbish")
    chunks = run(recorder, [(Side.CLIENT, 1, AT, frames)])
    assert [(c.kind, c.data) for c in chunks] == [
        (Kind.RESIZE, b"80x24"),
        (Kind.RESIZE, b"100x30"),
    ]
    assert recorder.malformed == 1
    assert recorder.finish() == []


def test_a_password_is_nowhere_in_the_chunks_or_in_the_state() -> None:
    recorder = Recorder(Redaction())
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (typed(0, b"sudo id\r"),)),
        (Side.NODE, 1, AT + 1, (echo(ANN, (0, 8, True)),)),
        (Side.CLIENT, 1, AT + 2, (typed(1, b"hunter2"), typed(2, b"\r"))),
        (Side.NODE, 1, AT + 3, (echo(ANN, (0, 8, True), (8, 16, False)),)),
    ]
    chunks = run(recorder, events)
    assert [c.data for c in chunks] == [b"sudo id\r", b"", b""]
    assert "7 bytes withheld" in chunks[1].note
    assert recorder.counts["withheld"] == 8
    assert "hunter2" not in str(recorder.state.to_json())


def test_a_setting_records_hidden_input_regardless() -> None:
    recorder = Recorder(Redaction(record_hidden=True))
    (chunk,) = run(recorder, [(Side.CLIENT, 1, AT, (typed(0, b"hunter2"),))])
    assert chunk.data == b"hunter2"


def test_output_is_never_withheld() -> None:
    recorder = Recorder(Redaction())
    events: list[Event] = [(Side.NODE, 1, AT, (offer(), output(1, b"$ "), output(2, b"pw")))]
    assert [c.data for c in run(recorder, events)][1:] == [b"$ ", b"pw"]


def test_what_a_first_client_typed_is_settled_by_its_own_reports_after_a_take_over() -> None:
    recorder = Recorder(Redaction())
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (typed(0, b"aa", ANN),)),
        (Side.CLIENT, 2, AT, (typed(0, b"bbb", BOB),)),
        (Side.NODE, 2, AT, (echo(BOB, (0, 3, True)), echo(ANN, (0, 2, False)))),
    ]
    chunks = run(recorder, events)
    assert [c.data for c in chunks if c.kind is Kind.INPUT] == [b"bbb"]
    assert chunks[0].kind is Kind.MARKER


def test_a_malformed_report_is_counted() -> None:
    recorder = Recorder(Redaction())
    assert run(recorder, [(Side.NODE, 1, AT, (report(b"rubbish"), b""))]) == []
    assert recorder.malformed == 2


def test_sizes_that_are_read_again_change_nothing() -> None:
    events: list[Event] = [(Side.CLIENT, 1, AT, (size(0, 80, 24), size(1, 90, 30)))]
    recorder = Recorder(Redaction(typed=False))
    assert len(run(recorder, events)) == 2
    again = Recorder(Redaction(typed=False), recorder.state)
    assert run(again, events) == []


def test_the_services_own_mark_stands_in_its_place() -> None:
    recorder = Recorder(Redaction())
    (before,) = run(recorder, [(Side.NODE, 1, AT, (output(0, b"x"),))])
    (mark,) = recorder.mark(Side.NODE, 1, AT, "the cap was reached")
    assert (before.index, mark.index, mark.kind) == (0, 1, Kind.MARKER)
    assert mark.note == "the cap was reached"


def test_a_mark_that_was_stored_twice_is_told_once() -> None:
    recorder = Recorder(Redaction())
    assert recorder.mark(Side.NODE, 1, AT, "cap", "cap/1")
    again = Recorder(Redaction(), recorder.state)
    assert again.mark(Side.NODE, 1, AT, "cap", "cap/1") == []
    assert again.mark(Side.NODE, 1, AT, "cap", "cap/2")


def test_after_everything_was_let_go_the_recording_goes_on() -> None:
    recorder = Recorder(Redaction(patterns=("secret",)))
    assert run(recorder, [(Side.NODE, 1, AT, (output(0, b"sec"), output(2, b"x")))]) == []
    assert [c.kind for c in recorder.finish()] == [Kind.OUTPUT, Kind.GAP, Kind.OUTPUT]
    assert recorder.clean
    assert [c.index for c in run(recorder, [(Side.NODE, 1, AT, (output(3, b"y\n"),))])] == [3]


@pytest.mark.parametrize(
    "damage", [{"index": -1}, {"hidden": []}, {"hidden": {"known": 1}}, {"marks": 1}]
)
def test_a_damaged_state_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(MalformedRecording):
        RecorderState.of_json(RecorderState().to_json() | damage)


@pytest.mark.parametrize("record_hidden", [False, True])
def test_input_that_waited_for_what_never_came_is_told_at_the_end(record_hidden: bool) -> None:
    recorder = Recorder(Redaction(typed=True, record_hidden=record_hidden))
    assert run(recorder, [(Side.CLIENT, 1, AT, (typed(1, b"ls"),))]) == []
    gap, last = recorder.finish()
    assert gap.kind is Kind.GAP
    assert (last.kind, last.data) == ((Kind.INPUT, b"ls") if record_hidden else (Kind.MARKER, b""))
