"""Two data channels joined by a fake wire: whole conversations without a socket or a clock.

The wire loses, repeats, delays (and so reorders) and is cut by a seeded schedule.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass
from typing import TypeVar

from hatchway.core.channel import (
    ChannelEvent,
    ChannelSettings,
    Closed,
    Data,
    DataChannel,
    Exited,
    Gap,
    Side,
)
from hatchway.core.wire import MAX_TEXT_MESSAGE, PayloadType, from_text, to_text

E = TypeVar("E", bound=ChannelEvent)


@dataclass
class Faults:
    """What the wire does to each message: shares of 1, delays in seconds."""

    loss: float = 0.0
    repeat: float = 0.0
    delay: tuple[float, float] = (0.005, 0.005)
    cut_every: float = 0.0
    away: float = 0.1


class Wire:
    """Carries text messages between a client and an agent and keeps the time."""

    def __init__(
        self,
        faults: Faults | None = None,
        seed: int = 0,
        client: ChannelSettings | None = None,
        agent: ChannelSettings | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.chance = random.Random(seed)
        self.now = 100.0
        bytes_of = random.Random(seed + 1).randbytes
        settings = ChannelSettings(epoch=1_700_000_000.0)
        self.client = DataChannel(Side.CLIENT, client or settings, bytes_of)
        self.agent = DataChannel(Side.AGENT, agent or settings, bytes_of)
        self.events: dict[DataChannel, list[ChannelEvent]] = {self.client: [], self.agent: []}
        self.messages = 0
        self.frames = 0
        self.slow_reader = False
        self._air: list[tuple[float, int, DataChannel, str]] = []
        self._count = 0
        self._generation = 0
        self._next_cut = self.now + self.faults.cut_every if self.faults.cut_every else None
        self._back: float | None = None

    # --- the path ---------------------------------------------------------------------------

    def connect(self) -> None:
        self._generation += 1
        self._back = None
        for end in (self.client, self.agent):
            end.attach(self._generation, self.now)

    def cut(self) -> None:
        """Everything on its way is gone, and both ends know that the path is."""
        self._air.clear()
        for end in (self.client, self.agent):
            end.detach(self.now)
        self._back = self.now + self.faults.away

    # --- time -------------------------------------------------------------------------------

    def run(self, until: float = 60.0, done: object = None) -> None:
        """Lets `until` seconds pass, or fewer when `done()` becomes true."""
        end = self.now + until
        for _ in range(400_000):
            self._exchange()
            if callable(done) and done():
                return
            step = self._next_time(end)
            if step is None or step > end:
                self.now = end
                return
            self.now = max(self.now, step)
        raise AssertionError("the wire never came to rest")

    def _next_time(self, end: float) -> float | None:
        times = [t for t in (self.client.next_deadline(), self.agent.next_deadline()) if t]
        times += [self._air[0][0]] if self._air else []
        times += [t for t in (self._back, self._next_cut) if t is not None]
        return max(self.now + 1e-4, min(times)) if times else None

    def _exchange(self) -> None:
        if self._next_cut is not None and self.now >= self._next_cut:
            self._next_cut += self.faults.cut_every
            self.cut()
        if self._back is not None and self.now >= self._back:
            self.connect()
        self._deliver()
        for end, peer in ((self.client, self.agent), (self.agent, self.client)):
            while (frames := end.poll(self.now)) or False:
                self.events[end] += end.take_events()
                self._send(peer, to_text(frames))
                self.frames += len(frames)
            self.events[end] += end.take_events()

    def _send(self, peer: DataChannel, text: str) -> None:
        assert len(text) <= MAX_TEXT_MESSAGE
        self.messages += 1
        copies = 0 if self.chance.random() < self.faults.loss else 1
        copies += self.chance.random() < self.faults.repeat
        for _ in range(copies):
            self._count += 1
            at = self.now + self.chance.uniform(*self.faults.delay)
            heapq.heappush(self._air, (at, self._count, peer, text))

    def _deliver(self) -> None:
        while self._air and self._air[0][0] <= self.now:
            _, _, peer, text = heapq.heappop(self._air)
            events = peer.receive(from_text(text), self.now)
            self.events[peer] += events
            if not self.slow_reader:
                peer.consumed(sum(len(e.data) for e in events if isinstance(e, Data)))

    # --- what came out ----------------------------------------------------------------------

    def output(self) -> bytes:
        return self._joined(self.client)

    def input(self) -> bytes:
        return self._joined(self.agent)

    def _joined(self, end: DataChannel) -> bytes:
        return b"".join(e.data for e in self.events[end] if isinstance(e, Data))

    def apart(self) -> tuple[bytes, bytes]:
        """What came out as standard output and as standard error."""
        data = [e for e in self.events[self.client] if isinstance(e, Data)]
        error = PayloadType.STDERR
        return (
            b"".join(e.data for e in data if e.payload_type is not error),
            b"".join(e.data for e in data if e.payload_type is error),
        )

    def of(self, end: DataChannel, kind: type[E]) -> list[E]:
        return [event for event in self.events[end] if isinstance(event, kind)]

    def ended(self) -> bool:
        return bool(self.of(self.client, Exited) or self.of(self.client, Closed))

    def gaps(self) -> int:
        return sum(e.size for e in self.events[self.client] if isinstance(e, Gap))


def pump(wire: Wire, end: DataChannel, data: bytes, kind: PayloadType = PayloadType.OUTPUT) -> None:
    """Writes all of `data` as the channel takes it, letting time pass in between."""
    at = 0
    for _ in range(100_000):
        room = end.writable
        end.write(data[at : at + room], kind)
        at += room
        if at >= len(data):
            return
        wire.run(0.05, done=lambda: end.writable > 0)
    raise AssertionError("the channel took no more data")
