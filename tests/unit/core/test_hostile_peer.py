"""Nothing that a peer sends raises, grows memory, or is taken for what it is not."""

import json
import random
import zlib
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core import channel as ch
from hatchway.core import handshake
from hatchway.core.channel import ChannelSettings, DataChannel, Side
from hatchway.core.compression import MAX_INFLATED, deflate, inflate
from hatchway.core.errors import MalformedMessage
from hatchway.core.handshake import MAX_DEPTH, MAX_RECEIVED
from hatchway.core.receiving import MAX_AHEAD, REORDER_SLACK
from hatchway.core.sending import MAX_CONTROL, MAX_IN_FLIGHT, MAX_WAITING
from hatchway.core.wire import (
    FLAG_DEFLATED,
    MAX_PAYLOAD,
    AgentMessage,
    FlagValue,
    MessageType,
    PayloadType,
    pack,
    parse,
)
from tests.unit.core.wirepair import Wire

IDENTITY = UUID(int=5)


def frame(
    payload: bytes | dict[str, object],
    payload_type: int = PayloadType.OUTPUT,
    sequence: int = 0,
    kind: MessageType = MessageType.INPUT,
    flags: int = 0,
) -> bytes:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return pack(
        AgentMessage(kind, sequence, IDENTITY, 1_700_000_000_000, body, payload_type, flags)
    )


def ack(sequence: object = 0, **more: object) -> bytes:
    payload = {
        "AcknowledgedMessageType": "output_stream_data",
        "AcknowledgedMessageId": str(IDENTITY),
        "AcknowledgedMessageSequenceNumber": sequence,
        "IsSequentialMessage": True,
    }
    return frame(payload | more, 0, 0, MessageType.ACKNOWLEDGE)


def end(side: Side = Side.AGENT) -> DataChannel:
    channel = DataChannel(side, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
    channel.attach(1, 0.0)
    channel.poll(0.0)
    return channel


def opened_agent() -> tuple[DataChannel, int]:
    """An agent whose client agreed on extensions; and the client's next sequence number."""
    channel = end()
    response = handshake.HandshakeResponse("1", True, handshake.Extensions(65536))
    request = handshake.HandshakeRequest("1", "Standard_Stream", {}, handshake.Extensions(65536))
    packed = handshake.pack_response(response, request)
    assert channel.receive([frame(packed, PayloadType.HANDSHAKE_RESPONSE)], 0.0)
    return channel, 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
MEMBERS = """AcknowledgedMessageSequenceNumber AcknowledgedMessageId Cumulative Credit Received
    Blocked cols rows RequestedClientActions ProcessedClientActions CustomerMessage Output"""
KNOWN = st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS.split(), JSON))
HOSTILE = st.builds(
    frame,
    st.binary(min_size=1, max_size=64) | KNOWN,
    st.sampled_from(PayloadType) | st.integers(0, 2**32 - 1),
    st.integers(0, 5) | st.integers(0, 2**63 - 1),
    st.sampled_from(list(MessageType)),
    st.sampled_from([0, 1, FLAG_DEFLATED, 2**64 - 1]),
)


@settings(max_examples=5 * settings().max_examples, deadline=None)
@given(
    st.sampled_from(Side), st.lists(HOSTILE | st.binary(max_size=200), max_size=12), st.booleans()
)
def test_no_sequence_of_hostile_messages_raises_or_is_sent_on(
    side: Side, frames: list[bytes], handshaken: bool
) -> None:
    channel = opened_agent()[0] if handshaken and side is Side.AGENT else end(side)
    now = 0.0
    for hostile in frames:
        now += 0.1
        channel.receive([hostile], now)
        for sent in channel.poll(now):
            parse(sent)
        channel.next_deadline()
        channel.consumed(10)
        channel.write(b"x"[: channel.writable])


def test_a_sequence_number_too_far_ahead_is_dropped_and_counted() -> None:
    channel, following = opened_agent()
    channel.receive([frame(b"x", sequence=following + MAX_AHEAD - 1)], 0.0)
    assert not channel.dropped
    channel.receive([frame(b"x", sequence=following + MAX_AHEAD)], 0.0)
    assert channel.dropped == {"too far ahead": 1}


def test_messages_out_of_order_wait_within_the_limit_in_bytes() -> None:
    channel, following = opened_agent()
    limit = (ch.INPUT_WINDOW + REORDER_SLACK) // MAX_PAYLOAD
    frames = [frame(b"x" * MAX_PAYLOAD, sequence=following + 1 + n) for n in range(limit + 1)]
    channel.receive(frames[:-1], 0.0)
    assert not channel.dropped
    channel.receive(frames[-1:], 0.0)
    assert channel.dropped == {"no room": 1}


def test_an_acknowledgement_of_what_was_never_sent_is_ignored_whole() -> None:
    channel, _ = opened_agent()
    channel.receive([ack(10_000, Cumulative=True, Credit=1)], 0.0)
    channel.receive([ack(0, Cumulative=True, Credit=1, Received=[10_000])], 0.0)
    assert channel.dropped == {"acknowledgement of nothing": 2}


@pytest.mark.parametrize(
    "more",
    [
        {"Received": list(range(MAX_RECEIVED + 1))},
        {"Received": "all"},
        {"Received": [True]},
        {"Credit": -1},
        {"Credit": 1.5},
        {"Credit": None},
        {"AcknowledgedMessageSequenceNumber": "1"},
        {"AcknowledgedMessageSequenceNumber": -2},
        {"AcknowledgedMessageId": "not-a-uuid"},
        {"AcknowledgedMessageId": 7},
    ],
    ids=str,
)
def test_a_malformed_acknowledgement_is_dropped(more: dict[str, object]) -> None:
    channel, _ = opened_agent()
    payload = json.loads(parse(ack(0)).payload) | {"Cumulative": True, "Credit": 0} | more
    channel.receive([frame(payload, 0, 0, MessageType.ACKNOWLEDGE)], 0.0)
    assert channel.dropped == {"malformed": 1}


def test_credit_is_bounded_however_much_the_peer_offers() -> None:
    channel, _ = opened_agent()
    channel.receive([ack(0, Cumulative=True, Credit=2**62)], 0.0)
    assert channel.writable <= MAX_WAITING


def test_a_peer_that_sends_more_than_its_credit_fails_the_channel() -> None:
    channel, following = opened_agent()
    events: list[ch.ChannelEvent] = []
    for n in range(ch.INPUT_WINDOW // MAX_PAYLOAD + 2):
        events += channel.receive([frame(b"x" * MAX_PAYLOAD, sequence=following + n)], 0.0)
    assert isinstance(events[-1], ch.Failed)
    assert events[-1].code == "ProtocolError"
    channel.receive([frame(b"x", sequence=99)], 0.0)
    assert channel.dropped.keys() == {"after the end"}


@pytest.mark.parametrize(
    ("cols", "rows"),
    [(0, 1), (1, 0), (1001, 1), (1, 1001), (True, 1), ("80", 24), (80.0, 24), (None, 1)],
)
def test_a_size_out_of_bounds_is_dropped(cols: object, rows: object) -> None:
    channel, following = opened_agent()
    body: dict[str, object] = {"cols": cols, "rows": rows}
    assert channel.receive([frame(body, PayloadType.SIZE, following)], 0.0) == []
    assert channel.dropped == {"malformed": 1}
    top: dict[str, object] = {"cols": 1000, "rows": 1}
    assert channel.receive([frame(top, PayloadType.SIZE, following + 1)], 0.0) == [
        ch.Resized(1000, 1)
    ]


@pytest.mark.parametrize("payload", [b"\0\0\0\1\0", b"\0\0\0\x09", b"\1"])
def test_an_unknown_flag_is_dropped(payload: bytes) -> None:
    channel, following = opened_agent()
    channel.receive([frame(payload, PayloadType.FLAG, following)], 0.0)
    assert channel.dropped == {"malformed": 1}
    good = FlagValue.TERMINATE_SESSION.to_bytes(4, "big")
    assert channel.receive([frame(good, PayloadType.FLAG, following + 1)], 0.0)


@pytest.mark.parametrize(
    "payload", [b"EXIT_CODE: x", b"7", b"EXIT_CODE: 12345678901", b"EXIT_CODE: -1"]
)
def test_an_exit_code_that_is_no_number_is_dropped(payload: bytes) -> None:
    wire = Wire()
    wire.connect()
    wire.run(1)
    message = frame(payload, PayloadType.EXIT_CODE, 2, MessageType.OUTPUT)
    assert wire.client.receive([message], wire.now) == []
    assert wire.client.dropped == {"malformed": 1}


def test_json_nested_too_deeply_is_malformed() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"

    assert handshake.load(nested(MAX_DEPTH))
    for hostile in (nested(MAX_DEPTH + 1), nested(100_000), b"[]", b"\xff"):
        with pytest.raises(MalformedMessage):
            handshake.load(hostile)


def test_wrong_directions_and_roles_are_dropped_and_counted() -> None:
    channel, following = opened_agent()
    channel.receive(
        [
            frame(b"x", kind=MessageType.OUTPUT),
            frame({"Output": "bye"}, kind=MessageType.CHANNEL_CLOSED),
            frame({"a": 1}, PayloadType.HANDSHAKE_REQUEST, following),
            frame({"a": 1}, PayloadType.HANDSHAKE_COMPLETE, following + 1),
            frame(b"later version", 4711, following + 2),
        ],
        0.0,
    )
    assert channel.dropped == {"wrong direction": 2, "unknown payload": 3}


def test_a_client_believes_channel_closed_whatever_its_output_is() -> None:
    for output, text in (("gone", "gone"), (7, "")):
        client = end(Side.CLIENT)
        closed = frame({"Output": output}, 0, 0, MessageType.CHANNEL_CLOSED)
        assert client.receive([closed], 0.0) == [ch.Closed(text)]


def test_typed_input_before_the_handshake_is_not_taken() -> None:
    channel = end()
    assert channel.receive([frame(b"rm -rf /\r")], 0.0) == []
    assert channel.dropped == {"before the handshake": 1}


def test_a_second_handshake_changes_nothing() -> None:
    channel, following = opened_agent()
    again = parse(frame(b"x")).payload  # any bytes: the response below is a well-formed one
    assert again
    response = handshake.pack_response(
        handshake.HandshakeResponse("1", True), handshake.HandshakeRequest("1", "X")
    )
    channel.receive([frame(response, PayloadType.HANDSHAKE_RESPONSE, following)], 0.0)
    assert channel.dropped == {"second handshake": 1}
    wire = Wire()
    wire.connect()
    wire.run(1)
    request = handshake.pack_request(handshake.HandshakeRequest("1", "Port"))
    complete = handshake.pack_complete(0.1, "again")
    wire.client.receive(
        [
            frame(request, PayloadType.HANDSHAKE_REQUEST, 2, MessageType.OUTPUT),
            frame(complete, PayloadType.HANDSHAKE_COMPLETE, 3, MessageType.OUTPUT),
        ],
        wire.now,
    )
    assert wire.client.dropped == {"second handshake": 2}


@pytest.mark.parametrize(
    "actions",
    [
        None,
        ["x", {"ActionType": "SessionType", "ActionParameters": "no"}],
        [{"ActionType": "SessionType", "ActionParameters": {"SessionType": 1, "Properties": []}}],
        [{"ActionType": "HatchwayExtensions", "ActionParameters": {"Version": 2}}],
        [{"ActionType": "HatchwayExtensions", "ActionParameters": {"Version": 1, "Window": 0}}],
    ],
    ids=str,
)
def test_odd_handshake_requests_neither_raise_nor_extend(actions: object) -> None:
    client = end(Side.CLIENT)
    body = {"RequestedClientActions": actions}
    client.receive([frame(body, PayloadType.HANDSHAKE_REQUEST, 0, MessageType.OUTPUT)], 0.0)
    assert not client.opened


def test_odd_handshake_responses_do_not_open() -> None:
    for result in ("no", {"Version": 9}, None):
        channel = end()
        body: dict[str, object] = {
            "ProcessedClientActions": [
                {"ActionType": "SessionType", "ActionStatus": 0, "ActionResult": "Unsupported"},
                {"ActionType": "HatchwayExtensions", "ActionStatus": 1, "ActionResult": result},
                {"ActionType": "Other", "ActionStatus": 1},
            ]
        }
        (failed,) = channel.receive([frame(body, PayloadType.HANDSHAKE_RESPONSE)], 0.0)
        assert isinstance(failed, ch.Failed)


# --- compression --------------------------------------------------------------------------------


@given(st.binary(min_size=300, max_size=4000), st.integers(1, 8))
def test_inflate_gives_back_what_was_deflated(data: bytes, times: int) -> None:
    packed = deflate(data * times)
    assert packed is None or inflate(packed) == data * times


def raw(data: bytes) -> bytes:
    return zlib.compress(data, 9, -zlib.MAX_WBITS)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        (MAX_INFLATED + 1).to_bytes(4, "big") + raw(b"x" * (MAX_INFLATED + 1)),
        (0).to_bytes(4, "big") + raw(b""),
        (5).to_bytes(4, "big") + raw(b"x" * 6),
        (7).to_bytes(4, "big") + raw(b"x" * 6),
        (6).to_bytes(4, "big") + raw(b"x" * 6) + b"more",
        (6).to_bytes(4, "big") + b"\xff\xff\xff",
    ],
    ids=["empty", "too large", "nothing", "longer", "shorter", "trailing", "damaged"],
)
def test_what_does_not_inflate_to_the_length_it_names_is_malformed(packed: bytes) -> None:
    with pytest.raises(MalformedMessage):
        inflate(packed)


def test_the_largest_payload_inflates_and_nothing_larger_is_deflated() -> None:
    assert inflate(deflate(b"x" * MAX_INFLATED) or b"") == b"x" * MAX_INFLATED
    assert deflate(b"x" * (MAX_INFLATED + 1)) is None
    assert deflate(random.Random(1).randbytes(5000)) is None
    assert deflate(b"x" * 300, limit=4) is None


def test_a_compressed_payload_that_is_damaged_is_dropped_and_the_stream_goes_on() -> None:
    channel, following = opened_agent()
    events = channel.receive(
        [
            frame(b"junk!", sequence=following, flags=FLAG_DEFLATED),
            frame(b"ok", sequence=following + 1),
        ],
        0.0,
    )
    assert events == [ch.Data(b"ok")]
    assert channel.dropped == {"malformed": 1}


# --- our own bounds -----------------------------------------------------------------------------


def test_control_messages_that_wait_are_bounded_and_the_last_ones_win() -> None:
    wire = Wire()
    wire.connect()
    wire.run(1)
    wire.cut()
    for n in range(1, MAX_CONTROL + 10):
        wire.client.resize(n, n)
    wire.run(2)
    sizes = wire.of(wire.agent, ch.Resized)
    assert len(sizes) == MAX_CONTROL
    assert sizes[-1] == ch.Resized(MAX_CONTROL + 9, MAX_CONTROL + 9)


def test_messages_on_their_way_are_bounded_in_number() -> None:
    channel, _ = opened_agent()
    for n in range(MAX_IN_FLIGHT + 50):
        channel.write(b"x")
        channel.poll(float(n) * 1e-6)
    assert channel.held_bytes == MAX_IN_FLIGHT + 50
    assert not channel.drained
