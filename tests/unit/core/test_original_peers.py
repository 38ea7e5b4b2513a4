"""A peer of the original protocol gets a full session, with nothing that it does not know."""

import random

import pytest

from hatchway.core import channel as ch
from hatchway.core.channel import ChannelSettings, DataChannel, Side
from hatchway.core.wire import PayloadType
from tests.unit.core.original import OriginalEnd, original_agent, original_client


class Bridge:
    """Joins one of our ends and one of the original's; loses messages and acknowledgements."""

    def __init__(self, ours: DataChannel, theirs: OriginalEnd, loss: float = 0.0) -> None:
        self.ours, self.theirs, self.loss = ours, theirs, loss
        self.chance = random.Random(7)
        self.now = 10.0
        self.events: list[ch.ChannelEvent] = []

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 0.005
            for frame in self.ours.poll(self.now):
                if self.chance.random() >= self.loss:
                    self.theirs.take(frame, self.now)
            self.theirs.resend(self.now)
            frames, self.theirs.outgoing = self.theirs.outgoing, []
            kept = [frame for frame in frames if self.chance.random() >= self.loss]
            self.events += self.ours.receive(kept, self.now) + self.ours.take_events()
            taken = sum(len(e.data) for e in self.events[-len(kept) :] if isinstance(e, ch.Data))
            self.ours.consumed(taken)

    def input(self) -> bytes:
        return b"".join(e.data for e in self.events if isinstance(e, ch.Data))


def agent() -> DataChannel:
    return DataChannel(Side.AGENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)


@pytest.mark.parametrize("loss", [0.0, 0.05, 0.2])
def test_the_originals_client_gets_a_whole_session_from_our_agent(loss: float) -> None:
    bridge = Bridge(agent(), original_client(), loss)
    bridge.ours.attach(1, bridge.now)
    bridge.run(5)
    assert [e for e in bridge.events if isinstance(e, ch.Opened)] == [ch.Opened()]
    bridge.theirs.send(b'{"cols":80,"rows":24}', PayloadType.SIZE, bridge.now)
    bridge.run(5)
    assert ch.Resized(80, 24) in bridge.events
    output = random.Random(3).randbytes(40_000)
    at = 0
    while at < len(output):
        room = bridge.ours.writable
        bridge.ours.write(output[at : at + room])
        at += room
        bridge.run(0.2)
    bridge.theirs.type(b"ls -l\n" * 700, bridge.now)
    bridge.ours.exit(0)
    bridge.run(120)
    assert bridge.theirs.text() == output
    assert bridge.input() == b"ls -l\n" * 700
    assert {kind for kind, _ in bridge.theirs.received} == {1, 5, 7}


def test_output_waits_for_the_first_size_of_a_client_without_extensions() -> None:
    bridge = Bridge(agent(), original_client())
    bridge.ours.attach(1, bridge.now)
    bridge.run(0.3)
    bridge.ours.write(b"$ ")
    bridge.run(0.3)
    assert bridge.theirs.text() == b""
    bridge.theirs.send(b'{"cols":80,"rows":24}', PayloadType.SIZE, bridge.now)
    bridge.run(0.3)
    assert bridge.theirs.text() == b"$ "


def test_output_does_not_wait_for_a_size_for_ever() -> None:
    bridge = Bridge(agent(), original_client())
    bridge.ours.attach(1, bridge.now)
    bridge.run(0.3)
    bridge.ours.write(b"$ ")
    bridge.run(ch.SIZE_WAIT + 0.1)
    assert bridge.theirs.text() == b"$ "


def test_an_agent_that_sends_no_handshake_works_with_our_client() -> None:
    ours = DataChannel(Side.CLIENT, ChannelSettings(epoch=1.7e9), random.Random(1).randbytes)
    bridge = Bridge(ours, original_agent(), loss=0.05)
    ours.resize(80, 24)
    ours.attach(1, bridge.now)
    bridge.theirs.type(b"$ ", bridge.now)
    bridge.run(3)
    assert bridge.events[0] == ch.Opened()
    ours.write(b"exit\r")
    bridge.run(5)
    assert bridge.theirs.text(3) == b'{"cols":80,"rows":24}'
    assert bridge.theirs.text() == b"exit\r"
    assert bridge.input() == b"$ "


def test_a_paused_peer_gets_nothing_until_it_starts_again() -> None:
    from uuid import UUID

    from hatchway.core.wire import AgentMessage, MessageType, pack

    def control(kind: MessageType) -> bytes:
        return pack(AgentMessage(kind, 0, UUID(int=1), 0, b""))

    bridge = Bridge(agent(), original_client())
    bridge.ours.attach(1, bridge.now)
    bridge.run(2)
    bridge.ours.receive([control(MessageType.PAUSE_PUBLICATION)], bridge.now)
    bridge.ours.write(b"kept")
    bridge.run(2)
    assert bridge.theirs.text() == b""
    deadline = bridge.ours.next_deadline()
    assert deadline is None or deadline > bridge.now
    bridge.ours.receive([control(MessageType.START_PUBLICATION)], bridge.now)
    bridge.run(2)
    assert bridge.theirs.text() == b"kept"
