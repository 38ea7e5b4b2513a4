"""A timer whose time moves with every message: it rings when it was asked to, or sooner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """What an event loop gives for a call at a time."""

    def when(self) -> float: ...
    def cancel(self) -> None: ...


CallAt = Callable[[float, Callable[[], None]], Timer]


class Alarm:
    """Calls `ring`, which asks for the next time; `call_at` is the event loop's. One that is set
    for later than it will ring anyway stays as it is: that costs a ring now and then, and no timer
    for each message."""

    def __init__(self, ring: Callable[[], None], call_at: CallAt) -> None:
        self._ring, self._call_at = ring, call_at
        self._timer: Timer | None = None

    def set(self, at: float) -> None:
        """`at` in the event loop's seconds."""
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._call_at(at, self._rings)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rings(self) -> None:
        self._timer = None
        self._ring()
