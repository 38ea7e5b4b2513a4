"""Whether there is a network: how soon after its return a connection can be opened.

The kernel asks again for a connection after 1, 3 and 7 seconds. Whoever waits for a network to come
back wants to know within one, so another question is put each half second, until one is answered.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hatchway.core.errors import ServiceUnreachable

#: Seconds between two questions, and until it is said that nothing answers.
EVERY, WITHIN = 0.5, 10.0

Address = tuple[str, int]


async def reached(named: Address, known: Address | None = None) -> None:
    """Returns when a TCP connection can be opened, to the name, or to the numeric address that
    was `known` to answer: a resolver may take long to notice that it can ask again.
    ServiceUnreachable after WITHIN seconds."""
    by_name: asyncio.Task[None] | None = None
    tries: set[asyncio.Task[None]] = set()
    try:
        for _ in range(round(WITHIN / EVERY)):
            if known is not None:
                tries.add(asyncio.create_task(_open(known)))
            if by_name is None or by_name.done():  # one at a time: a name may occupy a thread
                by_name = asyncio.create_task(_open(named))
                tries.add(by_name)
            if await _any(tries, EVERY):
                return
    finally:
        for each in tries:
            each.cancel()
        await asyncio.gather(*tries, return_exceptions=True)
    raise ServiceUnreachable("The stream cannot be reached: nothing answers.")


async def _any(tries: set[asyncio.Task[None]], seconds: float) -> bool:
    """Whether one of them succeeds in so many seconds, which pass in any other case."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while pending := {each for each in tries if not each.done()}:
                await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                if any(each.done() and each.exception() is None for each in tries):
                    return True
            await asyncio.sleep(seconds)
    return False


async def _open(address: Address) -> None:
    """OSError where it cannot be opened. Of no use but that it was."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, *address)
    transport.abort()
