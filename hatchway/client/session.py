"""A session for synchronous code: run a command, read what it printed. The stream runs in a
thread of its own."""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatchway.client.events import Ended
from hatchway.client.held import Held
from hatchway.core.channel import Data, Opened
from hatchway.core.errors import ChannelFailed, PayloadTooLarge, SessionEnded

if TYPE_CHECKING:
    pass

#: What a command may print; it is kept in memory.
MAX_OUTPUT = 16 * 1024 * 1024
#: No mark is longer: one that came in two pieces is found from so far back.
MARK_SIZE = 64
#: A terminal so wide that the shell wraps no line of ours.
COLUMNS, ROWS = 1000, 100


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed to the terminal (line ends are CR LF there), and its status."""

    output: bytes
    exit_code: int


class Session(Held):
    """One shell session, as a context manager; it is terminated at the end.

    `run` needs a POSIX shell on the node.
    """

    def run(self, command: str, timeout: float = 60.0) -> Result:
        """Runs one command (any text the shell takes) and waits for it; TimeoutError when late."""
        begin, end = secrets.token_hex(8), secrets.token_hex(8)
        # Each mark is printed in two halves, so that the shell's echo of this line holds none.
        line = (
            f" printf '%s%s\\n' {begin[:8]} {begin[8:]}; eval {shlex.quote(command)};"
            f" printf '%s%s:%d:\\n' {end[:8]} {end[8:]} $?\n"
        )
        last = re.compile(rb"%s:(\d+):" % end.encode())
        printed, code = self._background.wait(self._exchange(line.encode(), last), timeout)
        _, _, output = printed.partition(begin.encode())
        return Result(output.removeprefix(b"\r").removeprefix(b"\n"), code)

    # --- in the stream's thread -----------------------------------------------------------------

    async def _open(self) -> None:
        stream = self._hatchway.open_stream(self._started)
        self._stream = await stream.__aenter__()
        stream.resize(COLUMNS, ROWS)
        while True:
            event = await stream.next()
            if isinstance(event, Opened):
                return
            _refuse_end(event)

    async def _exchange(self, line: bytes, last: re.Pattern[bytes]) -> tuple[bytes, int]:
        """Types a line; what was printed up to the mark `last`, and the status in that mark."""
        if self._stream is None:
            raise ChannelFailed("The session is not open: use it in a with statement.")
        await self._stream.write(line)
        seen = bytearray()
        looked = 0
        while (found := last.search(seen, looked)) is None:
            looked = max(0, len(seen) - MARK_SIZE)
            event = await self._stream.next()
            _refuse_end(event)
            if isinstance(event, Data):
                self._stream.consumed(len(event.data))
                seen += event.data
            if len(seen) > MAX_OUTPUT:
                raise PayloadTooLarge(f"The command printed more than {MAX_OUTPUT} bytes.")
        return bytes(seen[: found.start()]), int(found[1])


def _refuse_end(event: object) -> None:
    if isinstance(event, Ended):
        raise event.error or SessionEnded(event.reason or "The session is over.")
