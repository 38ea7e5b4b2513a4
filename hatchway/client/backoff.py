"""How long to wait between attempts: longer each time, at random, and not for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

FIRST_DELAY = 0.2
MAX_DELAY = 15.0
#: Where nothing answered. Who waits for a network to come back disturbs nobody; a service that
#: answers, and has enough to do, is left in peace for longer.
MAX_DELAY_UNANSWERED = 1.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays of `first` doubling to `most`, each cut by up to half at random (`random`: 0 to 1).

    The first attempt comes almost at once: most connections are lost alone, not with a region.
    """

    random: Callable[[], float]
    first: float = FIRST_DELAY
    most: float = MAX_DELAY

    def delays(self) -> Iterator[float]:
        delay = self.first
        while True:
            yield delay * (0.5 + self.random() / 2)
            delay = min(delay * 2, self.most)

    @property
    def unanswered(self) -> Backoff:
        """The same for attempts that nothing answers."""
        return replace(self, most=min(self.most, MAX_DELAY_UNANSWERED))
