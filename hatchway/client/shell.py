"""A person, or a script, at a session: joins a terminal and a stream until one of them ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hatchway.client.absence import Absence
from hatchway.client.events import (
    AccessEnding,
    Ended,
    Lost,
    NodePresence,
    Restored,
    Retrying,
    StreamEvent,
    TimeEnding,
)
from hatchway.client.keys import CTRL_C, ESCAPE, EscapeKeys, help_of
from hatchway.client.stream import Stream
from hatchway.client.terminal import Terminal
from hatchway.core.channel import Data, Gap, Heard, Opened, Silent
from hatchway.core.screen import ScreenFilter, printable
from hatchway.core.wire import PayloadType

#: Bytes read from the keyboard, or a file, at once.
INPUT_CHUNK = 16 * 1024
EOT = b"\x04"
#: Seconds between the ends of input that follow a script: the first may be taken by a command
#: that still runs, or by a shell that is just starting.
END_OF_INPUT_FIRST, END_OF_INPUT_MOST = 0.5, 5.0
#: Signals that end the client, with the terminal put right.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RECONNECTING = "Connection lost; reconnecting"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: by the session (`ended`), by the person, who ends it (`quit`) or only leaves
    it (`detached`), or by a signal."""

    ended: Ended | None = None
    quit: bool = False
    detached: bool = False
    signal: int = 0


class Shell:
    """Carries bytes both ways; `say` tells the person what happens beside them."""

    def __init__(
        self,
        stream: Stream,
        terminal: Terminal,
        say: Callable[[str], None],
        *,
        filtered: bool,
        escape: int | None = ord(ESCAPE),
    ) -> None:
        self._stream = stream
        self._terminal = terminal
        self._say = say
        self._absence = Absence(say)
        self._escape = escape
        self._filters = (ScreenFilter(), ScreenFilter()) if filtered else None

    async def run(self) -> Outcome:
        """Until the session ends, the person leaves, or a signal arrives; the terminal is put
        right in any case."""
        with _ending_signals() as stopped, self._terminal:
            try:
                async with self._stream:
                    self._terminal.watch_size(self._resized)
                    self._resized()
                    return await self._first_end(stopped)
            finally:
                if self._filters:
                    await self._terminal.write(self._filters[0].leave())

    def _resized(self) -> None:
        self._stream.resize(*self._terminal.size())

    async def _first_end(self, stopped: asyncio.Future[Outcome]) -> Outcome:
        tasks = [asyncio.ensure_future(self._out()), asyncio.ensure_future(self._in())]
        try:
            done, _ = await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in (*tasks, stopped) if task in done).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._absence.close()

    # --- out ------------------------------------------------------------------------------------

    async def _out(self) -> Outcome:
        while True:
            event = await self._stream.next()
            if isinstance(event, Ended):
                return Outcome(ended=event)
            if isinstance(event, Data):
                await self._show(event)
            elif text := said(event):
                self._absence.tell(event, text)

    async def _show(self, event: Data) -> None:
        error = event.payload_type is PayloadType.STDERR
        data = self._filters[error].feed(event.data) if self._filters else event.data
        if error:
            await self._terminal.write_error(data)
        else:
            await self._terminal.write(data)
        self._stream.consumed(len(event.data))

    # --- in -------------------------------------------------------------------------------------

    async def _in(self) -> Outcome:
        if self._terminal.keyboard:
            return await self._keys()
        await self._script()
        return await asyncio.Future()  # the session ends by itself

    async def _keys(self) -> Outcome:
        keys = EscapeKeys(self._escape)
        while typed := await self._terminal.read(INPUT_CHUNK):
            if not self._stream.connected and CTRL_C in typed:
                return Outcome(quit=True)  # nothing else would take a person out of here
            pressed = keys.feed(typed)
            if pressed.help and self._escape is not None:
                self._say(help_of(self._escape))
            if pressed.detach:
                await self._stream.write(pressed.data)
                return Outcome(detached=True)
            if pressed.quit:
                return Outcome(quit=True)
            await self._stream.write(pressed.data)
        return Outcome(signal=signal.SIGHUP)

    async def _script(self) -> None:
        """Input from a file or pipe; then the end of input, until the shell has taken it."""
        last = b"\n"
        while data := await self._terminal.read(INPUT_CHUNK):
            await self._stream.write(data)
            last = data[-1:]
        if last != b"\n":
            await self._stream.write(b"\n")
        delay = END_OF_INPUT_FIRST
        while True:
            await self._stream.write(EOT)
            await asyncio.sleep(delay)
            delay = min(delay * 2, END_OF_INPUT_MOST)


@contextmanager
def _ending_signals() -> Iterator[asyncio.Future[Outcome]]:
    """Caught before the terminal is changed, so that no signal leaves it changed."""
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[Outcome] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(Outcome(signal=number))

    for number in ENDING:
        loop.add_signal_handler(number, stop, number)
    try:
        yield stopped
    finally:
        for number in ENDING:
            loop.remove_signal_handler(number)


def said(event: StreamEvent) -> str:
    """What a person is told of an event; nothing of most."""
    match event:
        case Opened(message=message):
            return "\n".join(printable(line) for line in message.splitlines())
        case Gap(size=size):
            return f"{size} bytes of output were lost here"
        case Lost():
            return f"{RECONNECTING} (Ctrl-C gives up)"
        case Retrying(error=error):
            return f"{RECONNECTING}: {printable(error.message)}"
        case Restored():
            return "Connected again"
        case NodePresence(online=online):
            return "The node's agent is back" if online else "The node's agent went offline"
        case TimeEnding(seconds=seconds, idle=True):
            return f"Nothing was typed for a while: this session ends in {_minutes(seconds)}"
        case TimeEnding(seconds=seconds):
            return f"The longest duration is near: this session ends in {_minutes(seconds)}"
        case AccessEnding(seconds=seconds):
            return f"Your permission ends in {_minutes(seconds)}, and this session with it"
        case Silent(seconds=seconds):
            return f"The node has not answered for {seconds:.0f} s"
        case Heard():
            return "The node answers again"
        case _:
            return ""


def _minutes(seconds: int) -> str:
    """2 min 30 s; 45 s."""
    minutes, rest = divmod(seconds, 60)
    parts = [f"{minutes} min"] if minutes else []
    return " ".join([*parts, *([f"{rest} s"] if rest or not minutes else [])])
