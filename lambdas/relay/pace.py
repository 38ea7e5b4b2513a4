"""How fast a connection may send: a bucket for each, in this instance of the function alone.

Best effort: API Gateway has no limit for a connection, and a table write for each message would
cost more than the message. A flood is dropped by each warm instance that sees it; the agent's own
limits, and those of IoT Core, stand behind this one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from hatchway.core.errors import ThrottlingException
from lambdas.ports import Clock
from lambdas.recent import keep

#: Messages of one connection: so many at once, then so many a second. IoT Core passes 100 a second
#: on to an agent; who types, pastes or reads at full speed sends a few dozen.
BURST = 200.0
PER_SECOND = 100.0
#: Connections remembered; one that is forgotten begins with a full bucket.
MAX_CONNECTIONS = 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """The buckets of the connections seen last: what was left, and when."""

    clock: Clock
    kept: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def spend(self, connection: str) -> None:
        """ThrottlingException for a message too many."""
        now = self.clock()
        left, at = self.kept.get(connection, (BURST, now))
        left = min(BURST, left + max(0.0, now - at) * PER_SECOND)
        allowed = left >= 1
        keep(self.kept, connection, (left - allowed, now), MAX_CONNECTIONS)
        if not allowed:
            raise ThrottlingException("The connection sends more than it may.")
