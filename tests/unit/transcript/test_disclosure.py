"""What is withheld stays withheld, whatever is lost, late or read again; and nobody is accused."""

from __future__ import annotations

import pytest

from hatchway.core.transcript.chunks import Chunk, Kind, Side, dump
from hatchway.core.transcript.evidence import Code, Manifest, extended
from hatchway.core.transcript.ordering import GAP_AFTER, MAX_REMEMBERED
from hatchway.core.transcript.recorder import Recorder, RecorderState, Redaction
from hatchway.core.transcript.stated import Stated
from hatchway.core.transcript.verifying import Finding, Verification
from hatchway.core.wire import PayloadType
from tests.unit.transcript.frames import ANN, AT, BOB, output, size, typed
from tests.unit.transcript.test_recorder import Event, echo, run

EMPTY = Manifest(
    session="ann-0123456789abcdef0",
    stage="v1",
    target="node",
    owner="ann",
    started=AT,
    written=AT,
    code=Code(function="f", version="1", digest="d"),
)
AFTER = AT + GAP_AFTER + 2


def verified(chunks: list[Chunk]) -> tuple[Manifest, list[Finding]]:
    manifest = extended(EMPTY, chunks)
    verification = Verification(manifest)
    verification.check([dump(chunk).encode() for chunk in chunks])
    return manifest, verification.finish()


# --- late, and redacted -------------------------------------------------------------------------


def test_what_is_late_and_masked_is_told_as_both_and_accuses_nobody() -> None:
    events: list[Event] = [
        (Side.NODE, 1, AT, (output(0, b"a\n"), output(2, b"c\n"))),
        (Side.NODE, 1, AFTER, (output(3, b"d\n"), output(1, b"pw hunter2\n"), output(4, b"e\n"))),
    ]
    chunks = run(Recorder(Redaction(typed=False, patterns=("hunter2",))), events)
    assert chunks[4].data == b"pw *******\n"
    assert chunks[4].note == "late: its place was given up, masked"
    manifest, findings = verified(chunks)
    assert findings == []
    assert manifest.sides[Side.NODE].messages == 5


def test_what_is_late_and_withheld_is_told_as_both_and_accuses_nobody() -> None:
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (typed(0, b"a"), typed(2, b"c"))),
        (Side.CLIENT, 1, AFTER, (typed(3, b"d"), typed(1, b"hunter2"), typed(4, b"e"))),
    ]
    recorder = Recorder(Redaction())
    chunks = run(recorder, events) + recorder.finish()
    (late,) = [chunk for chunk in chunks if chunk.sequence == 1 and chunk.kind is Kind.MARKER]
    assert late.note.startswith("late: its place was given up, ")
    assert late.note.endswith("7 bytes withheld")
    manifest, findings = verified(chunks)
    assert findings == []
    assert manifest.sides[Side.CLIENT].messages == 5


# --- lost, and typed -----------------------------------------------------------------------------

#: What the node says of `ls\r`, a message that nobody stored, `sudo id\r` and the password.
TOLD = echo(ANN, (0, 28, True), (28, 36, False), (36, 200, True))


def inputs(chunks: list[Chunk]) -> list[bytes]:
    return [chunk.data for chunk in chunks if chunk.kind is Kind.INPUT]


def lost_one(recorder: Recorder) -> list[Chunk]:
    """Number 1, `echo hello world\\r`, reached the node and was not stored."""
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (typed(0, b"ls\r"), typed(2, b"sudo id\r"), typed(3, b"hunter2\r"))),
        (Side.NODE, 1, AT + 1, (TOLD,)),
        (Side.CLIENT, 1, AFTER, (typed(4, b"whoami and more\r"),)),
        (Side.NODE, 1, AFTER, (TOLD,)),
    ]
    return run(recorder, events)


def test_after_a_message_that_was_not_stored_nothing_of_that_client_is_disclosed() -> None:
    recorder = Recorder(Redaction())
    chunks = lost_one(recorder)
    assert recorder.clean
    assert inputs(chunks) == [b"ls\r"]
    assert [c.sequence for c in chunks] == [0, 1, 2, 3, 4]
    assert "was not stored" in chunks[3].note
    assert chunks[3].note.endswith("8 bytes withheld")
    assert chunks[3].digest == ""


def test_the_next_run_knows_that_something_was_lost() -> None:
    recorder = Recorder(Redaction())
    lost_one(recorder)
    again = Recorder(Redaction(), RecorderState.of_json(recorder.state.to_json()))
    assert inputs(run(again, [(Side.CLIENT, 1, AFTER, (typed(5, b"secret"),))])) == []
    assert again.clean


def test_another_client_has_lost_nothing() -> None:
    recorder = Recorder(Redaction())
    lost_one(recorder)
    events: list[Event] = [
        (Side.CLIENT, 2, AFTER, (typed(0, b"ls\r", BOB),)),
        (Side.NODE, 2, AFTER, (echo(BOB, (0, 3, True)),)),
    ]
    assert inputs(run(recorder, events)) == [b"ls\r"]


def test_where_hidden_input_is_recorded_a_loss_withholds_nothing() -> None:
    chunks = lost_one(Recorder(Redaction(record_hidden=True)))
    assert len(inputs(chunks)) == 4


def test_what_was_lost_before_the_first_message_is_lost_to_the_first_client() -> None:
    recorder = Recorder(Redaction())
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (typed(1, b"b"),)),
        (Side.CLIENT, 1, AFTER, (typed(2, b"c"), typed(0, b"a"), typed(3, b"hunter2"))),
        (Side.NODE, 1, AFTER, (TOLD,)),
    ]
    assert inputs(run(recorder, events) + recorder.finish()) == []


def test_what_is_missing_at_the_end_hides_what_comes_after_it() -> None:
    recorder = Recorder(Redaction())
    events: list[Event] = [(Side.CLIENT, 1, AT, (typed(0, b"ls\r"),)), (Side.NODE, 1, AT, (TOLD,))]
    run(recorder, events)
    chunks = recorder.finish(Stated(sent=0, taken=2, client=str(ANN)), AT)
    assert [c.kind for c in chunks] == [Kind.GAP]
    assert inputs(run(recorder, [(Side.CLIENT, 1, AT, (typed(2, b"hunter2"),))])) == []
    assert recorder.clean


def test_a_client_cannot_hide_by_saying_that_something_was_lost() -> None:
    recorder = Recorder(Redaction())
    said = typed(0, (5).to_bytes(8, "big"), payload_type=PayloadType.GAP)
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (said, typed(1, b"ls\r"))),
        (Side.NODE, 1, AT, (TOLD,)),
    ]
    assert inputs(run(recorder, events)) == [b"ls\r"]


@pytest.mark.parametrize(("before", "shown"), [(0, [b"ls\r"]), (1, [])])
def test_a_state_from_before_losses_were_kept_is_taken_for_one_with_a_loss(
    before: int, shown: list[bytes]
) -> None:
    recorder = Recorder(Redaction())
    frames = [size(n, 80, 24) for n in range(before)]
    run(recorder, [(Side.CLIENT, 1, AT, tuple(frames))])
    document = recorder.state.to_json()
    assert document["hidden"].pop("lost") is False  # type: ignore[attr-defined]
    again = Recorder(Redaction(), RecorderState.of_json(document))
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (typed(before, b"ls\r"),)),
        (Side.NODE, 1, AT, (TOLD,)),
    ]
    assert inputs(run(again, events)) == shown


# --- read again, and masked ----------------------------------------------------------------------


@pytest.mark.parametrize(("patterns", "told"), [((), b"hunter2\n"), (("hunter2",), b"")])
def test_what_came_again_is_told_without_what_a_pattern_may_be_looking_for(
    patterns: tuple[str, ...], told: bytes
) -> None:
    recorder = Recorder(Redaction(patterns=patterns))
    frames = [output(0, b"hunter2\n"), *(output(n + 1, b"x\n") for n in range(MAX_REMEMBERED))]
    other = output(2, b"hunter2\n")
    chunks = run(recorder, [(Side.NODE, 1, AT, (*frames, frames[0], other))])
    again, mismatch = chunks[-2:]
    assert again.note.startswith("again: message 0")
    assert mismatch.note.startswith("mismatch: message 2")
    for marker in (again, mismatch):
        assert marker.data == told
        assert bool(marker.digest) is bool(told)


def test_a_payload_that_is_not_understood_is_masked_with_its_digest() -> None:
    recorder = Recorder(Redaction(patterns=("hunter2",)))
    (chunk,) = run(recorder, [(Side.NODE, 1, AT, (output(0, b"hunter2", 4711),))])
    assert (chunk.data, chunk.digest, chunk.note) == (b"", "", "payload of type 4711")


def test_after_another_clients_words_nothing_is_taken_for_the_first_clients() -> None:
    recorder = Recorder(Redaction())
    events: list[Event] = [
        (Side.CLIENT, 1, AT, (typed(0, b"l"), typed(1, b"s"))),
        (Side.NODE, 1, AT, (TOLD,)),
        (Side.CLIENT, 2, AT, (typed(1, b"w"),)),
        (Side.CLIENT, 2, AFTER, (typed(2, b"hunter2"),)),
    ]
    chunks = run(recorder, events) + recorder.finish()
    assert b"hunter2" not in b"".join(inputs(chunks))
    assert "mismatch" not in recorder.counts
