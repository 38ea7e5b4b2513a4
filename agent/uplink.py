"""Uploads of one session: a few requests on their way at once, and what their failures mean."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum, auto

from pybase64 import b64encode_as_string

from agent.api import AgentApi
from agent.backoff import Backoff
from agent.pausing import pause
from agent.ports import Random, Unreachable
from hatchway.core.errors import (
    ClientGone,
    HatchwayError,
    SessionEnded,
    TicketExpired,
    TicketInvalid,
)
from hatchway.core.wire import to_text

#: Requests on their way at once: hides the round trip, and lets output coalesce behind them.
MAX_IN_FLIGHT = 4
#: API Gateway may answer 410 until `$connect` has returned: attempts on a young connection.
YOUNG_ATTEMPTS = 5
#: Seconds between those attempts, doubling; and the pause after a failure.
YOUNG_WAIT = 0.05
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


class Outcome(Enum):
    """How an upload went. LOST is retransmitted by the channel, like what the network loses."""

    SENT = auto()
    LOST = auto()
    CLIENT_GONE = auto()
    TICKET = auto()
    ENDED = auto()


class Uplink:
    """Sends texts; tells `done(outcome, generation)` after each, and before it `marked(mark)`
    where the service answered one."""

    def __init__(
        self,
        api: AgentApi,
        session: str,
        random: Random,
        done: Callable[[Outcome, int], None],
        marked: Callable[[str], None],
    ) -> None:
        self._api, self._session, self._done, self._marked = api, session, done, marked
        self._pause = Backoff(random, FIRST_PAUSE, LONGEST_PAUSE)
        self._resume: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        #: Whether the last attempt reached nobody.
        self.unreached = False
        #: One past the highest number of what the service took.
        self.passed = 0

    @property
    def free(self) -> bool:
        """Whether an upload may begin now."""
        return self._resume is None and len(self._tasks) < MAX_IN_FLIGHT

    @property
    def busy(self) -> bool:
        """Whether an upload is on its way."""
        return bool(self._tasks)

    def send(
        self, frames: Sequence[bytes], ticket: str, generation: int, young: bool, past: int = 0
    ) -> None:
        """Begins an upload; `young` says that the client has only just connected, `past` is one
        past the highest number in it."""
        text = to_text(frames, b64encode_as_string)
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._run(text, ticket, generation, young, past))
        self._tasks.add(task)

    async def close(self) -> None:
        """Drops what is on its way."""
        if self._resume is not None:
            self._resume.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, text: str, ticket: str, generation: int, young: bool, past: int) -> None:
        try:
            outcome = await self._attempts(text, ticket, YOUNG_ATTEMPTS if young else 1)
        finally:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.discard(task)
        if outcome is Outcome.SENT:
            self.passed = max(self.passed, past)
        self._done(outcome, generation)

    async def _attempts(self, text: str, ticket: str, attempts: int) -> Outcome:
        for attempt in range(attempts):
            outcome = await self._attempt(text, ticket)
            if outcome is not Outcome.CLIENT_GONE or attempt + 1 == attempts:
                break
            await asyncio.sleep(YOUNG_WAIT * 2**attempt)
        return outcome

    async def _attempt(self, text: str, ticket: str) -> Outcome:
        try:
            mark = await self._api.frames(self._session, ticket, text)
        except HatchwayError as error:
            self.unreached = isinstance(error, Unreachable)
            return self._failed(error)
        self.unreached = False
        self._pause.reset()
        if mark:
            self._marked(mark)
        return Outcome.SENT

    def _failed(self, error: HatchwayError) -> Outcome:
        match error:
            case ClientGone():
                return Outcome.CLIENT_GONE
            case TicketExpired() | TicketInvalid():
                return Outcome.TICKET
            case SessionEnded():
                return Outcome.ENDED
        self._hold(error)
        return Outcome.LOST

    def _hold(self, error: HatchwayError) -> None:
        """No new upload for a while; those that fail together make one pause."""
        if self._resume is None:
            loop = asyncio.get_running_loop()
            self._resume = loop.call_later(pause(self._pause, error), self._go_on)

    def _go_on(self) -> None:
        self._resume = None
        self._done(Outcome.LOST, -1)
