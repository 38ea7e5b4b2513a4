"""Waiting for another process, with a limit: nothing tells us, so we ask again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from local.errors import LauncherError

INTERVAL = 0.05

T = TypeVar("T")


def until(check: Callable[[], T | None], seconds: float, what: str) -> T:
    """The first true answer of `check`; LauncherError when there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := check():
            return answer
        if time.monotonic() >= deadline:
            raise LauncherError(f"{what} within {seconds:.0f} s.")
        time.sleep(INTERVAL)
