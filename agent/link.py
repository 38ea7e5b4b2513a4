"""The agent's link to the service: enrolment, channel credentials and the control channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.api import AgentApi, Channel, Throttled
from agent.backoff import Backoff, fraction
from agent.clock import ServiceClock
from agent.drops import Drops
from agent.facilities import Facilities
from agent.hints import Hints
from agent.log import Log
from agent.order import Order
from agent.ports import (
    BadAnswer,
    CipherOf,
    Credentials,
    Listening,
    Random,
    Runner,
    Transport,
)
from agent.roster import Roster
from hatchway.core.errors import AccessDeniedException, ClientFault, HatchwayError
from hatchway.core.names import Topics, stage_name

#: Credentials are renewed at a random point of this part of their life.
RENEW_FROM, RENEW_TO = 0.5, 0.9
#: Whatever the answer says, they are renewed no sooner and no later than this, in seconds.
RENEW_LEAST, RENEW_MOST = 30.0, 3600.0
#: Seconds between attempts while the service cannot be reached, and while it refuses the node.
FIRST_WAIT, LONGEST_WAIT, LONGEST_REFUSED = 0.5, 15.0, 60.0
#: Seconds between renewals that refusals of the credentials may cause.
EARLY_GAP = 10.0
#: Failures of the control channel in a row after which the credentials are doubted.
DOUBT_AFTER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the link is built from."""

    api: AgentApi
    transport: Transport
    clock: ServiceClock
    node: str
    instance: str
    platform: str
    random: Random
    cipher_of: CipherOf
    make_runner: Callable[[Order], Awaitable[Runner]]
    log: Log


class Link:
    """Runs until it is cancelled or stopped. A Listener of the control channel."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._channel: Channel | None = None
        self._control: Listening | None = None
        self._renew = asyncio.Event()
        self._next_early = 0.0
        self._early: asyncio.TimerHandle | None = None
        self._failures = 0
        self._listing: asyncio.Task[None] | None = None
        self._drops = Drops(parts.api.report, parts.log)
        self._roster = Roster(parts.instance, self._facilities)
        self._hints = Hints(self._roster.consider, self._list_soon, self._drops.count)
        parts.api.denied = self._doubt

    async def run(self) -> None:
        """Enrols, connects, and keeps the credentials fresh."""
        while True:
            again = self._channel is not None
            channel = await self._enrol()
            await self._install(channel)
            self._renew.clear()
            if again:
                self._list_soon()  # sessions that were refused meanwhile, and hints that were lost
            try:
                async with asyncio.timeout(self._life(channel)):
                    await self._renew.wait()
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Ends the sessions and leaves."""
        self._hints.close()
        if self._early is not None:
            self._early.cancel()
        if self._listing is not None:
            self._listing.cancel()
        await self._roster.close()
        if self._control is not None:
            await self._control.close()
        await self._drops.close()

    # --- credentials ----------------------------------------------------------------------------

    async def _enrol(self) -> Channel:
        """Tries until the service gives a channel: a node has nothing better to do."""
        unreached = Backoff(self._p.random, FIRST_WAIT, LONGEST_WAIT)
        refused = Backoff(self._p.random, FIRST_WAIT, LONGEST_REFUSED)
        while True:
            try:
                channel = await self._p.api.channel(self._p.platform)
                stage_name(channel.stage)
                return channel
            except ClientFault as error:
                self._p.log.error("channel refused", code=error.code)
                await asyncio.sleep(refused.next())
            except HatchwayError as error:
                self._p.log.warning("channel", code=error.code)
                after = error.after if isinstance(error, Throttled) else 0.0
                await asyncio.sleep(unreached.next(after))

    async def _install(self, channel: Channel) -> None:
        before, self._channel = self._channel, channel
        self._p.api.credentials = channel.credentials
        self._p.log.info("enrolled", node=self._p.node, stage=channel.stage)
        if before and (before.endpoint, before.stage) == (channel.endpoint, channel.stage):
            return
        if self._control is not None:
            await self._control.close()
        topics = Topics(channel.stage, self._p.node)
        self._control = self._p.transport.listen(
            channel.endpoint, topics.control_client, topics.control, self._credentials, self
        )

    def _life(self, channel: Channel) -> float:
        """Seconds until renewal, spread so that a fleet does not come at once."""
        left = channel.expiration - self._p.clock.unix()
        share = RENEW_FROM + (RENEW_TO - RENEW_FROM) * fraction(self._p.random)
        return min(RENEW_MOST, max(RENEW_LEAST, left * share))

    def _doubt(self) -> None:
        """The service refused the credentials, or the enrolment: perhaps they were revoked,
        perhaps it restarted. What comes too soon after another doubt waits for its turn."""
        if self._early is None:
            loop, now = asyncio.get_running_loop(), self._p.clock.now()
            self._early = loop.call_later(max(0.0, self._next_early - now), self._renew_early)

    def _renew_early(self) -> None:
        self._early = None
        self._next_early = self._p.clock.now() + EARLY_GAP
        self._renew.set()

    def _credentials(self) -> Credentials:
        if self._channel is None:
            raise AccessDeniedException()
        return self._channel.credentials

    def _facilities(self) -> Facilities:
        if self._channel is None:
            raise BadAnswer("There is no channel yet.")
        return Facilities(
            api=self._p.api,
            transport=self._p.transport,
            clock=self._p.clock,
            topics=Topics(self._channel.stage, self._p.node),
            endpoint=self._channel.endpoint,
            credentials=self._credentials,
            random=self._p.random,
            cipher_of=self._p.cipher_of,
            make_runner=self._p.make_runner,
            drops=self._drops,
            log=self._p.log,
        )

    # --- Listener -------------------------------------------------------------------------------

    def up(self) -> None:
        self._failures = 0
        self._p.log.info("control channel up")
        self._list_soon()

    def down(self, code: str) -> None:
        self._failures += 1
        self._p.log.warning("control channel down", code=code)
        if self._failures >= DOUBT_AFTER:
            self._doubt()

    def message(self, payload: bytes) -> None:
        self._hints.take(payload)

    def overflow(self) -> None:
        self._drops.count("hintFlood")

    # --- sessions -------------------------------------------------------------------------------

    def _list_soon(self) -> None:
        if self._listing is None or self._listing.done():
            self._listing = asyncio.get_running_loop().create_task(self._list())

    async def _list(self) -> None:
        backoff = Backoff(self._p.random, FIRST_WAIT, LONGEST_WAIT)
        while True:
            try:
                self._roster.compare(await self._p.api.sessions())
                return
            except HatchwayError as error:
                self._p.log.warning("list", code=error.code)
                after = error.after if isinstance(error, Throttled) else 0.0
                await asyncio.sleep(backoff.next(after))
