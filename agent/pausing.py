"""How long a session's calls pause after a failure: what failed decides it."""

from __future__ import annotations

import math

from agent.api import Throttled
from agent.backoff import UNREACHED, Backoff
from agent.ports import Unreachable
from hatchway.core.errors import HatchwayError


def pause(backoff: Backoff, error: HatchwayError) -> float:
    """Seconds. Whoever asks for time gets it; where nothing answers, the next attempt is soon."""
    after = error.after if isinstance(error, Throttled) else 0.0
    return backoff.next(after, at_most=UNREACHED if isinstance(error, Unreachable) else math.inf)
