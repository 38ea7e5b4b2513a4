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
#: Seconds until an answer is not waited for any more, and is asked for again.
ANSWER_SECONDS = 15.0
#: Seconds until a refusal is questioned; twice as many each time, and at most so many. Each
#: question stands in the audit trail as a denial.
ASK_AGAIN, MAX_ASK_AGAIN = 300.0, 3600.0
#: Seconds until one that was refused is shown again, twice as many each time: the service refuses
#: alike what is no good and what it cannot look into at the moment.
SHOW_AGAIN = 5.0
#: Seconds of its life that are not relied on.
MARGIN = 5.0


class Spare:
    """One session's spare token. `random` gives numbers from 0 to 1."""

    def __init__(
        self, session_id: str, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self._session_id, self._clock, self._random = session_id, clock, random
        self._held: NextToken | None = None
        self._until = self._shown_again = 0.0
        self._patience = SHOW_AGAIN
        self._asking = asyncio.Lock()
        self._asked = ""
        self._answer: asyncio.Future[NextToken] | None = None

    @property
    def held(self) -> Started | None:
        """What opens the next connection, as long as it is good; not soon after a refusal."""
        now = self._clock()
        if self._held is None or now >= self._until or now < self._shown_again:
            return None
        return self._held.started

    def refused(self) -> None:
        """For good or for the moment: nobody says. It is kept, and shown less and less often."""
        self._shown_again = self._clock() + self._patience
        self._patience *= 2

    def drop(self) -> None:
        """A connection was opened: no spare of before is good any more."""
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
            self._shown_again, self._patience = 0.0, SHOW_AGAIN
            return answer.started

    def answered(self, answer: NextToken) -> None:
        """The service's answer; one to no question of ours is ignored."""
        waiting = self._answer
        if waiting is not None and not waiting.done() and answer.request_id == self._asked:
            waiting.set_result(answer)

    async def keep(self, link: Link) -> NoReturn:
        """Sees to it that there is one as long as the connection lasts."""
        again = ASK_AGAIN
        while True:
            try:
                await self.ask(link)
            except TimeoutError:  # the one that is held may be void already
                await asyncio.sleep(ANSWER_SECONDS)
            except HatchwayError:
                await asyncio.sleep(self._between(again / 2, again))
                again = min(again * 2, MAX_ASK_AGAIN)
            else:
                again = ASK_AGAIN
                life = max(self._until - self._clock(), 0.0)
                renewal = self._between(life * RENEW_FROM, life * RENEW_TO)
                await asyncio.sleep(max(renewal, ANSWER_SECONDS))

    def _between(self, least: float, most: float) -> float:
        return least + self._random() * (most - least)
