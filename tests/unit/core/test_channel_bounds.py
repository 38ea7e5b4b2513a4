"""What one end of a data channel holds, sends at once, and asks its driver for, at its limits."""

from __future__ import annotations

import json
import random
import zlib
from uuid import UUID

import pytest

from hatchway.core import channel as ch
from hatchway.core import handshake
from hatchway.core.channel import ChannelSettings, DataChannel, Side
from hatchway.core.channel_settings import MAX_FRAMES
from hatchway.core.compression import inflate
from hatchway.core.errors import MalformedMessage
from hatchway.core.handshake import Extensions, HandshakeRequest, HandshakeResponse
from hatchway.core.messages import MAX_OUTPUT, channel_closed
from hatchway.core.receiving import MAX_ACKS, Fate, Inbox
from hatchway.core.sending import MAX_CONTROL, MAX_IN_FLIGHT, MAX_KEPT, MAX_WAITING, Outbox
from hatchway.core.wire import (
    MAX_PAYLOAD,
    MAX_TEXT_MESSAGE,
    ORIGINAL_PAYLOAD,
    AgentMessage,
    MessageType,
    PayloadType,
    pack,
    parse,
)

PLENTY = 16 * 1024 * 1024


def packed(sequence: int, payload_type: int, payload: bytes, flags: int) -> bytes:
    kind = MessageType.OUTPUT
    return pack(AgentMessage(kind, sequence, UUID(int=9), 1, payload, payload_type, flags))


def outbox(*, window: int | None = None, compression: bool = False) -> Outbox:
    """An open one; with a window it is an extended peer's."""
    made = Outbox(packed)
    made.open = True
    if window is not None:
        made.extend(Extensions(window, MAX_PAYLOAD, compression))
    return made


def message(sequence: int, payload: bytes, kind: int = PayloadType.OUTPUT) -> AgentMessage:
    return AgentMessage(MessageType.INPUT, sequence, UUID(int=sequence), 1, payload, kind)


def arrived(
    kind: MessageType, sequence: int, payload: bytes, payload_type: int = 0, flags: int = 0
) -> bytes:
    return pack(AgentMessage(kind, sequence, UUID(int=5), 1, payload, payload_type, flags))


def agent() -> DataChannel:
    """An agent whose client has agreed to a window of 4 KiB."""
    channel = DataChannel(Side.AGENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
    channel.attach(1, 0.0)
    channel.poll(0.0)
    response = HandshakeResponse("1", True, Extensions(4096))
    request = HandshakeRequest("1", "Standard_Stream", {}, Extensions(4096))
    answer = handshake.pack_response(response, request)
    frame = arrived(MessageType.INPUT, 0, answer, PayloadType.HANDSHAKE_RESPONSE)
    assert channel.receive([frame], 0.0)
    channel.poll(0.0)
    return channel


# --- what is sent at once -----------------------------------------------------------------------


def test_one_poll_sends_a_bounded_number_of_messages_and_the_next_one_goes_on() -> None:
    channel = agent()
    for number in range(MAX_FRAMES + 50):
        channel.write(b"x")
        channel.poll(number * 1e-6)
    channel.attach(2, 0.001)  # a new path: all of them go again
    first, rest = channel.poll(0.001), channel.poll(0.001)
    data = [parse(frame) for frame in (*first, *rest)]
    numbers = [m.sequence for m in data if m.payload_type == PayloadType.OUTPUT]
    assert MAX_FRAMES <= len(first) <= MAX_FRAMES + 1  # an acknowledgement may ride along
    assert len(numbers) == MAX_FRAMES + 50
    assert numbers == sorted(numbers)


def test_data_that_may_be_sent_asks_for_a_poll_at_once_unless_publication_is_paused() -> None:
    channel = agent()
    channel.write(b"x")
    assert channel.next_deadline() == 0.0
    channel.receive([arrived(MessageType.PAUSE_PUBLICATION, 0, b"")], 0.0)
    assert channel.next_deadline() != 0.0
    assert channel.poll(0.0) == []
    channel.receive([arrived(MessageType.START_PUBLICATION, 0, b"")], 0.0)
    assert channel.next_deadline() == 0.0
    assert [parse(frame).payload for frame in channel.poll(0.0)] == [b"x"]


def test_sendable_is_what_waits_within_the_credit() -> None:
    channel = agent()
    assert channel.sendable == 0
    channel.write(b"x" * 100)
    assert channel.sendable == 100
    channel.write(b"x" * 10_000)
    assert channel.sendable == 4096
    channel.poll(0.0)
    assert channel.sendable == 0


def test_nothing_is_sendable_before_the_session_is_open() -> None:
    closed = Outbox(packed)
    closed.write(b"x", PayloadType.OUTPUT)
    assert closed.sendable == 0
    assert not closed.ready()
    assert list(closed.frames(0.0, PLENTY)) == []


def test_credit_that_is_spent_holds_data_back_and_a_mark_still_goes() -> None:
    box = outbox(window=4096)
    box.write(b"x" * 5000, PayloadType.OUTPUT)
    assert sum(len(parse(frame).payload) for frame in box.frames(0.0, PLENTY)) == 4096
    assert not box.ready()
    box.restart()
    box.forget_overflow()
    assert box.gaps == 0
    box = outbox(window=4096)
    box.write(b"x" * 4096, PayloadType.OUTPUT)
    list(box.frames(0.0, PLENTY))
    box.write(b"EXIT_CODE: 0", PayloadType.EXIT_CODE)
    assert box.ready()
    assert [parse(f).payload_type for f in box.frames(0.0, PLENTY)] == [PayloadType.EXIT_CODE]


@pytest.mark.parametrize(
    ("kind", "payload"), [(PayloadType.OUTPUT, b"x" * 50), (PayloadType.EXIT_CODE, b"EXIT_CODE: 0")]
)
def test_what_does_not_fit_into_the_text_waits_for_the_next(kind: int, payload: bytes) -> None:
    box = outbox(window=4096)
    box.write(payload, kind)
    assert list(box.frames(0.0, 160)) == []
    assert not box.empty
    assert len(list(box.frames(0.0, PLENTY))) == 1
    assert not box.ready()
    box.resend_all()
    assert box.ready()
    assert list(box.frames(0.1, 160)) == []
    assert len(list(box.frames(0.1, PLENTY))) == 1


def test_a_control_message_that_does_not_fit_waits_for_the_next() -> None:
    box = outbox()
    box.control(PayloadType.SIZE, b"{}")
    assert box.ready()
    assert list(box.frames(0.0, 160)) == []
    assert len(list(box.frames(0.0, PLENTY))) == 1


def test_messages_on_their_way_are_bounded_for_data_and_beyond_it_for_control() -> None:
    box = outbox(window=MAX_WAITING)
    for _ in range(MAX_IN_FLIGHT):
        box.write(b"x", PayloadType.OUTPUT)
        assert len(list(box.frames(0.0, PLENTY))) == 1
    box.write(b"x", PayloadType.OUTPUT)
    assert not box.ready()
    for _ in range(MAX_CONTROL):
        box.control(PayloadType.FLAG, b"\0\0\0\2")
    assert len(list(box.frames(0.0, PLENTY))) == MAX_CONTROL
    box.control(PayloadType.FLAG, b"\0\0\0\2")
    assert not box.ready()
    assert list(box.frames(0.0, PLENTY)) == []


def test_no_text_message_is_longer_than_the_service_takes() -> None:
    box = outbox(window=PLENTY, compression=True)
    box.write(random.Random(2).randbytes(MAX_WAITING), PayloadType.OUTPUT)
    sent = list(box.frames(0.0, MAX_TEXT_MESSAGE))
    assert sent
    assert sum((len(frame) + 2) // 3 * 4 + 1 for frame in sent) <= MAX_TEXT_MESSAGE


# --- what was lost ------------------------------------------------------------------------------


def test_a_message_is_sent_again_when_one_sent_clearly_later_has_arrived() -> None:
    box = outbox(window=PLENTY)
    sent: list[int] = []
    for number in range(3):
        box.write(b"x", PayloadType.OUTPUT)
        sent += [parse(frame).sequence for frame in box.frames(number * 0.1, PLENTY)]
    assert sent == [0, 1, 2]
    acknowledged = handshake.Acknowledgement(
        sequence=-1, message_id=UUID(int=1), message_type="x", cumulative=True, received=(2,)
    )
    assert box.acknowledge(acknowledged, 0.21)
    again = [parse(frame).sequence for frame in box.frames(0.21, PLENTY)]
    assert again == [0]  # 1 may only have been overtaken


def test_output_beyond_what_is_kept_gives_way_whole_segments_first_and_one_gap_counts_it() -> None:
    box = outbox()
    box.write(b"e" * 10, PayloadType.STDERR)
    box.write(b"o" * MAX_KEPT, PayloadType.OUTPUT)
    box.forget_overflow()
    box.write(b"e" * 5, PayloadType.STDERR)
    box.forget_overflow()
    assert box.gaps == 15
    assert box.held_bytes == MAX_KEPT
    first = parse(next(box.frames(0.0, PLENTY)))
    assert first.payload_type == PayloadType.GAP
    assert int.from_bytes(first.payload, "big") == 15


def test_an_empty_write_is_nothing() -> None:
    box = outbox()
    box.write(b"", PayloadType.OUTPUT)
    assert box.empty


# --- what arrives -------------------------------------------------------------------------------


def test_data_waits_for_the_application_where_the_peer_knows_no_credit_and_a_size_does_not() -> (
    None
):
    inbox = Inbox(ORIGINAL_PAYLOAD)
    for sequence in range(3):
        assert inbox.offer(message(sequence, b"x" * ORIGINAL_PAYLOAD), 0.0) is Fate.TAKEN
    for turn in inbox.in_order():
        inbox.delivered(len(turn.payload))
    assert inbox.owed == ORIGINAL_PAYLOAD
    assert list(inbox.in_order()) == []
    inbox.consumed(ORIGINAL_PAYLOAD)
    assert next(inbox.in_order()).sequence == 1
    inbox = Inbox(4)
    inbox.delivered(4)
    inbox.offer(message(0, b"{}", PayloadType.SIZE), 0.0)
    assert [turn.sequence for turn in inbox.in_order()] == [0]


def test_single_acknowledgements_that_wait_are_bounded() -> None:
    inbox = Inbox(PLENTY)
    inbox.offer(message(0, b"x"), 0.0)
    for _ in range(MAX_ACKS + 10):
        assert inbox.offer(message(0, b"x"), 0.0) is Fate.DUPLICATE
    owed = inbox.acknowledgements(UUID(int=0), MAX_ACKS + 100)
    assert len(owed) == MAX_ACKS
    assert inbox.due is None


def test_what_the_peer_asks_for_and_we_do_not_know_is_passed_over() -> None:
    body = {
        "AgentVersion": "1",
        "RequestedClientActions": [
            {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "k"}},
            {"ActionType": "SessionType", "ActionParameters": {"SessionType": "Standard_Stream"}},
            {"ActionType": "Later", "ActionParameters": {}},
        ],
    }
    request = handshake.parse_request(json.dumps(body).encode())
    assert request == HandshakeRequest("1", "Standard_Stream", {}, None)


@pytest.mark.parametrize("named", [2, 5, 20])
def test_a_payload_that_hides_more_than_it_names_is_malformed(named: int) -> None:
    """All input is read before all output is made: the rest is found by asking for it."""
    hidden = zlib.compress(b"x" * 21, 9, -zlib.MAX_WBITS)
    assert inflate((21).to_bytes(4, "big") + hidden) == b"x" * 21
    with pytest.raises(MalformedMessage):
        inflate(named.to_bytes(4, "big") + hidden)


def test_nothing_is_taken_or_sent_once_the_channel_is_over() -> None:
    client = DataChannel(Side.CLIENT, ChannelSettings(epoch=1.7e9), random.Random(3).randbytes)
    client.attach(1, 0.0)
    assert client.receive([channel_closed("s", "bye", 1, UUID(int=1))], 0.0) == [ch.Closed("bye")]
    client.consumed(10)
    assert (client.writable, client.next_deadline(), client.poll(1.0)) == (0, None, [])


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("", ""),
        ("ended by\x1b]0;mary\x07 john\r\n", "ended by]0;mary john"),
        ("x" * (MAX_OUTPUT + 1), "x" * MAX_OUTPUT),
    ],
    ids=["nothing", "control characters", "too long"],
)
def test_the_services_last_word_is_plain_text_of_bounded_length(said: str, shown: str) -> None:
    message = parse(channel_closed("john-0123", said, 1_700_000_000_123, UUID(int=7)))
    body = json.loads(message.payload)
    assert (message.message_type, message.sequence) == (MessageType.CHANNEL_CLOSED, 0)
    assert body["Output"] == shown
    assert body["SessionId"] == body["DestinationId"] == "john-0123"
    assert (body["MessageId"], body["CreatedDate"]) == (
        str(UUID(int=7)),
        "2023-11-14T22:13:20.123Z",
    )
