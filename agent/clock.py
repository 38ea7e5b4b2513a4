"""Time: monotonic seconds for waiting, and the service's clock as its answers let us know it."""

from __future__ import annotations

from collections.abc import Callable


class ServiceClock:
    """The node's own clock may be wrong by minutes: expiries are compared with the service's.

    Until the first answer the node's clock has to do.
    """

    def __init__(self, monotonic: Callable[[], float], unix: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._offset = unix() - monotonic()

    def now(self) -> float:
        """Monotonic seconds, the event loop's."""
        return self._monotonic()

    def unix(self) -> float:
        """Unix seconds by the service's clock."""
        return self._monotonic() + self._offset

    @property
    def epoch(self) -> float:
        """What to add to `now` for the service's unix seconds."""
        return self._offset

    def observe(self, server_time: float, sent: float, received: float) -> None:
        """An answer to a call sent and received at these `now`s said `server_time`."""
        self._offset = server_time - (sent + received) / 2
