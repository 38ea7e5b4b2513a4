"""The token for the next connection, asked for on the one in use and kept in memory only.

With it a lost connection is restored without a signed request, for which the credentials may have
expired meanwhile.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import NoReturn

from hatchway.client import notices
from hatchway.client.link import Link
from hatchway.client.notices import NextToken
from hatchway.client.records import Started
from hatchway.core.errors import HatchwayError, TokenInvalid

#: Seconds of a first connection before it is asked for: a short command needs none.
FIRST = 5.0
#: Shares of its life after which it is asked for again, at random between them.
RENEW_FROM, RENEW_TO = 3 / 8, 1 / 2
#: Seconds until an answer is not waited for any more, and until a refusal is questioned.
ANSWER_SECONDS, ASK_AGAIN = 15.0, 300.0
#: Seconds of its life that are not relied on.
MARGIN = 5.0


class Spare:
    """One session's spare token. `random` gives numbers from 0 to 1."""

    def __init__(
        self, session_id: str, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self._session_id, self._clock, self._random = session_id, clock, random
        self._held: NextToken | None = None
        self._until = 0.0
        self._asking = asyncio.Lock()
        self._asked = ""
        self._answer: asyncio.Future[NextToken] | None = None

    @property
    def held(self) -> Started | None:
        """What opens the next connection, as long as it is good."""
        if self._held is None or self._clock() >= self._until:
            return None
        return self._held.started

    def drop(self) -> None:
        """It was refused, or a connection was opened: no spare of before is good any more."""
        self._held = None

    async def ask(self, link: Link) -> Started:
        """A new one, which takes the place of the one before. TokenInvalid where the service
        gives none, TimeoutError where it does not answer."""
        async with self._asking:
            self._asked = secrets.token_hex(8)
            self._answer = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(ANSWER_SECONDS):
                await link.send(notices.request("resumeSession", self._asked, self._session_id))
                answer = await self._answer
            if answer.started is None or answer.started.session_id != self._session_id:
                raise TokenInvalid()
            self._held, self._until = answer, self._clock() + answer.seconds - MARGIN
            return answer.started

    def answered(self, answer: NextToken) -> None:
        """The service's answer; one to no question of ours is ignored."""
        waiting = self._answer
        if waiting is not None and not waiting.done() and answer.request_id == self._asked:
            waiting.set_result(answer)

    async def keep(self, link: Link) -> NoReturn:
        """Sees to it that there is one as long as the connection lasts."""
        while True:
            try:
                await self.ask(link)
            except (HatchwayError, TimeoutError):
                await asyncio.sleep(self._between(ASK_AGAIN / 2, ASK_AGAIN))
            else:
                life = max(self._until - self._clock(), 0.0)
                renewal = self._between(life * RENEW_FROM, life * RENEW_TO)
                await asyncio.sleep(max(renewal, ANSWER_SECONDS))

    def _between(self, least: float, most: float) -> float:
        return least + self._random() * (most - least)
