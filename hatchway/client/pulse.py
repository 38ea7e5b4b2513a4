"""Notices a connection that is dead while nobody says so: a network that went without a word.

What TCP has not delivered when a network goes is repeated at ever longer intervals, so a connection
that outlives the network's absence may stay silent for as long again after its return. A
connection that answers no ping, though another one could be opened, is given up for that other one.
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


class Pulse:
    """Of all connections of a stream, one after another. `waiting` says whether anything that was
    sent is not acknowledged yet; `reach` returns when another connection could be opened."""

    def __init__(
        self,
        waiting: Callable[[], bool],
        reach: Callable[[], Awaitable[None]],
    ) -> None:
        self._waiting, self._reach = waiting, reach
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
            if await link.answers(ANSWER) or not await self._reached() or self._heard:
                continue
            self._stall = min(self._stall * 2, MAX_STALL)  # until something is heard again
            return

    async def _reached(self) -> bool:
        try:
            await self._reach()
        except ServiceUnreachable:
            self._sent.set()  # and look again
            return False
        return True
