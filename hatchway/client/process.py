"""A command on a node for synchronous code: its input, its two outputs, its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatchway.client.command import carry
from hatchway.client.ends import exit_code
from hatchway.client.events import Ended
from hatchway.client.held import OPEN_SECONDS, Held
from hatchway.core.channel import Data, Gap, Opened
from hatchway.core.errors import ChannelFailed, PayloadTooLarge, SessionEnded
from hatchway.core.wire import PayloadType

if TYPE_CHECKING:
    from hatchway.client.records import Started
    from hatchway.client.service import Hatchway
    from hatchway.client.stream import Stream

#: What `communicate` keeps of each output; iterate for more.
MAX_OUTPUT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of the command's output, or (`error`) of its standard error."""

    data: bytes
    error: bool


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command printed, byte for byte, and its exit code (128 + n for signal n)."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class Process(Held):
    """A command that runs on a node, as a context manager; where the block is left before it has
    ended, it is ended.

    Either `communicate`, or `write`, `end_input` and iterate over what it prints.
    """

    def __init__(self, hatchway: Hatchway, started: Started) -> None:
        super().__init__(hatchway, started)
        #: Known once the command has ended.
        self.exit_code: int | None = None
        self._ended: Ended | None = None
        self._owed = 0

    # --- what one does with it ------------------------------------------------------------------

    def communicate(self, data: bytes = b"", timeout: float | None = None) -> Completed:
        """Gives it `data` as its whole input and waits for its end. TimeoutError when it is late
        (it goes on until the block is left), PayloadTooLarge, and what ends sessions."""
        kept = _Kept(data)
        ended = self._background.wait(carry(self._open_stream, kept, kept), timeout)
        code = self._over(ended)
        return Completed(bytes(kept.output), bytes(kept.errors), code)

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """Input; waits while the command does not read it."""
        self._background.wait(self._open_stream.write(data), timeout)

    def end_input(self) -> None:
        """No input follows: the command reads an end of file."""
        self._background.call(self._open_stream.end_input)

    def signal(self, number: int) -> bool:
        """Signals the command's process group (Linux's numbers: HUP, INT, QUIT, USR1, USR2, TERM);
        False where the node's agent does not take it."""

        async def send() -> bool:
            return self._open_stream.signal(number)

        return self._background.wait(send(), OPEN_SECONDS)

    def __iter__(self) -> Iterator[Output]:
        """What it prints, as it comes, until it ends; then `exit_code` is known."""
        while (piece := self._background.wait(self._next(), None)) is not None:
            yield piece

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; what it still prints is thrown away."""
        if self.exit_code is None:
            self._over(self._background.wait(self._drain(), timeout))
        return self.exit_code if self.exit_code is not None else -1

    # --- in the stream's thread -----------------------------------------------------------------

    @property
    def _open_stream(self) -> Stream:
        if self._stream is None:
            raise ChannelFailed("The command is not open: use it in a with statement.")
        return self._stream

    @property
    def _is_over(self) -> bool:
        return self._ended is not None

    async def _open(self) -> None:
        stream = self._hatchway.open_stream(self._started)
        self._stream = await stream.__aenter__()
        while not isinstance(event := await stream.next(), Opened):
            if isinstance(event, Ended):
                self._ended = event
                raise event.error or SessionEnded(event.reason or "The session is over.")

    async def _next(self) -> Output | None:
        """The next piece; the one before is taken by now."""
        stream = self._open_stream
        stream.consumed(self._owed)
        self._owed = 0
        while True:
            event = await stream.next()
            if isinstance(event, Data):
                self._owed = len(event.data)
                return Output(event.data, event.payload_type is PayloadType.STDERR)
            if isinstance(event, Gap):
                raise ChannelFailed(f"{event.size} bytes of output were lost.")
            if isinstance(event, Ended):
                self._over(event)
                return None

    async def _drain(self) -> Ended:
        return await carry(self._open_stream, None, _Nowhere())

    def _over(self, ended: Ended) -> int:
        self._ended = ended
        self.exit_code = exit_code(self._hatchway, self.session_id, ended)
        return self.exit_code


class _Nowhere:
    async def write(self, data: bytes) -> None:
        return

    async def write_error(self, data: bytes) -> None:
        return


class _Kept:
    """Source and sink in memory."""

    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)
        self.output = bytearray()
        self.errors = bytearray()

    async def read(self, limit: int) -> bytes:
        data, self._left = bytes(self._left[:limit]), self._left[limit:]
        return data

    async def write(self, data: bytes) -> None:
        self._keep(self.output, data)

    async def write_error(self, data: bytes) -> None:
        self._keep(self.errors, data)

    def _keep(self, kept: bytearray, data: bytes) -> None:
        kept += data
        if len(kept) > MAX_OUTPUT:
            raise PayloadTooLarge(f"The command printed more than {MAX_OUTPUT} bytes.")
