"""What a network does to messages, by a seeded chance: loss, repetition, delay (reordering)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Shares of 1 and seconds. The same seed gives the same schedule for the same messages."""

    loss: float = 0.0
    repeat: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    seed: int = 0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def schedule(self) -> list[float]:
        """When copies of one message arrive, in seconds from now; empty where it is lost."""
        copies = 0 if self._chance.random() < self.loss else 1
        copies += self._chance.random() < self.repeat
        return [self._chance.uniform(*self.delay) for _ in range(copies)]
