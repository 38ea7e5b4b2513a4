"""A command without a terminal: three pipes, bounded both ways, a sure end, and its exit status."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from agent.ports import Client, Screen, StartFailed
from agent.runners.leader import LINGER, watch
from agent.terminal import pipes
from agent.terminal.pipes import Piped
from hatchway.core.channel import INPUT_WINDOW
from hatchway.core.handshake import MIN_WINDOW

#: Bytes that were fed and not yet taken; see `shell`.
MAX_FED = INPUT_WINDOW + MIN_WINDOW
#: Bytes of one stream read before anything else gets a turn.
READ_BURST = 64 * 1024
#: Bytes that go with one prefix at most, as in the original, prefix included.
PREFIXED = 1024


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What the document puts before pieces of output and of standard error, for clients of the
    original, which show both in one place."""

    output: bytes = b""
    errors: bytes = b""


#: Starts the command; the argument is whether standard error goes apart.
Spawn = Callable[[Client, bool], Piped]


class CommandRunner:
    """Runs what `spawn` starts. Standard error is apart for clients that know the difference, and
    for others where the document asks for it."""

    def __init__(
        self, spawn: Spawn, *, separate: bool = False, prefixes: Prefixes | None = None
    ) -> None:
        self._spawn = spawn
        self._separate = separate
        self._prefixes = prefixes or Prefixes()
        self._allowed = 0
        self._running: _Running | None = None

    def start(self, screen: Screen, client: Client) -> None:
        plain = not client.extended and self._separate
        piped = self._spawn(client, client.extended or self._separate)
        self._running = _Running(piped, screen, self._prefixes if plain else Prefixes())
        self._running.allow(self._allowed)

    def feed(self, data: bytes) -> None:
        if self._running is not None:
            self._running.feed(data)

    def end_input(self) -> None:
        if self._running is not None:
            self._running.end_input()

    def interrupt(self, number: int) -> None:
        if self._running is not None:
            self._running.interrupt(number)

    def resize(self, columns: int, rows: int) -> None:
        """There is no terminal that would have a size."""

    def allow(self, size: int) -> None:
        self._allowed = size
        if self._running is not None:
            self._running.allow(size)

    async def kill(self) -> None:
        if self._running is not None:
            await self._running.kill()

    async def close(self) -> None:
        if self._running is not None:
            await self._running.close()


@dataclass(slots=True)
class _Stream:
    """One of the command's outputs."""

    fd: int
    error: bool
    prefix: bytes
    #: The next piece begins a line.
    at_start: bool = True
    reading: bool = False
    open: bool = True

    def read(self, size: int) -> bytes | None:
        """As `pipes.read`, prefix included; None also where there is no room for the prefix."""
        if not self.prefix:
            return pipes.read(self.fd, size)
        before = self.prefix if self.at_start else b""
        room = min(size, PREFIXED) - len(self.prefix)
        data = pipes.read(self.fd, room) if room > 0 else None
        if not data:
            return data
        self.at_start = data.endswith(b"\n")
        return before + data


class _Running:
    """A command that was started: it exists only between start and close."""

    def __init__(self, piped: Piped, screen: Screen, prefixes: Prefixes) -> None:
        self._loop = asyncio.get_running_loop()
        self._piped, self._screen = piped, screen
        self._streams = [_Stream(piped.stdout, error=False, prefix=prefixes.output)]
        if piped.stderr >= 0:
            self._streams.append(_Stream(piped.stderr, error=True, prefix=prefixes.errors))
        self._allowed = 0
        self._closed = self._told = self._heard = False
        self._code: int | None = None
        self._fed: deque[bytes] = deque()
        self._fed_size = 0
        self._input_over = self._writing = False
        self._linger: asyncio.TimerHandle | None = None
        self._leader = watch(piped.processes.pid, self._leader_ended)

    # --- in -------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Input that nobody reads any more, or that follows its end, counts as taken."""
        if self._closed:
            return
        if self._piped.stdin < 0 or self._input_over:
            self._screen.consumed(len(data))
            return
        if self._fed_size + len(data) > MAX_FED:
            raise StartFailed("More was fed than there was credit for.")
        self._fed.append(data)
        self._fed_size += len(data)
        self._write()

    def end_input(self) -> None:
        self._input_over = True
        self._write()

    def _write(self) -> None:
        if self._closed or self._piped.stdin < 0:
            return
        taken = self._give()
        self._fed_size -= taken
        self._watch_input()
        if taken:
            self._screen.consumed(taken)

    def _give(self) -> int:
        """Writes what the command takes now; what nobody will read is dropped."""
        taken = 0
        while self._fed:
            size = self._piped.write(self._fed[0])
            if size is None:
                taken += sum(map(len, self._fed))
                self._fed.clear()
                self._input_over = True
            elif size < len(self._fed[0]):
                self._fed[0] = self._fed[0][size:]
                return taken + size
            else:
                taken += size
                self._fed.popleft()
        return taken

    def _watch_input(self) -> None:
        wanted = bool(self._fed)
        if wanted and not self._writing:
            self._loop.add_writer(self._piped.stdin, self._write)
        elif self._writing and not wanted:
            self._loop.remove_writer(self._piped.stdin)
        self._writing = wanted
        if self._input_over and not wanted:
            self._piped.end_input()

    def interrupt(self, number: int) -> None:
        if not self._closed:
            self._piped.interrupt(number)

    # --- out ------------------------------------------------------------------------------------

    def allow(self, size: int) -> None:
        self._allowed = size
        for stream in self._streams:
            self._watch(stream)

    def _watch(self, stream: _Stream) -> None:
        wanted = stream.open and not self._closed and self._allowed > len(stream.prefix)
        if wanted and not stream.reading:
            self._loop.add_reader(stream.fd, self._read, stream)
        elif stream.reading and not wanted:
            self._loop.remove_reader(stream.fd)
        stream.reading = wanted

    def _read(self, stream: _Stream) -> None:
        budget = READ_BURST
        while stream.reading and budget > 0 and self._allowed > 0:
            data = stream.read(min(self._allowed, budget))
            if data is None:
                break
            if not data:
                self._ended(stream)
                return
            self._heard = True
            budget -= len(data)
            self._allowed -= len(data)
            self._screen.output(data, error=stream.error)
        self.allow(self._allowed)

    def _ended(self, stream: _Stream) -> None:
        stream.open = False
        self._watch(stream)
        if not any(other.open for other in self._streams):
            self._tell()

    # --- end ------------------------------------------------------------------------------------

    def _leader_ended(self) -> None:
        self._code = self._piped.processes.status()
        if any(stream.open for stream in self._streams):
            self._linger = self._loop.call_later(LINGER, self._listen_on)
        else:
            self._tell()

    def _listen_on(self) -> None:
        """Something in the background holds a pipe open: waits as long as there is output, or
        output may not be read."""
        if self._allowed > 0 and not self._heard:
            for stream in self._streams:
                stream.open = False
                self._watch(stream)
            self._tell()
            return
        self._heard = False
        self._linger = self._loop.call_later(LINGER, self._listen_on)

    def _tell(self) -> None:
        if self._code is None or self._told or self._closed:
            return
        self._told = True
        if self._linger is not None:
            self._linger.cancel()
        self._screen.exited(self._code)

    async def kill(self) -> None:
        await self._piped.processes.end()

    async def close(self) -> None:
        """Lets go of pipes and process; what was left in the background loses its pipes."""
        if self._closed:
            return
        self.allow(0)
        if self._writing:
            self._loop.remove_writer(self._piped.stdin)
        self._closed = True
        self._leader.close()
        if self._linger is not None:
            self._linger.cancel()
        if self._piped.processes.status() is None:
            await self.kill()
        self._piped.close()
        if self._piped.processes.status() is not None:
            self._piped.processes.reap()
