"""Keeps one session's ticket fresh: renews it on demand, one call at a time, never in a hurry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.activity import Activity
from agent.api import AgentApi, Pass
from agent.backoff import Backoff
from agent.clock import ServiceClock
from agent.log import Log
from agent.pausing import pause
from agent.ports import Random
from hatchway.core.errors import DoesNotExistException, HatchwayError, SessionEnded
from hatchway.core.tickets import TICKET_RENEW_AFTER

#: Seconds between two renewals, however many reasons there are.
MIN_GAP = 0.25
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
#: Seconds after which it is renewed though nobody asked: while the client is away nothing else
#: would tell of an end whose hint was lost.
LOOK_EVERY = 300.0
#: Seconds before its end from which a ticket counts as over: it has to travel, too.
MARGIN = 2.0


class PassKeeper:
    """`changed(pass)` after each renewal; `ended()` once, when the session is over."""

    def __init__(
        self,
        api: AgentApi,
        session: str,
        first: Pass,
        *,
        clock: ServiceClock,
        random: Random,
        log: Log,
        activity: Activity,
        changed: Callable[[Pass], None],
        ended: Callable[[], None],
    ) -> None:
        self._api, self._session, self._clock, self._log = api, session, clock, log
        self._changed, self._ended = changed, ended
        self._backoff = Backoff(random, FIRST_WAIT, LONGEST_WAIT)
        self._wanted = asyncio.Event()
        self._silent: int | None = None
        self._activity = activity
        self._later: asyncio.TimerHandle | None = None
        self.current = first
        self._renewed = clock.now()
        self._renewing = False

    @property
    def valid(self) -> bool:
        """Whether the ticket can be used now, by the service's clock."""
        return self._clock.unix() < self.current.expires - MARGIN

    @property
    def aging(self) -> bool:
        """Whether an active session should renew it; one that is being renewed ages no more."""
        return self._left() <= 0

    def _left(self) -> float:
        """Seconds until activity alone is reason enough for another renewal."""
        now = self._clock.now()
        return (now if self._renewing else self._renewed) + TICKET_RENEW_AFTER - now

    def active(self) -> None:
        """There is news of activity. The service has it at once after a pause, and otherwise when
        the ticket is as old as one that is renewed: at most so much later than it was."""
        left = self._left()
        if left <= 0:
            self.want()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(left, self._report)

    def _report(self) -> None:
        self._later = None
        if self._activity.news:
            self.active()  # another reason may have renewed it meanwhile

    def want(self, silent: int | None = None) -> None:
        """Asks for a renewal; `silent` names the client generation that does not answer."""
        if silent is not None:
            self._silent = silent
        self._wanted.set()

    async def run(self) -> None:
        """Until the session is over, or it is cancelled."""
        try:
            await self._keep()
        finally:
            if self._later is not None:
                self._later.cancel()

    async def _keep(self) -> None:
        while True:
            await self._wait()
            try:
                renewed = await self._renew()
            except (SessionEnded, DoesNotExistException):
                self._ended()
                return
            except HatchwayError as error:
                self._log.warning("ticket", session=self._session, code=error.code)
                self._wanted.set()
                await asyncio.sleep(pause(self._backoff, error))
                continue
            self._backoff.reset()
            self.current, self._renewed = renewed, self._clock.now()
            self._changed(renewed)
            await asyncio.sleep(MIN_GAP)

    async def _wait(self) -> None:
        """Until it is asked for a renewal, or one is due."""
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._wanted.wait()
        except TimeoutError:
            pass
        self._wanted.clear()

    async def _renew(self) -> Pass:
        silent, self._silent = self._silent, None
        self._renewing = True
        try:
            return await self._api.ticket(self._session, self._activity.bring(), silent)
        except HatchwayError:
            self._activity.failed()
            if self._silent is None:
                self._silent = silent
            raise
        finally:
            self._renewing = False
