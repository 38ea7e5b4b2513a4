"""Signals to this program that are meant for a remote command: forwarded, and a way out."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
#: So often the same signal comes until it is this program that ends: the remote command ignores it.
ENOUGH = 3


@contextmanager
def forwarding(forward: Callable[[int], bool]) -> Iterator[asyncio.Future[int]]:
    """Hands signals to `forward`; the future has the number of the one that it did not take, or
    that came ENOUGH times: then this program is to end. Those that are ignored stay ignored, as
    for jobs in the background and under nohup."""
    loop = asyncio.get_running_loop()
    leaving: asyncio.Future[int] = loop.create_future()
    seen: Counter[int] = Counter()

    def came(number: int) -> None:
        seen[number] += 1
        if (seen[number] >= ENOUGH or not forward(number)) and not leaving.done():
            leaving.set_result(number)

    heard = [number for number in FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, came, number)
    try:
        yield leaving
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
