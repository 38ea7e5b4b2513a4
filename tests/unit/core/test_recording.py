"""Log events of recordings: what of a call is kept, and reading it again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.documents import Document, HatchwayInputs, Inputs
from hatchway.core.errors import MalformedRecording
from hatchway.core.recording import (
    MAX_EVENT,
    MAX_MARK,
    MAX_NOTE,
    Mode,
    Passed,
    Terms,
    dump,
    from_client,
    from_node,
    load,
    terms,
)
from hatchway.core.transcript.chunks import Side
from hatchway.core.wire import AgentMessage, MessageType, PayloadType, pack, parse
from tests.unit.edge.frames import frame


def document(**own: object) -> Document:
    return Document(inputs=Inputs(hatchway=HatchwayInputs(**own)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("floor", "required", "mode"),
    [
        (Mode.BESIDE, False, Mode.BESIDE),
        (Mode.BESIDE, True, Mode.REQUIRED),
        (Mode.REQUIRED, False, Mode.REQUIRED),
        (Mode.OFF, True, Mode.OFF),
    ],
)
def test_a_document_may_require_a_recording_but_not_turn_it_off(
    floor: Mode, required: bool, mode: Mode
) -> None:
    assert terms(document(recording_required=required), floor).mode is mode


def test_the_terms_are_the_documents() -> None:
    found = terms(document(record_input=True, max_recorded_bytes_a_minute=7), Mode.BESIDE)
    assert found == Terms(Mode.BESIDE, typed=True, cap=7)


def _read(*frames: bytes) -> list[tuple[bytes, AgentMessage]]:
    return [(each, parse(each)) for each in frames]


def _sized() -> bytes:
    text = b'{"cols":80,"rows":24}'
    return pack(replace(parse(frame(MessageType.INPUT, text)), payload_type=PayloadType.SIZE))


def test_acknowledgements_of_a_node_are_not_recorded() -> None:
    output = frame(MessageType.OUTPUT, b"$ ")
    state = frame(MessageType.AGENT_SESSION_STATE, b"{}")
    read = _read(output, frame(MessageType.ACKNOWLEDGE, b"{}"), state)
    assert from_node(read) == [output, state]


def test_without_leave_nothing_that_is_typed_is_recorded_but_sizes_are() -> None:
    key, size = frame(MessageType.INPUT, b"s3cret"), _sized()
    read = _read(key, size, frame(MessageType.ACKNOWLEDGE, b"{}"))
    assert from_client(read, typed=False) == [size]
    assert from_client(read, typed=True) == [key, size]


@given(
    st.sampled_from(Side),
    st.integers(0, 1 << 31),
    st.lists(st.binary(min_size=1, max_size=50), max_size=4),
    st.text(max_size=20),
)
def test_what_is_written_is_read_again(
    side: Side, generation: int, frames: list[bytes], note: str
) -> None:
    passed = Passed(
        side=side, generation=generation, frames=tuple(frames), note=note, mark="m" if note else ""
    )
    assert load(dump(passed)) == passed


def test_notes_and_marks_are_cut_to_their_limits() -> None:
    read = load(dump(Passed(side=Side.NODE, generation=1, note="n" * 1000, mark="m" * 1000)))
    assert (len(read.note), len(read.mark)) == (MAX_NOTE, MAX_MARK)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "{}",
        json.dumps({"v": 2, "side": "node", "gen": 1, "frames": ""}),
        json.dumps({"v": 1, "side": "else", "gen": 1, "frames": ""}),
        json.dumps({"v": 1, "side": "node", "gen": "x", "frames": ""}),
        json.dumps({"v": 1, "side": "node", "gen": 1, "frames": 7}),
        json.dumps({"v": 1, "side": "node", "gen": 1, "frames": "not base64"}),
        "[" * 20_000,
        " " * (MAX_EVENT + 1),
    ],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(MalformedRecording):
        load(text)
