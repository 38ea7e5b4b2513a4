"""One upgraded connection: WebSocket frames both ways, limited, counted, damaged on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Generator, Mapping
from enum import Enum
from typing import Any, Protocol

from websockets.exceptions import ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from tests.edge.faults import Faults
from tests.edge.limits import Limits, Meter

READ = 64 * 1024
#: Seconds that a refused peer has to read why.
LINGER = 2.0
#: Seconds between looks at the clock.
TICK = 0.05
_CONTROL = frozenset({Opcode.CLOSE, Opcode.PING, Opcode.PONG})
_MQTT_CONNECT = 1
_MQTT_PUBLISH = 3

End = tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]


class Kind(Enum):
    STREAM = "stream"
    MQTT = "mqtt"

    @classmethod
    def of(cls, headers: Mapping[bytes, bytes]) -> Kind:
        protocols = headers.get(b"sec-websocket-protocol", b"")
        return cls.MQTT if b"mqtt" in protocols.lower() else cls.STREAM


class _Settings(Protocol):
    limits: Limits
    up: Faults
    down: Faults


class Refused(Exception):
    """The proxy closes the connection with this code, as API Gateway would."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.close = Close(code, reason)


class Tunnel:
    """Pumps frames between a client side and the upstream until either ends."""

    def __init__(
        self, kind: Kind, near: End, far: End, settings: _Settings, counts: Counter[str]
    ) -> None:
        self.kind = kind
        self.muted = False
        self._near, self._far = near, far
        self._settings = settings
        self._counts = counts
        self._loop = asyncio.get_running_loop()
        self._heard = self._born = self._packet = self._loop.time()
        #: Seconds without an MQTT packet from the client after which it is cut; 0 for never.
        self._keep_alive = 0.0
        #: One side went away while muted: the tunnel ends when it no longer is.
        self._half = False
        limits = settings.limits
        self._messages = Meter(limits.mqtt_messages)
        self._bytes = Meter(limits.mqtt_bytes)

    async def run(self) -> None:
        up = self._pump(self._near, self._far, self._settings.up, masked=True)
        down = self._pump(self._far, self._near, self._settings.down, masked=False)
        tasks = {asyncio.ensure_future(work) for work in (up, down, self._watch())}
        try:
            await self._until_over(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for _, writer, _ in (self._near, self._far):
                writer.close()

    async def _until_over(self, tasks: set[asyncio.Task[None]]) -> None:
        """While muted, neither side learns that the other one is gone."""
        pending = tasks
        while True:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if isinstance(error := task.exception(), Refused):
                    self._counts[f"closed {error.close.code}"] += 1
                    await self._say(error.close)
                    return
            if not self.muted or len(pending) < 2:
                return
            self._half = True

    async def _say(self, close: Close) -> None:
        """A close frame, and time to read it: closing at once would reset what is unread."""
        frame = Frame(Opcode.CLOSE, close.serialize())
        self._near[1].write(frame.serialize(mask=False))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while await self._near[0].read(READ):
                    pass

    def say(self, text: str) -> None:
        """A text message to the client, as if from upstream."""
        self._write(self._near, [Frame(Opcode.TEXT, text.encode())], masked=False)

    def end(self, reset: bool) -> None:
        """Ends both sides: with RST, or with FIN and without a close frame."""
        for _, writer, _ in (self._near, self._far):
            if reset:
                _reset(writer)
            else:
                writer.close()

    async def _watch(self) -> None:
        """API Gateway's idle and life limits, IoT Core's keep-alive."""
        limits = self._settings.limits
        while self.muted or not self._half:
            now = self._loop.time()
            if self.kind is Kind.STREAM:
                if now - self._heard >= limits.idle or now - self._born >= limits.life:
                    raise Refused(1001, "Going away")
            elif self._keep_alive and now - self._packet >= self._keep_alive:
                self._keep_alive = 0.0
                self._counts["keep-alive ran out"] += 1
                self._far[1].close()
            await asyncio.sleep(min(TICK, limits.idle / 10))

    async def _pump(self, source: End, target: End, faults: Faults, masked: bool) -> None:
        reader, _, early = source
        frames = _Frames(early, masked)
        message: list[Frame] = []
        while True:
            for frame in frames.ready():
                if frame.opcode in _CONTROL:
                    self._write(target, [frame], masked)
                    continue
                message.append(frame)
                self._check(message, masked)
                if frame.fin:
                    self._heard = self._loop.time()
                    self._forward(target, message, faults, masked)
                    message = []
            data = await reader.read(READ)
            if not data:
                return
            frames.feed(data)

    def _check(self, message: list[Frame], up: bool) -> None:
        if self.kind is not Kind.STREAM or not up:
            return
        limits = self._settings.limits
        if message[0].opcode is Opcode.BINARY:
            raise Refused(1003, "Binary frames are not supported")
        if len(message[-1].data) > limits.frame:
            raise Refused(1009, "Frame too large")
        if sum(len(frame.data) for frame in message) > limits.message:
            raise Refused(1009, "Message too large")

    def _forward(self, target: End, message: list[Frame], faults: Faults, masked: bool) -> None:
        self._counts[f"{self.kind.value} {'up' if masked else 'down'}"] += 1
        if self.kind is Kind.MQTT:
            if masked and not self.muted:
                self._alive(message)
            if masked or message[0].data[0] >> 4 != _MQTT_PUBLISH:
                self._write(target, message, masked)
                return
            if not self._within_rate(message):
                self._counts["mqtt over the limit"] += 1
                return
        schedule = faults.schedule()
        self._counts["lost"] += not schedule
        for delay in schedule:
            if delay:
                self._loop.call_later(delay, self._write, target, list(message), masked)
            else:
                self._write(target, message, masked)

    def _alive(self, message: list[Frame]) -> None:
        """A packet of the client arrived; the first one says how often it will."""
        self._packet = self._loop.time()
        interval = keep_alive(b"".join(bytes(frame.data) for frame in message))
        if interval:
            limits = self._settings.limits
            self._keep_alive = max(interval, limits.keep_alive_least) * limits.keep_alive_grace

    def _within_rate(self, message: list[Frame]) -> bool:
        size = sum(len(frame.data) for frame in message)
        now = self._loop.time()
        return self._messages.take(1, now) and self._bytes.take(size, now)

    def _write(self, target: End, frames: list[Frame], masked: bool) -> None:
        writer = target[1]
        if self.muted or writer.is_closing():
            return
        for frame in frames:
            writer.write(frame.serialize(mask=masked))


def keep_alive(packet: bytes) -> int:
    """The keep-alive interval of a CONNECT, in seconds; 0 for any other packet.

    MQTT 5.0, 3.1: fixed header with a length of up to 4 bytes, protocol name, version, flags.
    """
    if packet[0] >> 4 != _MQTT_CONNECT:
        return 0
    at = 1
    while packet[at] & 0x80:
        at += 1
    at += 1
    name = int.from_bytes(packet[at : at + 2], "big")
    at += 2 + name + 2
    return int.from_bytes(packet[at : at + 2], "big")


class _Frames:
    """Frames out of a byte stream."""

    def __init__(self, early: bytes, masked: bool) -> None:
        self._reader = StreamReader()
        self._masked = masked
        self._parser: Generator[None, None, Frame] | None = None
        self.feed(early)

    def feed(self, data: bytes) -> None:
        if data:
            self._reader.feed_data(data)

    def ready(self) -> list[Frame]:
        """The frames that are complete."""
        frames: list[Frame] = []
        while True:
            if self._parser is None:
                self._parser = Frame.parse(
                    self._reader.read_exact, mask=self._masked, max_size=16 * 1024 * 1024
                )
            try:
                next(self._parser)
            except StopIteration as done:
                frames.append(done.value)
                self._parser = None
            except ProtocolError as error:
                raise Refused(1002, str(error)[:100]) from None
            else:
                return frames


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST: what is unsent is thrown away."""
    sock: Any = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
