"""AgentMessage: every field at its place, and nothing malformed gets through."""

import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import MalformedMessage
from hatchway.core.wire import (
    MAX_PAYLOAD,
    MAX_TEXT_FRAME,
    MAX_TEXT_MESSAGE,
    AgentMessage,
    MessageType,
    PayloadType,
    from_text,
    pack,
    parse,
    text_length,
    to_text,
)

IDENTITY = UUID("00112233-4455-6677-8899-aabbccddeeff")

# `ls\r` typed as the third message of a session, field by field; every line can be checked by hand.
TYPED_LS = bytes.fromhex(
    "00000074"  # HeaderLength 116
    "696e7075745f73747265616d5f646174612020202020202020202020"  # input_stream_data, spaces …
    "20202020"  # … to 32 bytes
    "00000001"  # SchemaVersion 1
    "0000018bcfe56800"  # CreatedDate 1700000000000 ms
    "0000000000000002"  # SequenceNumber 2
    "0000000000000000"  # Flags
    "8899aabbccddeeff0011223344556677"  # MessageId, halves swapped
    # PayloadDigest: printf 'ls\r' | sha256sum
    "1d887ce0f8672e4914d9000e801cd74ecd805dd9366c0bc42dc16adc0197dc2f"
    "00000001"  # PayloadType 1: output (typed input too)
    "00000003"  # PayloadLength 3
    "6c730d"
)


def message(**changes: object) -> AgentMessage:
    fields: dict[str, object] = {
        "message_type": MessageType.INPUT,
        "sequence": 2,
        "message_id": IDENTITY,
        "created": 1_700_000_000_000,
        "payload": b"ls\r",
        "payload_type": PayloadType.OUTPUT,
    }
    return AgentMessage(**(fields | changes))  # type: ignore[arg-type]


def damaged(offset: int, data: bytes) -> bytes:
    whole = bytearray(pack(message()))
    whole[offset : offset + len(data)] = data
    return bytes(whole)


def test_a_message_has_the_bytes_written_out_here() -> None:
    assert pack(message()) == TYPED_LS
    assert parse(TYPED_LS) == message()


@given(
    kind=st.sampled_from(MessageType),
    sequence=st.integers(0, 2**63 - 1),
    identity=st.uuids(),
    created=st.integers(1, 2**64 - 1),
    payload=st.binary(min_size=1, max_size=300),
    payload_type=st.sampled_from(PayloadType),
    flags=st.integers(0, 2**64 - 1),
)
def test_parse_gives_back_what_was_packed(
    kind: MessageType,
    sequence: int,
    identity: UUID,
    created: int,
    payload: bytes,
    payload_type: PayloadType,
    flags: int,
) -> None:
    original = AgentMessage(kind, sequence, identity, created, payload, payload_type, flags)
    assert parse(pack(original)) == original


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_malformed_and_never_another_error(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(data)


@given(st.integers(0, 122), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_stands_in_an_unprotected_field(at: int, change: int) -> None:
    whole = bytearray(pack(message()))
    whole[at] ^= change
    unprotected = [(40, 80), (112, 116)]  # date, sequence, flags, id; payload type
    try:
        changed = parse(bytes(whole))
    except MalformedMessage:
        return
    assert any(low <= at < high for low, high in unprotected) or changed == message()


@pytest.mark.parametrize(
    ("offset", "data"),
    [
        (0, struct.pack(">I", 120)),
        (36, struct.pack(">I", 2)),
        (40, bytes(8)),
        (48, struct.pack(">q", -1)),
        (80, b"\0" * 32),
        (116, struct.pack(">I", 2)),
        (4, b"no_such_type".ljust(32)),
        (4, b"\xff" * 32),
    ],
    ids=["header length", "version", "date", "sequence", "digest", "length", "type", "not ascii"],
)
def test_a_wrong_field_is_malformed(offset: int, data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(damaged(offset, data))


def test_a_message_type_padded_with_nuls_is_read() -> None:
    whole = damaged(4, b"input_stream_data".ljust(32, b"\0"))
    assert parse(whole) == message()


def test_publication_control_needs_neither_digest_nor_date_nor_payload() -> None:
    bare = message(
        message_type=MessageType.PAUSE_PUBLICATION, payload=b"", created=0, payload_type=0
    )
    whole = bytearray(pack(bare))
    whole[80:112] = bytes(32)
    assert parse(bytes(whole)) == bare


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": b""},
        {"payload": b"x" * (MAX_PAYLOAD + 1)},
        {"sequence": -1},
        {"sequence": 2**63},
        {"created": 0},
        {"created": 2**64},
    ],
    ids=str,
)
def test_a_message_that_cannot_be_sent_cannot_be_built(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedMessage):
        message(**changes)


def test_the_largest_payload_fills_one_text_frame_and_one_byte_more_is_refused() -> None:
    largest = pack(message(payload=b"x" * MAX_PAYLOAD))
    assert len(to_text([largest])) == MAX_TEXT_FRAME
    with pytest.raises(MalformedMessage):
        parse(largest + b"x")


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=20))
def test_text_frames_carry_messages_line_by_line(frames: list[bytes]) -> None:
    text = to_text(frames)
    assert from_text(text) == frames
    assert len(text) <= sum(text_length(len(frame)) for frame in frames)


@pytest.mark.parametrize("text", ["****", "QUJD\nQ", "é", "x" * (MAX_TEXT_MESSAGE + 1)])
def test_text_that_is_not_base64_lines_is_malformed(text: str) -> None:
    with pytest.raises(MalformedMessage):
        from_text(text)
