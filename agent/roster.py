"""The sessions that this agent runs: at most one task each, begun by `open`, ended for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agent.api import Listed, Opened, Throttled
from agent.backoff import Backoff
from agent.facilities import Facilities, Reason
from agent.memory import give_back
from agent.session import Session
from hatchway.core.errors import ClientFault, DoesNotExistException, HatchwayError, SessionEnded
from hatchway.core.tokens import token_digest

#: Sessions at once; the service's own limits are lower.
MAX_SESSIONS = 100
#: Attempts to open a session, and the seconds between them.
OPEN_ATTEMPTS = 4
OPEN_FIRST, OPEN_MOST = 0.25, 2.0
#: Seconds after the last session's end until its memory is collected.
TIDY_AFTER = 1.0


class Roster:
    """Begins sessions that the service names, and tells running ones to look for news."""

    def __init__(self, instance: str, facilities: Callable[[], Facilities]) -> None:
        self._digest, self._facilities = token_digest(instance), facilities
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running: dict[str, Session] = {}
        #: Sessions of which there was news while they were being opened; each has a task.
        self._missed: set[str] = set()
        self._closing = False
        self._tidying: asyncio.TimerHandle | None = None

    def consider(self, session: str) -> None:
        """A hint: someone says that there is news of this session."""
        if (running := self._running.get(session)) is not None:
            running.hinted()
        elif session in self._tasks:
            self._missed.add(session)  # the answer to `open` may have been given before
        else:
            self._begin(session, self._open)

    def compare(self, listed: Sequence[Listed]) -> None:
        """All sessions of the node that are not ended: those not among ours are opened, which ends
        them where another agent ran them; ours look for news, missing ones too."""
        for name in self._tasks:
            self.consider(name)
        for item in listed:
            if item.session not in self._tasks:
                ours = item.agent_digest == self._digest
                self._begin(item.session, self._bury if ours else self._resolve)

    async def close(self) -> None:
        """Ends all sessions and waits for it."""
        self._closing = True
        for session in list(self._running.values()):
            session.stop(Reason.STOPPING)
        waiting = [task for name, task in self._tasks.items() if name not in self._running]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _begin(self, session: str, work: Callable[[str], Awaitable[None]]) -> None:
        if self._closing:
            return
        if len(self._tasks) >= MAX_SESSIONS:
            self._facilities().drops.count("tooManySessions")
            return
        task = asyncio.get_running_loop().create_task(self._guard(session, work))
        self._tasks[session] = task

    async def _guard(self, session: str, work: Callable[[str], Awaitable[None]]) -> None:
        """One session's failure is its own."""
        try:
            await work(session)
        except (SessionEnded, DoesNotExistException):
            self._facilities().log.info("session was over", session=session)
        except Exception as error:
            code = error.code if isinstance(error, HatchwayError) else type(error).__name__
            self._facilities().log.error("session failed", session=session, code=code)
        finally:
            self._tasks.pop(session, None)
            self._running.pop(session, None)
            self._missed.discard(session)
            if not self._tasks:
                self._tidy_later()

    def _tidy_later(self) -> None:
        """A session is a knot of callbacks: an idle agent gives its memory back. Once, however many
        hints came to nothing: collecting takes long."""
        if self._tidying is not None:
            self._tidying.cancel()
        self._tidying = asyncio.get_running_loop().call_later(TIDY_AFTER, give_back)

    async def _open(self, session: str) -> None:
        """A hint at a session that is over is worth a line in the report: who sent it?"""
        try:
            await self._resolve(session)
        except (SessionEnded, DoesNotExistException):
            self._facilities().drops.count("staleHint")

    async def _resolve(self, session: str) -> None:
        facilities = self._facilities()
        running = Session(session, await self._opened(session, facilities), facilities)
        self._running[session] = running
        if session in self._missed:
            running.hinted()
        await running.run()

    async def _opened(self, session: str, facilities: Facilities) -> Opened:
        backoff = Backoff(facilities.random, OPEN_FIRST, OPEN_MOST)
        for _ in range(OPEN_ATTEMPTS - 1):
            try:
                return await facilities.api.open(session)
            except ClientFault:
                raise
            except HatchwayError as error:
                facilities.log.warning("open", session=session, code=error.code)
                after = error.after if isinstance(error, Throttled) else 0.0
                await asyncio.sleep(backoff.next(after))
        return await facilities.api.open(session)

    async def _bury(self, session: str) -> None:
        """It ran here, and its end could not be told at the time."""
        await self._facilities().api.end(session, Reason.TERMINATED, None)
