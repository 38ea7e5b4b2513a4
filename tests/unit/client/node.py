"""A node for tests: the agent's end of a data channel before a shell that is a few lines long."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable

from hatchway.core.channel import (
    ChannelEvent,
    ChannelSettings,
    Data,
    DataChannel,
    Flagged,
    Resized,
    Side,
)
from hatchway.core.messages import channel_closed
from hatchway.core.wire import FlagValue, PayloadType, from_text, to_text

Send = Callable[[str], Awaitable[None]]
Receive = Callable[[], Awaitable[str | None]]


def noise(size: int) -> bytes:
    """Bytes that do not compress, the same every time."""
    return random.Random(1).randbytes(size)


class LittleShell:
    """Echoes what is typed as a terminal does; `exit N`, and an end of input, end it."""

    def __init__(self, greeting: bytes = b"$ ") -> None:
        self.greeting = greeting
        self.typed = b""
        self.size = (0, 0)
        self._line = b""

    def type(self, data: bytes) -> tuple[bytes, int | None]:
        """What it prints for `data`, and its status when it ends."""
        self.typed += data
        out = b""
        for byte in data:
            char = bytes([byte])
            if char == b"\x04" and not self._line:
                return out, 0
            if char in b"\r\n":
                printed, status = self._run(self._line)
                self._line = b""
                out += b"\r\n" + printed
                if status is not None:
                    return out, status
                out += b"$ "
            else:
                self._line += char
                out += char
        return out, None

    def flagged(self, value: FlagValue) -> int | None:
        """The status when the flag ends it."""
        return None

    def _run(self, line: bytes) -> tuple[bytes, int | None]:
        word, _, rest = line.strip().partition(b" ")
        if word == b"exit":
            return b"", int(rest or b"0")
        if word == b"size":
            return b"%d %d\r\n" % self.size, None
        if word == b"raw":
            return bytes.fromhex(rest.decode()), None
        if word == b"many":
            return noise(int(rest)), None
        return b"", None


class LittleCommand(LittleShell):
    """Prints its input, `errors` on standard error, and ends with `status` at its end. A signal
    ends it as one does, unless it is in `ignored`."""

    def __init__(
        self,
        status: int = 0,
        errors: bytes = b"",
        ignored: tuple[int, ...] = (),
        output: bytes = b"",
    ) -> None:
        super().__init__(greeting=output)
        self.status, self.errors, self.ignored = status, errors, ignored
        self.signals: list[int] = []

    def type(self, data: bytes) -> tuple[bytes, int | None]:
        self.typed += data
        return data, None

    def flagged(self, value: FlagValue) -> int | None:
        if value is FlagValue.END_OF_INPUT:
            return self.status
        self.signals.append(value.signal)
        return None if value.signal in self.ignored else 128 + value.signal


class FakeNode:
    """The agent's end of one session; connections of the client come and go."""

    def __init__(self, session_id: str, shell: LittleShell | None = None) -> None:
        self.session_id = session_id
        self.shell = shell or LittleShell()
        self.channel = DataChannel(
            Side.AGENT,
            ChannelSettings(epoch=time.time() - time.monotonic()),
            secrets.token_bytes,
        )
        self.generation = 0
        self.asked: list[dict[str, object]] = []
        #: What the service answers to a JSON request; None: nothing.
        self.answer: Callable[[dict[str, object]], dict[str, object] | None] = lambda asked: None
        self.exit_code: int | None = None
        self.says_goodbye = True
        self._out = self.shell.greeting
        self._errors = getattr(self.shell, "errors", b"")
        self._kick = asyncio.Event()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Event]] = []

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something that this node was told makes `holds` true."""
        if not holds():
            event = asyncio.Event()
            self._waiting.append((holds, event))
            await event.wait()

    def _tell(self) -> None:
        for holds, event in self._waiting:
            if holds():
                event.set()

    async def serve(self, receive: Receive, send: Send) -> None:
        """One connection, until it ends or the shell has."""
        self.generation += 1
        mine = self.generation
        self.channel.attach(mine, time.monotonic())
        self._kick.set()
        self._tell()
        writing = asyncio.create_task(self._write(send))
        reading = asyncio.create_task(self._read(receive, send))
        try:
            await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writing, reading):
                task.cancel()
            await asyncio.gather(writing, reading, return_exceptions=True)
            if mine == self.generation:  # a later connection may have taken its place
                self.channel.detach(time.monotonic())

    async def _read(self, receive: Receive, send: Send) -> None:
        while (text := await receive()) is not None:
            if text.startswith("{"):
                asked = json.loads(text)
                self.asked.append(asked)
                if (answer := self.answer(asked)) is not None:
                    await send(json.dumps({"action": asked["action"], **answer}))
            else:
                for event in self.channel.receive(from_text(text), time.monotonic()):
                    self._happened(event)
            self._kick.set()
            self._tell()

    def _happened(self, event: ChannelEvent) -> None:
        if isinstance(event, Resized):
            self.shell.size = (event.columns, event.rows)
        elif isinstance(event, Data) and self.exit_code is None:
            printed, self.exit_code = self.shell.type(event.data)
            self._out += printed
            self.channel.consumed(len(event.data))
        elif isinstance(event, Flagged) and self.exit_code is None:
            self.exit_code = self.shell.flagged(event.value)

    async def _write(self, send: Send) -> None:
        exited = False
        while True:
            self._kick.clear()
            room = self.channel.writable if self.channel.opened else 0
            if self._out and room:
                self.channel.write(self._out[:room])
                self._out = self._out[room:]
            if self._errors and self.channel.opened:
                self.channel.write(self._errors, PayloadType.STDERR)
                self._errors = b""
            if self.exit_code is not None and not self._out and not exited:
                self.channel.exit(self.exit_code)
                exited = True
            frames = self.channel.poll(time.monotonic())
            if frames:
                await send(to_text(frames))
                continue
            if exited and self.channel.drained:
                if self.says_goodbye:
                    await send(self.goodbye(""))
                return
            deadline = self.channel.next_deadline()
            wait = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                async with asyncio.timeout(wait):
                    await self._kick.wait()
            except TimeoutError:
                continue

    def print(self, data: bytes) -> None:
        """Output of its own accord."""
        self._out += data
        self._kick.set()

    def goodbye(self, reason: str) -> str:
        """The service's last word."""
        return to_text([channel_closed(self.session_id, reason, 1, uuid.uuid4())])
