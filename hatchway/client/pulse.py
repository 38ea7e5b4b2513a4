"""Notices a connection that is dead while nobody says so: a network that went without a word.

What TCP has not delivered when a network goes is repeated at ever longer intervals, so a connection
that outlives the network's absence may stay silent for as long again after its return. One that
answers no ping is given up when another one can be opened after that was impossible for a while.
Where it was possible throughout, the service is slow: another connection would be more of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hatchway.client.link import Link
from hatchway.core.errors import ServiceUnreachable

#: Seconds without a word, while something waits for its acknowledgement, until it is asked for
#: one; at most so many on networks where that was too soon.
STALL, MAX_STALL = 2.0, 24.0
#: Seconds for the answer: a service that is busy is not dead.
ANSWER = 4.0
#: Seconds for which no other could be opened: the network was away.
AWAY = 2.0


class Pulse:
    """Of all connections of a stream, one after another. `waiting` says whether anything that was
    sent is not acknowledged yet; `reach` returns when another connection could be opened."""

    def __init__(
        self,
        waiting: Callable[[], bool],
        reach: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._waiting, self._reach, self._clock = waiting, reach, clock
        self._sent = asyncio.Event()
        self._heard = False
        self._stall = STALL

    def sent(self) -> None:
        """Something went out."""
        self._sent.set()

    def heard(self) -> None:
        """Something came in."""
        self._heard, self._stall = True, STALL

    async def gone(self, link: Link) -> None:
        """Returns when the connection is dead and the network is not."""
        while True:
            await self._sent.wait()
            self._sent.clear()
            self._heard = False
            await asyncio.sleep(self._stall)
            if self._heard or not self._waiting():
                continue
            if await link.answers(ANSWER) or not await self._returned() or self._heard:
                continue
            self._stall = min(self._stall * 2, MAX_STALL)  # until something is heard again
            return

    async def _returned(self) -> bool:
        """Whether the network was away and is back; it takes as long as that does."""
        begin = self._clock()
        while not self._heard:
            try:
                await self._reach()
            except ServiceUnreachable:
                continue
            return self._clock() - begin >= AWAY
        return False
