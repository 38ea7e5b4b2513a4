"""Waits for nodes that are not there yet: one that boots, or whose agent restarts."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from hatchway.client.backoff import Backoff
from hatchway.core.errors import TargetNotConnected, TargetUnknown, ValidationException

T = TypeVar("T")
#: Seconds between attempts, at first and at most: a start that is refused counts as a start.
FIRST, MOST = 0.5, 5.0
#: Seconds that one may ask to wait.
LONGEST = 24 * 3600.0


def when_connected(
    start: Callable[[], T],
    patience: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What `start` gives; while its node is unknown or not connected it is tried again, for
    `patience` seconds. Its last error then."""
    if not 0 <= patience <= LONGEST:
        raise ValidationException(f"One can wait for 0 to {LONGEST:.0f} seconds.")
    until = clock() + patience
    backoff = Backoff(lambda: secrets.randbelow(1000) / 1000, first=FIRST, most=MOST)
    for delay in backoff.delays():
        try:
            return start()
        except (TargetNotConnected, TargetUnknown):
            left = until - clock()
            if left <= 0:
                raise
            sleep(min(delay, left))
    raise AssertionError("a backoff does not end")
