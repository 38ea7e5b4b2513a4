"""A shell or a command in a terminal, driven by the event loop: bounded reading and writing, a
sure end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from agent.ports import Client, Screen, StartFailed
from agent.runners.leader import LINGER, watch
from agent.terminal.posix import Terminal
from hatchway.core.channel import INPUT_WINDOW
from hatchway.core.handshake import MIN_WINDOW

#: Bytes that were fed and not yet taken: a client is never given more credit than this. One that
#: takes another's place gets the least window, whatever that one left behind.
MAX_FED = INPUT_WINDOW + MIN_WINDOW
#: Bytes read before anything else gets a turn.
READ_BURST = 64 * 1024
#: Seconds that a shell may take to show that it reads, before its profile is typed anyway.
PROFILE_WAIT = 0.5
#: What ends input at a terminal.
EOT = b"\x04"

Size = tuple[int, int] | None
Spawn = Callable[[Size, Client], Terminal]


class ShellRunner:
    """Runs what `spawn(size, client)` starts, with a session's screen at its other end.

    `greeting` is shown before anything else; `profile` is typed into the shell before what the
    client types: so it works in any shell, and for lines such as `exec bash`.
    """

    def __init__(self, spawn: Spawn, *, greeting: bytes = b"", profile: bytes = b"") -> None:
        self._spawn = spawn
        self._greeting, self._profile = greeting, profile
        self._size: tuple[int, int] | None = None
        self._allowed = 0
        self._line_over = True
        self._running: _Running | None = None

    def start(self, screen: Screen, client: Client) -> None:
        terminal = self._spawn(self._size, client)
        self._running = _Running(terminal, screen, self._greeting, self._profile)
        self._running.allow(self._allowed)

    def feed(self, data: bytes) -> None:
        """What was typed; a Ctrl-C is a byte, of which the terminal makes a signal."""
        if self._running is not None:
            self._line_over = data[-1:] in (b"\r", b"\n")
            self._running.feed(data)

    def end_input(self) -> None:
        """Who reads the terminal line by line sees an end of file: in the middle of a line the
        first of the two ends the line alone."""
        self.feed(EOT if self._line_over else EOT + EOT)

    def interrupt(self, number: int) -> None:
        if self._running is not None:
            self._running.interrupt(number)

    def resize(self, columns: int, rows: int) -> None:
        self._size = columns, rows
        if self._running is not None:
            self._running.resize(columns, rows)

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


class _Running:
    """A terminal that is open: it exists only between start and close."""

    def __init__(self, terminal: Terminal, screen: Screen, greeting: bytes, profile: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._terminal, self._screen = terminal, screen
        self._allowed = 0
        self._writing = False
        self._reading = self._closed = self._told = self._end_of_output = False
        self._heard = False
        self._code: int | None = None
        self._fed: deque[bytes] = deque()
        self._fed_size = 0
        self._greeting, self._profile = greeting, profile
        #: Bytes at the head of what is fed that are not the client's.
        self._own = 0
        self._profile_timer: asyncio.TimerHandle | None = None
        if profile:
            self._profile_timer = self._loop.call_later(PROFILE_WAIT, self._type_profile)
        self._linger: asyncio.TimerHandle | None = None
        self._leader = watch(terminal.processes.pid, self._leader_ended)

    # --- in -------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        if self._closed:
            return
        if self._fed_size + len(data) > MAX_FED:
            raise StartFailed("More was fed than there was credit for.")
        self._fed.append(data)
        self._fed_size += len(data)
        if not self._profile:
            self._write()

    def _type_profile(self) -> None:
        """The shell reads, or has had time enough: a terminal that nobody reads yet would echo it
        twice."""
        if not self._profile or self._closed:
            return
        self._fed.appendleft(self._profile)
        self._own = len(self._profile)
        self._profile = b""
        self._write()

    def _write(self) -> None:
        taken, echoed = 0, self._terminal.echoes
        while self._fed:
            head = self._fed.popleft()
            size = self._terminal.write(head)
            taken += size
            if size < len(head):
                self._fed.appendleft(head[size:])
                break
            # What comes after the prompt has changed is written, and told, by itself.
            if self._fed and self._terminal.echoes != echoed:
                break
        ours = min(taken, self._own)
        self._own -= ours
        taken -= ours
        self._fed_size -= taken
        self._write_on(bool(self._fed))
        if taken:
            self._screen.consumed(taken, echo=echoed)

    def _write_on(self, wanted: bool) -> None:
        """What is left is written when the terminal takes more; a key mostly leaves nothing."""
        if wanted and not self._writing:
            self._loop.add_writer(self._terminal.master, self._write)
        elif self._writing and not wanted:
            self._loop.remove_writer(self._terminal.master)
        self._writing = wanted

    def interrupt(self, number: int) -> None:
        if not self._closed:
            self._terminal.interrupt(number)

    def resize(self, columns: int, rows: int) -> None:
        if not self._closed:
            self._terminal.resize(columns, rows)

    # --- out ------------------------------------------------------------------------------------

    def allow(self, size: int) -> None:
        self._allowed = size
        self._greet()
        wanted = self._allowed > 0 and not (self._closed or self._end_of_output)
        if wanted and not self._reading:
            self._loop.add_reader(self._terminal.master, self._read)
        elif self._reading and not wanted:
            self._loop.remove_reader(self._terminal.master)
        self._reading = wanted

    def _greet(self) -> None:
        if self._greeting and self._allowed > 0 and not self._closed:
            piece, self._greeting = (
                self._greeting[: self._allowed],
                self._greeting[self._allowed :],
            )
            self._allowed -= len(piece)
            self._screen.output(piece)

    def _read(self) -> None:
        data = self._terminal.read(min(self._allowed, READ_BURST))
        if data is None:
            return
        if not data:
            self._end_of_output = True
            self.allow(0)
            self._tell()
            return
        self._heard = True
        self._allowed -= len(data)
        self._screen.output(data)
        if self._profile:
            self._type_profile()
        if not self._allowed:
            self.allow(0)

    # --- end ------------------------------------------------------------------------------------

    def _leader_ended(self) -> None:
        self._code = self._terminal.processes.status()
        if self._end_of_output:
            self._tell()
        else:
            self._linger = self._loop.call_later(LINGER, self._listen_on)

    def _listen_on(self) -> None:
        """Waits as long as there is output, or output may not be read."""
        self._end_of_output = self._allowed > 0 and not self._heard
        self._heard = False
        if self._end_of_output:
            self.allow(0)
            self._tell()
        else:
            self._linger = self._loop.call_later(LINGER, self._listen_on)

    def _tell(self) -> None:
        if self._code is None or self._told or self._closed:
            return
        self._told = True
        if self._linger is not None:
            self._linger.cancel()
        self._screen.exited(self._code)

    async def kill(self) -> None:
        """Ends all of the session, for good."""
        await self._terminal.processes.end()

    async def close(self) -> None:
        """Hangs up, and lets go of terminal and process."""
        if self._closed:
            return
        self.allow(0)
        self._closed = True
        self._write_on(False)
        self._leader.close()
        for timer in (self._linger, self._profile_timer):
            if timer is not None:
                timer.cancel()
        if self._terminal.processes.status() is None:
            await self.kill()
        self._terminal.close()
        if self._terminal.processes.status() is not None:
            self._terminal.processes.reap()
