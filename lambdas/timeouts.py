"""When a session runs out of time, by the limits of the document that was resolved for it.

The document was checked when it was stored. What cannot be read here is the default, so that no
damaged record makes a session endless.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lambdas.ports import Session

#: Minutes, by Systems Manager: idle 1 to 60 with a default of 20, duration 1 to 1440 or none.
DEFAULT_IDLE = 20
MAX_IDLE = 60
MAX_DURATION = 1440
#: Seconds before its end that a client is warned at most: of idle time, of the longest duration.
IDLE_WARNING = 120.0
DURATION_WARNING = 300.0
#: Seconds of a sweep's round: no warning window is shorter, as far as the limit allows.
ROUND = 60.0
#: Seconds at the beginning of a limit in which nobody is warned of it.
QUIET = 10.0
#: Documents whose limits are remembered; sessions share a few.
MAX_DOCUMENTS = 64


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; `longest` is 0 where there is no limit. `output_counts` says that what the session
    prints counts as activity."""

    idle: float
    longest: float
    output_counts: bool

    @property
    def idle_warning(self) -> float:
        """Seconds before the end from which a client is warned."""
        return _lead(self.idle, IDLE_WARNING)

    @property
    def duration_warning(self) -> float:
        return _lead(self.longest, DURATION_WARNING)


def timeouts(session: Session) -> Timeouts:
    return _of(session.document)


def idle_end(session: Session) -> float:
    """When the session ends unless somebody does something; unix seconds."""
    return max(session.activity, session.started) + timeouts(session).idle


def duration_end(session: Session) -> float | None:
    """When the session ends whatever anybody does; None for no such limit."""
    longest = timeouts(session).longest
    return session.started + longest if longest else None


def _lead(limit: float, most: float) -> float:
    """Half of the limit, or one round of the sweep where that is more; within bounds."""
    return min(most, max(limit / 2, min(ROUND, limit - QUIET)))


@lru_cache(maxsize=MAX_DOCUMENTS)
def _of(document: str) -> Timeouts:
    try:
        found = json.loads(document)["inputs"]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = {}
    inputs: Mapping[str, object] = found if isinstance(found, dict) else {}
    ours = inputs.get("hatchway")
    counts = isinstance(ours, dict) and ours.get("outputKeepsAlive") is True
    return Timeouts(
        idle=60.0 * _minutes(inputs, "idleSessionTimeout", MAX_IDLE, DEFAULT_IDLE),
        longest=60.0 * _minutes(inputs, "maxSessionDuration", MAX_DURATION, 0),
        output_counts=counts,
    )


def _minutes(inputs: Mapping[str, object], name: str, most: int, default: int) -> int:
    value = inputs.get(name)
    try:
        minutes = int(value) if isinstance(value, str | int) else default
    except ValueError:
        return default
    return minutes if 1 <= minutes <= most else default
