"""Tells the service that a session is over, until it knows."""

from __future__ import annotations

import asyncio

from agent.backoff import Backoff
from agent.facilities import Facilities
from hatchway.core.errors import ClientFault, HatchwayError
from hatchway.core.transcript.stated import Stated

#: Attempts, and the seconds between them.
ATTEMPTS = 8
FIRST, MOST = 0.5, 10.0


async def report(
    f: Facilities, session: str, reason: str, code: int | None, stated: Stated | None
) -> None:
    """`stated` is how much there was, of a recorded session."""
    backoff = Backoff(f.random, FIRST, MOST)
    for _ in range(ATTEMPTS):
        try:
            await f.api.end(session, reason, code, stated)
            return
        except ClientFault as error:
            f.log.info("end refused", session=session, code=error.code)
            return
        except HatchwayError as error:
            f.log.warning("end", session=session, code=error.code)
        await asyncio.sleep(backoff.next())
