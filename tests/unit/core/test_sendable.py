"""What a driver may know before it polls: how much data would go."""

from __future__ import annotations

from hatchway.core import channel as ch
from hatchway.core.receiving import ACK_DELAY, RIDES_WITHIN
from tests.unit.core.wirepair import Wire


def test_nothing_can_be_sent_before_the_handshake() -> None:
    wire = Wire()
    wire.agent.write(b"early")
    assert wire.agent.sendable == 0


def test_what_waits_can_be_sent_as_far_as_there_is_credit() -> None:
    wire = Wire()
    wire.connect()
    wire.run(1)
    wire.slow_reader = True
    wire.agent.write(b"x" * 1000)
    assert wire.agent.sendable == 1000
    wire.run(1)
    assert wire.agent.sendable == 0
    for _ in range(ch.OUTPUT_WINDOW // 1000):
        wire.agent.write(b"x" * min(1000, wire.agent.writable))
        wire.run(0.05)
    wire.agent.write(b"x" * wire.agent.writable)
    wire.run(1)
    # All credit is spent: data waits, and none of it may go.
    assert wire.agent.held_bytes > 0
    assert wire.agent.sendable == 0


def _owing() -> tuple[Wire, float]:
    """Both ends have just taken a message, and owe its acknowledgement."""
    wire = Wire()
    wire.connect()
    wire.run(1)
    now = wire.now
    wire.client.write(b"k")
    wire.agent.write(b"e")
    key, echo = wire.client.poll(now), wire.agent.poll(now)
    assert len(key) == len(echo) == 1
    wire.agent.receive(key, now)
    wire.client.receive(echo, now)
    return wire, now


def test_an_acknowledgement_leaves_the_agent_with_the_echo_at_once() -> None:
    wire, now = _owing()
    wire.agent.write(b"e")
    assert len(wire.agent.poll(now)) == 2


def test_a_clients_acknowledgement_rides_on_data_when_it_is_nearly_due() -> None:
    wire, now = _owing()
    wire.client.write(b"k")
    assert len(wire.client.poll(now + ACK_DELAY - RIDES_WITHIN - 0.001)) == 1
    wire.client.write(b"k")
    assert len(wire.client.poll(now + ACK_DELAY - RIDES_WITHIN + 0.001)) == 2


def test_a_clients_acknowledgement_leaves_by_itself_in_time() -> None:
    wire, now = _owing()
    assert wire.client.next_deadline() == now + ACK_DELAY
    assert wire.client.poll(now + ACK_DELAY - 0.001) == []
    assert len(wire.client.poll(now + ACK_DELAY)) == 1
