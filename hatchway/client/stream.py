"""A session's stream for asyncio: the data channel over connections that may come and go.

It drives `hatchway.core.channel`, dials, and when a connection is lost asks for another token and
dials again. What to do with the bytes is the caller's.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType

from hatchway.client import notices
from hatchway.client.backoff import Backoff
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
from hatchway.client.link import OPEN_SECONDS, Dial, Link
from hatchway.client.notices import Ending, NextToken, Notice, Over
from hatchway.client.pulse import Pulse
from hatchway.client.records import Started
from hatchway.client.spare import FIRST, Spare
from hatchway.client.tasks import background, within
from hatchway.client.text import from_text, to_text
from hatchway.core.alarm import Alarm
from hatchway.core.channel import (
    ChannelEvent,
    ChannelSettings,
    Closed,
    DataChannel,
    Exited,
    Failed,
    Opened,
    Side,
    Silent,
)
from hatchway.core.errors import (
    ChannelFailed,
    ConflictException,
    ConnectionLost,
    CredentialsInvalid,
    DoesNotExistException,
    HatchwayError,
    InternalServerError,
    MalformedMessage,
    ServiceUnreachable,
    SessionEnded,
    TakenOver,
    ThrottlingException,
    TokenInvalid,
    by_code,
)
from hatchway.core.wire import MAX_TEXT_FRAME, FlagValue

#: Events that may wait for the caller; then the connection is read no further.
MAX_EVENTS = 1024

#: What another attempt may mend. Expired credentials are among them: `aws sso login` in another
#: window saves the session.
_PASSING = (
    ServiceUnreachable,
    ThrottlingException,
    InternalServerError,
    ConflictException,
    TokenInvalid,
    CredentialsInvalid,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds: how long to try for the first connection and for a lost one, how long the node may
    take to begin the session on a connection, how long to wait for the service's goodbye after the
    remote process exited, and when to change to a new connection before API Gateway cuts this one
    (2 h)."""

    connect: float = 30.0
    resume: float = 20 * 60.0
    begin: float = 60.0
    goodbye: float = 5.0
    change: float = 115 * 60.0
    change_again: float = 60.0


Resume = Callable[[], Awaitable[Started]]
#: Returns when a connection to the stream could be opened; ServiceUnreachable after a while.
Reach = Callable[[Started], Awaitable[None]]


async def _at_once(started: Started) -> None:
    """Where nobody says whether there is a network."""


class Stream:
    """One session's stream. Use it as an async context manager; `next` gives its events."""

    def __init__(
        self,
        started: Started,
        dial: Dial,
        resume: Resume,
        *,
        reach: Reach = _at_once,
        patience: Patience | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.monotonic,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`environment`: this side's terminal and language, of which the node is told."""
        self.session_id = started.session_id
        self._started = started
        self._dial = dial
        self._resume = resume
        self._reach = reach
        self._patience = patience or Patience()
        self._backoff = backoff or Backoff(lambda: secrets.randbelow(1000) / 1000)
        self._clock = clock
        settings = ChannelSettings(epoch=time.time() - clock(), environment=environment or {})
        self._channel = DataChannel(Side.CLIENT, settings, secrets.token_bytes)
        self._events: asyncio.Queue[StreamEvent] = asyncio.Queue(MAX_EVENTS)
        self._kick = asyncio.Event()
        #: Until when the writer sleeps where nobody kicks it; it is awake before any time.
        self._sleeps_until = -math.inf
        self._alarm = Alarm(self._kick.set, _call_at)
        self._room = asyncio.Event()
        self._generation = 0
        self._link: Link | None = None
        self._spare = Spare(started.session_id, clock, self._backoff.random)
        self._pulse = Pulse(self._is_waiting, lambda: reach(started), clock)
        self._closing: set[asyncio.Task[None]] = set()
        self._switching = False
        self._exit_code: int | None = None
        self._begun = asyncio.Event()
        self._exited = asyncio.Event()
        self._ended: Ended | None = None
        self._task: asyncio.Task[None] | None = None

    # --- the caller's side ----------------------------------------------------------------------

    async def __aenter__(self) -> Stream:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._alarm.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def next(self) -> StreamEvent:
        """The next event; after Ended, Ended again. Bytes of `Data` are returned by `consumed`."""
        if self._ended is not None and self._events.empty():
            return self._ended
        return await self._events.get()

    def consumed(self, size: int) -> None:
        """So many bytes were put where they belong: the agent may send as many more."""
        self._channel.consumed(size)
        self._nudge()

    async def write(self, data: bytes) -> None:
        """Input for the remote process; waits while too much is on its way."""
        view = memoryview(data)
        while view and self._ended is None:
            room = self._channel.writable
            if room:
                self._channel.write(bytes(view[:room]))
                view = view[room:]
                self._kick.set()
            else:
                self._room.clear()
                await self._room.wait()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal's size; the last one wins."""
        self._channel.resize(columns, rows)
        self._kick.set()

    def end_input(self) -> None:
        """No input follows what was written; a command without a terminal reads an end of file."""
        self._channel.end_input()
        self._kick.set()

    def signal(self, number: int) -> bool:
        """Sends a signal (Linux's number) to the remote command; False where the session is not
        open yet, or the node's agent takes none, or not this one."""
        value = next((flag for flag in FlagValue if flag.signal == number > 0), None)
        sent = value is not None and self._channel.flag(value)
        self._kick.set()
        return sent

    @property
    def delivered(self) -> bool:
        """Whether the agent has everything that was written."""
        return self._channel.drained

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._link is not None

    @property
    def prepared(self) -> bool:
        """Whether a connection that is lost now can be restored without a signed request."""
        return self._spare.held is not None

    async def terminate(self) -> bool:
        """Asks the service, on the open connection, to end the session; False without one."""
        if self._link is None:
            return False
        await self._link.send(notices.request("terminateSession", _new_id(), self.session_id))
        return True

    # --- the connection's life ------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            ended = await self._live()
        except HatchwayError as error:
            ended = Ended(self._exit_code, "", error)
        except Exception as error:  # a fault of ours must not leave the caller waiting for ever
            fault = ChannelFailed(f"The client failed: {type(error).__name__}.")
            fault.__cause__ = error
            ended = Ended(self._exit_code, "", fault)
        self._ended = ended
        self._room.set()
        await self._events.put(ended)

    async def _live(self) -> Ended:
        link = await self._first()
        while True:
            try:
                outcome = await self._carry(link)
            finally:
                self._link = None
                self._channel.detach(self._clock())
                self._close(link)
            if isinstance(outcome, Ended):
                return outcome
            if outcome is None:
                await self._events.put(Lost())
                try:
                    outcome = await self._restore(self._patience.resume)
                except (DoesNotExistException, SessionEnded):
                    return Ended(self._exit_code)  # it ended while nobody was listening
                await self._events.put(Restored())
            link = outcome

    def _close(self, link: Link) -> None:
        """Beside the rest: a connection that is dead takes its time to close."""
        task = asyncio.create_task(link.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _first(self) -> Link:
        try:
            return await self._dial(self._started)
        except _PASSING:
            return await self._restore(self._patience.connect)

    async def _restore(self, patience: float) -> Link:
        """A token and a new connection, tried until `patience` is over; within about a second of
        the network's return."""
        until = self._clock() + patience
        told: set[str] = set()
        last: HatchwayError = ConnectionLost()
        answered, unanswered = self._backoff.delays(), self._backoff.unanswered.delays()
        delay = next(unanswered)
        while self._clock() + delay <= until:
            await asyncio.sleep(delay)
            try:
                await self._reach(self._started)
                return await self._attempt()
            except _PASSING as error:
                last = error
                delay = next(unanswered if isinstance(error, ServiceUnreachable) else answered)
                if error.code not in told:
                    told.add(error.code)
                    await self._events.put(Retrying(error))
        raise ConnectionLost(f"The connection could not be restored: {last.message}")

    async def _attempt(self) -> Link:
        """With the spare token while it is good: nobody has to sign for it. One that is refused may
        be good all the same; whether the session can be resumed at all, a signed request tells."""
        if (spare := self._spare.held) is not None:
            try:
                return await self._dial(spare)
            except TokenInvalid:
                self._spare.refused()
        return await self._dial(await self._resume())

    async def _carry(self, link: Link) -> Ended | Link | None:
        """Moves messages until the session ends (Ended), another connection is ready (Link), or
        this one is lost (None)."""
        self._link = link
        self._generation += 1
        self._channel.attach(self._generation, self._clock())
        self._switching = False
        self._spare.drop()
        self._kick.set()
        async with AsyncExitStack() as stack:
            reading = await background(stack, self._read(link))
            writing = await background(stack, self._write(link))
            beginning = await background(stack, self._beginning())
            parting = await background(stack, self._goodbye())
            changing = await background(stack, self._change(link))
            gone = await background(stack, self._pulse.gone(link))
            await background(stack, self._provide(link))
            ends = {reading, writing, beginning, parting}
            either = {*ends, changing, gone}
            done, _ = await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            ended = next((e for task in done & ends if (e := task.result())), None)
            if ended is not None or self._exited.is_set():
                return ended or Ended(self._exit_code)
            if changing in done or self._switching:
                # The service closes the old connection when it accepts the new one.
                return await within(OPEN_SECONDS, changing)
            return None

    # --- one connection -------------------------------------------------------------------------

    async def _read(self, link: Link) -> Ended | None:
        while (text := await link.receive()) is not None:
            self._pulse.heard()
            if notices.is_json(text):
                ended = await self._notice(text)
            else:
                ended = await self._messages(text)
            self._nudge()
            if ended is not None:
                return ended
        return None

    async def _messages(self, text: str) -> Ended | None:
        try:
            frames = from_text(text)
        except MalformedMessage:
            self._channel.dropped["malformed"] += 1
            return None
        ended = await self._emit(self._channel.receive(frames, self._clock()))
        self._room.set()
        return ended

    async def _emit(self, events: list[ChannelEvent]) -> Ended | None:
        for event in events:
            if isinstance(event, Closed):
                return Ended(self._exit_code, event.output)
            if isinstance(event, Failed):
                return Ended(self._exit_code, "", _failure(event))
            if isinstance(event, Opened):
                self._begun.set()
            if isinstance(event, Exited):
                self._exit_code = event.code
                self._exited.set()
            await self._events.put(event)
            if isinstance(event, Silent):
                await self._ask_state()
        return None

    async def _ask_state(self) -> None:
        """The service's last word may have been lost: is there a session still?"""
        if self._link is not None:
            await self._link.send(notices.request("describeSession", _new_id(), self.session_id))

    async def _notice(self, text: str) -> Ended | None:
        notice = notices.parse(text)
        if isinstance(notice, NextToken):
            self._spare.answered(notice)
        elif isinstance(notice, Over):
            return Ended(notice.exit_code, notice.reason)
        elif isinstance(notice, Ending):
            await self._events.put(_ending(notice))
        elif notice is Notice.NODE_OFFLINE or notice is Notice.NODE_ONLINE:
            await self._events.put(NodePresence(online=notice is Notice.NODE_ONLINE))
        elif notice is Notice.TAKEN_OVER and not self._switching:
            return Ended(self._exit_code, "", TakenOver())
        # LOST: the channel notices by itself that the message was not acknowledged.
        return None

    async def _write(self, link: Link) -> Ended | None:
        while True:
            self._kick.clear()
            frames = self._channel.poll(self._clock(), MAX_TEXT_FRAME)
            ended = await self._emit(self._channel.take_events())
            if ended is not None:
                return ended
            if frames:
                await link.send(to_text(frames))
                self._pulse.sent()
            else:
                await self._idle(self._channel.next_deadline())

    async def _idle(self, deadline: float | None) -> None:
        """Until there is something to do, or `deadline`; or sooner, where an alarm from before is
        still set."""
        if deadline is not None:
            self._alarm.set(asyncio.get_running_loop().time() + deadline - self._clock())
        self._sleeps_until = math.inf if deadline is None else deadline
        try:
            await self._kick.wait()
        finally:
            self._sleeps_until = -math.inf

    def _nudge(self) -> None:
        """Wakes the writer where it has something to do sooner than it would look."""
        deadline = self._channel.next_deadline()
        sooner = deadline is not None and deadline < self._sleeps_until
        if sooner or not self._channel.extended:
            self._kick.set()

    async def _beginning(self) -> Ended:
        """Ends a session that nobody at the other end begins; one that has begun is left alone."""
        seconds = self._patience.begin
        try:
            async with asyncio.timeout(seconds):
                await self._begun.wait()
        except TimeoutError:
            text = f"The node did not begin the session within {seconds:.0f} s."
            return Ended(None, "", ChannelFailed(text))
        return await asyncio.Future()

    async def _goodbye(self) -> Ended:
        """The remote process exited; the service should close the channel, but may not get to."""
        await self._exited.wait()
        await asyncio.sleep(self._patience.goodbye)
        return Ended(self._exit_code)

    # --- changing connections before one is cut -------------------------------------------------

    async def _change(self, link: Link) -> Link:
        """Waits, asks for a token on the open connection, and gives the next connection."""
        await asyncio.sleep(self._patience.change)
        while True:
            try:
                started = await self._spare.ask(link)
                self._switching = True
                return await self._dial(started)
            except (HatchwayError, TimeoutError):
                # Refused, or not reached: this connection goes on until it is cut.
                self._switching = False
                await asyncio.sleep(self._patience.change_again)

    async def _provide(self, link: Link) -> None:
        """For the connection after this one."""
        if self._generation == 1:
            await self._begun.wait()
            await asyncio.sleep(FIRST)
        await self._spare.keep(link)

    def _is_waiting(self) -> bool:
        """Whether anything that was sent waits for its acknowledgement."""
        return not self._channel.drained


def _call_at(at: float, ring: Callable[[], None]) -> asyncio.TimerHandle:
    """In whichever event loop the stream runs."""
    return asyncio.get_running_loop().call_at(at, ring)


def _ending(notice: Ending) -> AccessEnding | TimeEnding:
    if notice.what is Notice.ACCESS_ENDING:
        return AccessEnding(notice.seconds)
    return TimeEnding(notice.seconds, idle=notice.what is Notice.IDLE_ENDING)


def _failure(event: Failed) -> HatchwayError:
    kind = by_code(event.code)
    return (kind if kind is not InternalServerError else ChannelFailed)(event.message)


def _new_id() -> str:
    return secrets.token_hex(8)
