"""Waiting between attempts: exponential, with full jitter, between named bounds."""

from __future__ import annotations

from dataclasses import dataclass

from agent.ports import Random

_BYTES = 7


def fraction(random: Random) -> float:
    """A number from 0 up to, but not, 1."""
    return int.from_bytes(random(_BYTES), "big") / (1 << 8 * _BYTES)


@dataclass(slots=True)
class Backoff:
    """Seconds to wait: at random between half of a doubling bound and the bound."""

    random: Random
    first: float
    most: float
    _bound: float = 0.0

    def next(self, at_least: float = 0.0) -> float:
        """The next wait; `at_least` is what the service asked for, within our own `most`."""
        self._bound = min(self.most, self._bound * 2 or self.first)
        wait = self._bound * (0.5 + fraction(self.random) / 2)
        return max(wait, min(at_least, self.most))

    def reset(self) -> None:
        self._bound = 0.0
