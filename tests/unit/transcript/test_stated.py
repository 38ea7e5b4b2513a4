"""How much there was, in a manifest: said, not yet, never; and what is missing by it."""

from __future__ import annotations

import json

import pytest

from hatchway.core.errors import MalformedRecording
from hatchway.core.transcript.chunks import Kind, Side
from hatchway.core.transcript.evidence import (
    Code,
    Count,
    Manifest,
    dump_manifest,
    load_manifest,
)
from hatchway.core.transcript.ordering import UNSTORED, Orderer
from hatchway.core.transcript.recorder import Recorder, Redaction
from hatchway.core.transcript.stated import Stated
from tests.unit.transcript.frames import ANN, AT, BOB, output, typed


def manifest(stated: Stated | None, messages: int = 0, *, final: bool = True) -> Manifest:
    sides = {Side.NODE: Count(messages=messages), Side.CLIENT: Count()}
    code = Code(function="archive", version="1", digest="sha")
    return Manifest(
        session="s",
        stage="test",
        target="i",
        owner="o",
        started=1,
        written=2,
        code=code,
        final=final,
        stated=stated,
        sides=sides,
    )


@pytest.mark.parametrize(
    ("stated", "final", "end"),
    [
        (Stated(sent=3, taken=2, client=str(ANN)), True, None),
        (None, True, "unknown"),
        (None, False, "open"),
    ],
)
def test_an_end_survives_and_says_which_it_is(
    stated: Stated | None, final: bool, end: str | None
) -> None:
    one = manifest(stated, final=final)
    text = dump_manifest(one)
    assert load_manifest(text) == one
    assert one.end_known == (stated is not None)
    if end is not None:
        assert json.loads(text)["end"] == end


def test_a_manifest_from_before_ends_were_stated_is_read() -> None:
    document = json.loads(dump_manifest(manifest(None)))
    del document["end"], document["state"]
    assert load_manifest(json.dumps(document).encode()) == manifest(None)


@pytest.mark.parametrize("end", [5, "closed", [], {}, {"sent": -1, "taken": 0, "client": ""}])
def test_a_damaged_end_is_refused(end: object) -> None:
    document = json.loads(dump_manifest(manifest(None))) | {"end": end}
    with pytest.raises(MalformedRecording):
        load_manifest(json.dumps(document).encode())


def test_what_is_not_accounted_for_is_counted() -> None:
    assert manifest(Stated(sent=5), messages=3).unstored == 2
    assert manifest(Stated(sent=5), messages=5).unstored == 0
    assert manifest(Stated(sent=5), messages=9).unstored == 0
    assert manifest(None, messages=3).unstored == 0


def test_what_is_missing_at_the_end_is_a_gap_once_and_may_still_come_late() -> None:
    orderer = Orderer(Side.NODE)
    list(orderer.take(output(0, b"a"), 1, AT))
    assert list(orderer.close(1, AT)) == []
    (gap,) = orderer.close(3, AT + 5)
    assert (gap.kind, gap.sequence, gap.messages, gap.at) == (Kind.GAP, 1, 2, AT + 5)
    assert orderer.counts[UNSTORED] == 2
    assert list(orderer.close(3, AT)) == []
    (late,) = orderer.take(output(2, b"c"), 1, AT)
    assert late.note.startswith("late")


def test_of_a_client_that_nobody_saw_all_is_missing() -> None:
    orderer = Orderer(Side.CLIENT)
    list(orderer.take(typed(0, b"a", ANN), 1, AT))
    (gap,) = orderer.close(4, AT, str(BOB))
    assert (gap.sequence, gap.messages) == (0, 4)
    assert orderer.state.epoch == str(BOB)


@pytest.mark.parametrize(("typed_too", "gaps"), [(True, 2), (False, 1)])
def test_a_recorder_tells_what_is_missing_on_the_sides_that_are_recorded(
    typed_too: bool, gaps: int
) -> None:
    recorder = Recorder(Redaction(typed=typed_too))
    recorder.take(Side.NODE, 1, AT, [output(0, b"a")])
    recorder.take(Side.CLIENT, 1, AT, [typed(0, b"b")])
    chunks = recorder.finish(Stated(sent=2, taken=2, client=str(ANN)), AT + 1)
    assert sum(chunk.kind is Kind.GAP for chunk in chunks) == gaps
    assert recorder.clean
