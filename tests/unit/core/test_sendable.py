"""What a driver may know before it polls: how much data would go."""

from __future__ import annotations

from hatchway.core import channel as ch
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
