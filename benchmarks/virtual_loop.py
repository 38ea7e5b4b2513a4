"""An event loop whose clock jumps to the next timer when nothing is ready: hours in a moment."""

from __future__ import annotations

import asyncio
import selectors

#: Seconds that a turn of the loop takes.
TURN = 1e-6


class _Selector(selectors.DefaultSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        # A deadline may lie a rounding error ahead: without this it would never come.
        self.loop.passed += TURN
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise RuntimeError("everything waits for something that never comes")
        self.loop.passed += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` begins at 1,000 s."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.passed = 1000.0
        super().__init__(selector)

    def time(self) -> float:
        return self.passed
