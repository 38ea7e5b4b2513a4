"""What is withheld stays withheld, whatever is lost, late or read again; and nobody is accused."""

from __future__ import annotations

from hatchway.core.transcript.chunks import Chunk, Kind, Side, dump
from hatchway.core.transcript.evidence import Code, Manifest, extended
from hatchway.core.transcript.ordering import GAP_AFTER
from hatchway.core.transcript.recorder import Recorder, Redaction
from hatchway.core.transcript.verifying import Finding, Verification
from tests.unit.transcript.frames import AT, output, typed
from tests.unit.transcript.test_recorder import Event, run

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
