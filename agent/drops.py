"""What was dropped: counted by kind, reported to the service at most once a minute."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from agent.log import Log
from hatchway.core.errors import HatchwayError

#: Seconds between reports, and from the first drop to its report.
REPORT_EVERY = 60.0
REPORT_FIRST = 1.0
#: Kinds that are told apart; the kinds are our own, so more is a mistake of ours.
MAX_KINDS = 32


class Drops:
    """Counts drops; wakes only when there are some, so that an idle agent sleeps."""

    def __init__(self, report: Callable[[Mapping[str, int]], Awaitable[None]], log: Log) -> None:
        self._report, self._log = report, log
        self._counts: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0

    def count(self, kind: str, times: int = 1) -> None:
        """`kind` is one of the agent's own words."""
        if kind not in self._counts and len(self._counts) >= MAX_KINDS:
            kind = "other"
        self._counts[kind] += times
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def close(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _send(self) -> None:
        now = asyncio.get_running_loop().time
        while self._counts:
            await asyncio.sleep(max(REPORT_FIRST, self._next - now()))
            self._next = now() + REPORT_EVERY
            counts, self._counts = self._counts, Counter()
            self._log.warning("dropped", **counts)
            try:
                await self._report(counts)
            except HatchwayError as error:
                self._log.warning("report failed", code=error.code)
                self._counts += counts
