"""What ours is compared to: messages of 1,024 bytes, each acknowledged by one of its own, each sent
by itself, as the original protocol does. Over the same metered service."""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.clock import ServiceClock
from agent.seals import Opener, Refused
from benchmarks.metered import NODE, SESSION, MeteredService
from benchmarks.prices import Bill
from hatchway.core.channel import ChannelSettings, Data, DataChannel, Side
from hatchway.core.wire import from_text, to_text
from lambdas.memory.clock import CountedRandom, ManualClock

_SIZE = (80, 24)
STEP = 0.01


class Original:
    """Two channels without extensions; every message is a call or a message of its own."""

    def __init__(self, seconds: float) -> None:
        self._clock = ManualClock()
        random = CountedRandom()
        self._service = MeteredService(self._clock, random, seconds)
        settings = ChannelSettings(epoch=0.0, extensions=False)
        self._agent = DataChannel(Side.AGENT, settings, random)
        self._client = DataChannel(Side.CLIENT, settings, random)
        self._service.to_node = self._at_node
        self._service.to_client = self._at_client
        clock = ServiceClock(self._clock, self._clock)
        self._opener = Opener(NODE, SESSION, clock, AESGCM)
        self._printed = 0
        self._renew()
        self._open()

    def print(self, data: bytes) -> Bill:
        """What it takes until the client has all of it, and has said so."""
        self._service.meter.take()
        self._printed = 0
        view = memoryview(data)
        while view or not self._agent.drained:
            size = min(self._agent.writable, len(view))
            self._agent.write(bytes(view[:size]))
            view = view[size:]
            self._round()
        if self._printed != len(data):
            raise RuntimeError("the client has not got what was printed")
        return self._service.meter.take()

    def press(self, keys: int) -> Bill:
        """The same for keys and their echoes, one after another."""
        self._service.meter.take()
        for _ in range(keys):
            self._client.write(b"x")
            while not (self._client.drained and self._agent.drained):
                self._round()
        return self._service.meter.take()

    def _open(self) -> None:
        self._client.resize(*_SIZE)
        for channel in (self._agent, self._client):
            channel.attach(1, self._clock())
        while not (self._agent.opened and self._client.opened and self._client.drained):
            self._round()

    def _round(self) -> None:
        """All that both have to say, and a moment."""
        for frame in self._agent.poll(self._clock()):
            self._service.from_agent("frames", to_text([frame]), self._ticket)
        for frame in self._client.poll(self._clock()):
            self._service.from_client(to_text([frame]))
        self._clock.advance(STEP)
        if self._clock() >= self._renew_at:
            self._renew()

    def _renew(self) -> None:
        body = json.dumps({"AgentInstanceId": "agent"})
        answer = json.loads(self._service.from_agent("ticket", body).body)
        self._ticket, self._renew_at = str(answer["Ticket"]), self._clock() + 30
        self._opener.add_key(answer["SealKeyId"], _key(answer["SealKey"]))

    def _at_node(self, sealed: bytes) -> None:
        found = self._opener.open(sealed, 1)
        if isinstance(found, Refused):
            raise RuntimeError(found.why)
        for event in self._agent.receive(found.frames, self._clock()):
            if isinstance(event, Data):
                self._agent.consumed(len(event.data))
                self._agent.write(event.data)  # the terminal's echo

    def _at_client(self, text: str) -> None:
        for event in self._client.receive(from_text(text), self._clock()):
            if isinstance(event, Data):
                self._client.consumed(len(event.data))
                self._printed += len(event.data)


def _key(text: str) -> bytes:
    return base64.b64decode(text)
