"""A session whose client is replaced by another that knows nothing of what went before."""

from __future__ import annotations

import random

from hatchway.core import channel as ch
from hatchway.core.channel import INPUT_WINDOW, ChannelSettings, DataChannel, Side
from hatchway.core.channel_settings import HELLO_AFTER
from hatchway.core.handshake import MIN_WINDOW
from hatchway.core.sending import MAX_KEPT, MAX_WAITING
from hatchway.core.wire import FLAG_SYN, AgentMessage, MessageType, pack, parse
from tests.unit.core.wirepair import Faults, Wire, pump

FAULTS = Faults(loss=0.1, repeat=0.1, delay=(0.001, 0.2))


def opened(faults: Faults | None = None, seed: int = 0) -> Wire:
    wire = Wire(faults, seed)
    wire.client.resize(80, 24)
    wire.connect()
    wire.run(60, done=lambda: wire.client.opened and wire.agent.opened)
    wire.run(1)
    return wire


def replace_client(wire: Wire, seed: int = 7) -> None:
    """The first client is gone for good; another one connects."""
    wire.cut()
    made = ChannelSettings(epoch=1.7e9)
    wire.client = DataChannel(Side.CLIENT, made, random.Random(seed).randbytes)
    wire.client.resize(100, 30)
    wire.events[wire.client] = []
    wire.connect()


def test_another_client_goes_on_with_the_session() -> None:
    wire = opened()
    wire.agent.write(b"before")
    wire.client.write(b"typed before")
    wire.run(1)
    replace_client(wire)
    wire.client.write(b" and after")
    wire.agent.write(b"after")
    wire.run(5)
    assert wire.output() == b"after"
    assert wire.input() == b"typed before and after"
    assert wire.of(wire.client, ch.Opened) == [ch.Opened(extended=True)]
    assert wire.of(wire.agent, ch.Resized) == [ch.Resized(80, 24), ch.Resized(100, 30)]
    assert wire.client.drained
    assert wire.agent.drained
    assert wire.gaps() == 0


def test_whatever_the_network_does_nothing_old_is_taken_for_new() -> None:
    for seed in range(10):
        wire = opened(FAULTS, seed)
        pump(wire, wire.agent, b"old" * 20_000)
        wire.run(60, done=lambda w=wire: w.agent.drained)
        for round_ in range(3):
            replace_client(wire, seed * 10 + round_)
            wire.run(60, done=lambda w=wire: w.client.opened and w.agent.opened)
            mark = f"round {round_};".encode()
            wire.agent.write(mark)
            wire.client.write(mark)
            wire.run(60, done=lambda w=wire: w.client.drained and w.agent.drained)
            assert wire.output() == mark
        assert wire.input() == b"round 0;round 1;round 2;"


def test_what_the_first_one_did_not_acknowledge_reaches_the_second_in_order() -> None:
    wire = opened()
    written = bytes(random.Random(3).choices(b"abc", k=100_000))  # it compresses
    wire.agent.write(written)
    wire.agent.exit(3)
    assert wire.agent.poll(wire.now)
    replace_client(wire)
    wire.run(5)
    assert wire.output() == written
    assert wire.events[wire.client][-1] == ch.Exited(3)
    assert wire.gaps() == 0


def test_a_gap_on_its_way_to_the_first_one_reaches_the_second() -> None:
    wire = opened()
    wire.cut()
    for _ in range(MAX_KEPT // MAX_WAITING + 1):
        wire.agent.write(b"x" * MAX_WAITING)
    wire.connect()
    assert wire.agent.poll(wire.now)
    replace_client(wire)
    wire.run(5)
    assert wire.gaps() == MAX_WAITING
    assert wire.output() == b"x" * MAX_KEPT


def test_a_client_that_is_back_asks_for_no_beginning() -> None:
    wire = opened()
    wire.agent.write(b"kept")
    assert wire.agent.poll(wire.now)
    wire.cut()
    wire.run(5)
    assert wire.output() == b"kept"
    assert len(wire.of(wire.agent, ch.Opened)) == 1


def test_a_greeting_that_comes_late_or_twice_changes_nothing() -> None:
    wire = Wire()
    wire.connect()
    wire.now += HELLO_AFTER
    [greeting] = wire.client.poll(wire.now)
    assert parse(greeting).message_type is MessageType.START_PUBLICATION
    assert parse(greeting).flags & FLAG_SYN
    wire.run(60, done=lambda: wire.client.opened and wire.agent.opened)
    wire.run(1)
    wire.agent.receive([greeting, greeting], wire.now)
    wire.agent.write(b"x")
    wire.run(1)
    assert wire.output() == b"x"
    assert len(wire.of(wire.agent, ch.Opened)) == 1


def test_input_that_the_first_one_left_behind_counts_against_the_newcomers_credit() -> None:
    wire = opened()
    wire.slow_reader = True
    pump_in = INPUT_WINDOW - 10_000
    wire.client.write(b"a" * pump_in)
    wire.run(5)
    assert len(wire.input()) == pump_in
    replace_client(wire)
    wire.client.write(b"b" * 20_000)
    wire.run(5)
    assert len(wire.input()) == pump_in + 10_000
    wire.agent.consumed(INPUT_WINDOW)
    wire.run(5)
    assert len(wire.input()) == pump_in + 20_000


def test_a_newcomer_always_gets_the_least_window() -> None:
    wire = opened()
    wire.slow_reader = True
    wire.client.write(b"a" * INPUT_WINDOW)
    wire.run(5)
    replace_client(wire)
    wire.client.write(b"b" * INPUT_WINDOW)
    wire.run(5)
    assert len(wire.input()) == INPUT_WINDOW + MIN_WINDOW


def test_before_the_beginning_a_client_takes_nothing() -> None:
    wire = opened()
    newcomer = DataChannel(Side.CLIENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
    newcomer.attach(1, wire.now)
    wire.agent.write(b"old")
    assert newcomer.receive(wire.agent.poll(wire.now), wire.now) == []
    assert newcomer.dropped["before the beginning"] == 1
    assert newcomer.poll(wire.now) == []


def test_an_end_without_extensions_offers_and_asks_for_nothing() -> None:
    settings = ChannelSettings(epoch=1.7e9, extensions=False)
    wire = Wire(agent=settings)
    wire.connect()
    wire.run(5)
    wire.client.write(b"one")
    wire.run(5)
    replace_client(wire)
    wire.run(5)
    wire.client.write(b" two")
    wire.run(5)
    assert wire.input() == b"one two"
    plain = DataChannel(Side.CLIENT, settings, random.Random(1).randbytes)
    plain.attach(1, 0.0)
    assert plain.next_deadline() == ch.SILENCE
    assert plain.poll(60.0) == []


def test_start_publication_without_syn_is_the_originals() -> None:
    wire = opened()
    message = AgentMessage(
        message_type=MessageType.START_PUBLICATION,
        sequence=0,
        message_id=parse(wire_greeting()).message_id,
        created=1,
        payload=b"x",
    )
    wire.agent.receive([pack(message)], wire.now)
    wire.run(1)
    assert len(wire.of(wire.agent, ch.Opened)) == 1


def wire_greeting() -> bytes:
    """Some other client's greeting."""
    other = DataChannel(Side.CLIENT, ChannelSettings(epoch=1.7e9), random.Random(9).randbytes)
    other.attach(1, 0.0)
    [greeting] = other.poll(HELLO_AFTER)
    return greeting


def test_a_client_that_left_during_the_handshake_is_replaced() -> None:
    wire = Wire()
    wire.connect()
    wire.run(60, done=lambda: wire.agent.opened)
    assert not wire.client.opened
    replace_client(wire)
    wire.agent.write(b"x")
    wire.run(5)
    assert wire.output() == b"x"
    assert wire.client.opened


def test_another_client_is_shown_the_replay_before_what_nobody_acknowledged() -> None:
    asked: list[int] = []

    def replay(held: int) -> bytes:
        asked.append(held)
        return b"shown before, "

    made = ChannelSettings(epoch=1.7e9, replay=replay)
    wire = Wire(agent=made)
    wire.client.resize(80, 24)
    wire.connect()
    wire.run(60, done=lambda: wire.client.opened and wire.agent.opened)
    wire.run(1)
    wire.cut()
    wire.agent.write(b"not acknowledged")
    replace_client(wire)
    wire.run(5)
    printed = b"".join(e.data for e in wire.events[wire.client] if isinstance(e, ch.Data))
    assert printed == b"shown before, not acknowledged"
    assert asked == [len(b"not acknowledged")]


def test_what_a_client_sends_again_goes_with_an_acknowledgement_made_now() -> None:
    """It shows the service how long ago the key was pressed."""
    wire = opened()
    wire.client.write(b"x")
    first = [parse(frame) for frame in wire.client.poll(wire.now)]
    again = [parse(frame) for frame in wire.client.poll(wire.now + 30)]
    (typed,) = [m for m in first if m.message_type is MessageType.INPUT]
    (repeat,) = [m for m in again if m.message_type is MessageType.INPUT]
    acks = [m.created for m in again if m.message_type is MessageType.ACKNOWLEDGE]
    assert repeat.message_id == typed.message_id
    assert max(acks) - repeat.created >= 29_000
