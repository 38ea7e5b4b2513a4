"""The data channel over a fake wire: whatever the network does, what goes in comes out."""

import random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core import channel as ch
from hatchway.core.channel import ChannelSettings, DataChannel, Side
from hatchway.core.sending import MAX_KEPT, MAX_WAITING
from hatchway.core.wire import FlagValue, PayloadType
from tests.unit.core.wirepair import Faults, Wire, pump

LOG_LINE = b"2026-11-22 INFO web-1 request served in 12 ms, status 200\n"


def opened(faults: Faults | None = None, seed: int = 0, **ends: ChannelSettings) -> Wire:
    wire = Wire(faults, seed, **ends)
    wire.client.resize(80, 24)
    wire.connect()
    wire.run(60, done=lambda: wire.client.opened and wire.agent.opened)
    return wire


def test_a_session_opens_extended_and_the_size_arrives_first() -> None:
    wire = opened()
    wire.run(1)
    assert wire.of(wire.client, ch.Opened) == [ch.Opened(extended=True)]
    assert wire.events[wire.agent] == [ch.Opened(extended=True), ch.Resized(80, 24)]


@pytest.mark.parametrize("away", [3.0, 10.0, 40.0])
def test_a_peer_that_is_back_on_the_same_path_hears_at_once_what_is_overdue(away: float) -> None:
    """Attempts had become rare, 5 s apart: a voice brings the next one forward."""
    wire = opened()
    wire.run(20)
    wire.faults.loss = 1.0
    wire.client.write(b"typed while away")
    wire.agent.write(b"printed while away")
    wire.run(away)
    wire.faults.loss = 0.0
    wire.agent.returned(wire.now)
    back = wire.now
    wire.run(60, done=lambda: wire.input() and wire.output())
    assert wire.now - back <= 0.1
    assert (wire.input(), wire.output()) == (b"typed while away", b"printed while away")


def test_the_return_of_a_path_that_was_given_up_is_nothing() -> None:
    wire = opened()
    wire.agent.write(b"x")
    wire.cut()
    wire.agent.returned(wire.now)
    assert wire.agent.poll(wire.now) == []


def test_the_client_learns_session_type_properties_and_message() -> None:
    agent = ChannelSettings(
        epoch=1.7e9, session_type="InteractiveCommands", properties={"a": 1}, message="recorded"
    )
    wire = opened(agent=agent)
    assert wire.of(wire.client, ch.Opened) == [
        ch.Opened("InteractiveCommands", {"a": 1}, "recorded", extended=True)
    ]


def test_output_input_stderr_flag_and_exit_code_arrive_in_order() -> None:
    wire = opened()
    wire.agent.write(b"one ")
    wire.agent.write(b"oops", PayloadType.STDERR)
    wire.agent.write(b"two")
    wire.agent.exit(130)
    wire.client.write(b"typed")
    wire.client.flag(FlagValue.TERMINATE_SESSION)
    wire.run(1)
    assert wire.events[wire.client][1:] == [
        ch.Data(b"one "),
        ch.Data(b"oops", PayloadType.STDERR),
        ch.Data(b"two"),
        ch.Exited(130),
    ]
    assert wire.input() == b"typed"
    assert wire.of(wire.agent, ch.Flagged) == [ch.Flagged(FlagValue.TERMINATE_SESSION)]
    assert wire.client.drained
    assert wire.agent.drained


@settings(max_examples=10 * settings().max_examples, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.3),
    repeat=st.floats(0, 0.3),
    jitter=st.floats(0, 0.3),
    cut_every=st.sampled_from([0.0, 0.3, 1.0, 5.0]),
    down=st.integers(0, 300_000),
    up=st.integers(0, 60_000),
    text=st.booleans(),
)
def test_for_every_schedule_of_faults_what_comes_out_is_what_went_in(
    seed: int,
    loss: float,
    repeat: float,
    jitter: float,
    cut_every: float,
    down: int,
    up: int,
    text: bool,
) -> None:
    source = random.Random(seed)
    output = (LOG_LINE * (down // len(LOG_LINE) + 1))[:down] if text else source.randbytes(down)
    typed = source.randbytes(up)
    wire = opened(Faults(loss, repeat, (0.001, 0.001 + jitter), cut_every), seed)
    pump(wire, wire.agent, output)
    pump(wire, wire.client, typed)
    wire.agent.exit(3)
    wire.run(600, done=lambda: wire.ended() and len(wire.input()) == up)
    # What was written while the client was away and did not fit is marked, never silently lost.
    if not wire.gaps():
        assert wire.output() == output
    assert len(wire.output()) + wire.gaps() == down
    assert wire.input() == typed
    assert wire.of(wire.client, ch.Exited) == [ch.Exited(3)]


def test_a_cut_during_the_handshake_is_survived() -> None:
    for cut_at in range(1, 12):
        wire = Wire()
        wire.connect()
        wire.run(cut_at * 0.002)
        wire.cut()
        wire.run(5)
        wire.client.write(b"x")
        wire.run(1)
        assert wire.input() == b"x", cut_at


def test_memory_stays_within_the_window_while_the_reader_is_slow() -> None:
    wire = opened()
    wire.slow_reader = True
    written = 0
    for _ in range(200):
        room = wire.agent.writable
        wire.agent.write(b"y" * room)
        written += room
        wire.run(0.1)
    assert len(wire.output()) <= ch.OUTPUT_WINDOW
    assert wire.agent.held_bytes <= MAX_WAITING
    assert written <= ch.OUTPUT_WINDOW + MAX_WAITING
    # Credit given at last, everything moves on, even if the news of it was lost once.
    wire.faults.loss = 1.0
    wire.client.consumed(len(wire.output()))
    wire.run(0.2)
    wire.faults.loss = 0.0
    wire.slow_reader = False
    wire.run(5)
    assert len(wire.output()) == written


def test_size_and_flag_overtake_a_paste_that_waits() -> None:
    wire = opened()
    wire.slow_reader = True
    for _ in range(20):
        wire.client.write(b"p" * wire.client.writable)
        wire.run(0.05)
    wire.client.resize(132, 50)
    wire.client.flag(FlagValue.TERMINATE_SESSION)
    wire.run(0.5)
    assert wire.of(wire.agent, ch.Resized)[-1] == ch.Resized(132, 50)
    assert wire.of(wire.agent, ch.Flagged)


def test_output_while_the_client_is_away_is_kept_and_beyond_the_limit_marked() -> None:
    wire = opened()
    wire.agent.write(b"before|")
    wire.run(1)
    wire.cut()
    wire.agent.write(b"a" * MAX_KEPT)
    wire.agent.write(b"b" * 10)
    assert wire.agent.held_bytes <= MAX_KEPT + 8
    wire.agent.write(b"c" * 5)
    wire.run(5)
    assert wire.gaps() == 15
    assert wire.output() == b"before|" + b"a" * (MAX_KEPT - 15) + b"b" * 10 + b"c" * 5
    kinds = [type(e) for e in wire.events[wire.client] if isinstance(e, ch.Data | ch.Gap)]
    assert kinds[:2] == [ch.Data, ch.Gap]
    assert wire.agent.losses[0] == 15


def test_a_client_of_the_original_protocol_reads_the_gap_as_text() -> None:
    wire = opened(client=ChannelSettings(epoch=1.7e9, extensions=False))
    wire.cut()
    wire.agent.write(b"a" * MAX_KEPT)
    wire.agent.write(b"b" * 7)
    wire.run(30)
    assert wire.output().startswith(b"\r\n[hatchway: 7 bytes of output were lost here]\r\n")


def test_silence_is_told_once_and_its_end_too() -> None:
    wire = opened()
    wire.faults.loss = 1.0
    wire.run(100)
    assert [type(e) for e in wire.events[wire.client][1:]] == [ch.Silent]
    assert wire.of(wire.agent, ch.Silent)
    wire.faults.loss = 0.0
    wire.run(20)
    assert [type(e) for e in wire.events[wire.client][1:]] == [ch.Silent, ch.Heard]


@pytest.mark.parametrize("extensions", [True, False])
def test_a_client_that_never_hears_of_a_beginning_is_told_of_the_silence(extensions: bool) -> None:
    settings = ChannelSettings(epoch=1.7e9, extensions=extensions)
    channel = DataChannel(Side.CLIENT, settings, random.Random(1).randbytes)
    channel.attach(1, 100.0)
    now = 100.0
    while (deadline := channel.next_deadline()) is not None and deadline <= 100.0 + ch.SILENCE:
        now = deadline
        channel.poll(now)
        if events := channel.take_events():
            assert events == [ch.Silent(ch.SILENCE)]
            break
    assert now == 100.0 + ch.SILENCE
    channel.poll(now + 2 * ch.SILENCE)
    assert channel.take_events() == []


def test_an_idle_session_costs_one_message_each_way_per_keepalive() -> None:
    wire = opened()
    wire.run(1)
    before = wire.messages
    wire.run(10 * ch.KEEPALIVE)
    assert wire.messages - before <= 22
    assert not wire.of(wire.client, ch.Silent)


def test_a_client_that_never_answers_the_handshake_fails_the_session() -> None:
    wire = Wire(Faults(loss=1.0))
    wire.connect()
    wire.run(ch.HANDSHAKE_TIME + 1)
    assert wire.of(wire.agent, ch.Failed) == [
        ch.Failed("HandshakeTimeout", "The client did not answer the handshake.")
    ]
    assert wire.agent.next_deadline() is None


def test_a_session_type_the_client_does_not_know_fails_the_session() -> None:
    wire = Wire(agent=ChannelSettings(epoch=1.7e9, session_type="Unheard"))
    wire.connect()
    wire.run(1)
    assert [e.code for e in wire.of(wire.agent, ch.Failed)] == ["UnsupportedSessionType"]


def test_compression_sends_a_fraction_of_log_text() -> None:
    wire = opened()
    sent = wire.messages
    pump(wire, wire.agent, LOG_LINE * 20_000)
    wire.run(5, done=lambda: wire.agent.drained)
    assert wire.output() == LOG_LINE * 20_000
    assert wire.messages - sent < 60


def test_writing_beyond_writable_is_a_programming_error() -> None:
    wire = opened()
    with pytest.raises(ValueError, match="writable"):
        wire.agent.write(b"x" * (wire.agent.writable + 1))


def test_nothing_is_written_or_sent_after_the_end() -> None:
    wire = opened()
    wire.agent._fail("X", "over")
    assert wire.agent.writable == 0
    assert wire.agent.poll(wire.now) == []


def test_attaching_the_same_generation_again_changes_nothing() -> None:
    wire = opened()
    wire.run(1)
    wire.agent.attach(1, wire.now)
    assert wire.agent.attached
    assert wire.agent.poll(wire.now) == []


@pytest.mark.parametrize("size", [(0, 0), (5000, 5000)])
def test_a_size_is_brought_within_bounds_before_it_is_sent(size: tuple[int, int]) -> None:
    wire = opened()
    wire.client.resize(*size)
    wire.run(1)
    (columns, rows) = (1, 1) if size == (0, 0) else (1000, 1000)
    assert wire.of(wire.agent, ch.Resized)[-1] == ch.Resized(columns, rows)


def test_two_ends_without_extensions_understand_each_other() -> None:
    plain = ChannelSettings(epoch=1.7e9, extensions=False)
    wire = opened(Faults(loss=0.05, delay=(0.001, 0.03)), client=plain, agent=plain)
    pump(wire, wire.agent, LOG_LINE * 500)
    pump(wire, wire.client, b"z" * 50_000)
    wire.run(60, done=lambda: wire.agent.drained and wire.client.drained)
    assert wire.output() == LOG_LINE * 500
    assert wire.input() == b"z" * 50_000


def test_messages_are_no_larger_than_asked() -> None:
    channel = DataChannel(Side.AGENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
    channel.attach(1, 0.0)
    from hatchway.core.wire import to_text

    assert len(to_text(channel.poll(0.0, 4096))) <= 4096


def test_the_agent_knows_whose_input_comes() -> None:
    assert Wire().agent.client == ""
    one, other = opened(seed=1), opened(seed=2)
    assert UUID(one.agent.client) != UUID(other.agent.client)
