"""Waiting between attempts: exponential, with full jitter, between named bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agent.ports import Random

_BYTES = 7
#: Seconds between attempts for a session while nothing answers: somebody waits for the network, and
#: an attempt that reaches nobody is no load for anybody.
UNREACHED = 1.0


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

    def next(self, at_least: float = 0.0, *, at_most: float = math.inf) -> float:
        """The next wait; `at_least` is what the service asked for, within our own `most`;
        `at_most` is the bound of this wait."""
        self._bound = min(self.most, self._bound * 2 or self.first)
        wait = min(self._bound, at_most) * (0.5 + fraction(self.random) / 2)
        return max(wait, min(at_least, self.most))

    def reset(self) -> None:
        self._bound = 0.0
