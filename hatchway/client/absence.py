"""What a person is told of a lost connection: nothing, where it is back before he would notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hatchway.client.events import Lost, Restored, Retrying, StreamEvent

#: Seconds that a person takes for a slow answer.
UNNOTICED = 1.0


class Absence:
    """Holds back what is said of a loss until it has lasted for long enough."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._held = ""
        self._timer: asyncio.TimerHandle | None = None

    def tell(self, event: StreamEvent, text: str) -> None:
        """Says `text`, which is what there is to say of `event`, now, later or never."""
        if isinstance(event, Lost):
            self._held = text
            self._timer = asyncio.get_running_loop().call_later(UNNOTICED, self._speak)
        elif isinstance(event, Retrying) and self._timer is not None:
            self._held = text  # it says more
        elif isinstance(event, Restored) and self._timer is not None:
            self.close()
        else:
            self._say(text)

    def close(self) -> None:
        """Nothing is said any more of what is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _speak(self) -> None:
        self._timer = None
        self._say(self._held)
