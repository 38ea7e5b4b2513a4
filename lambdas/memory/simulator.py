"""IAM's simulator in memory: it says what a test tells it to."""

from __future__ import annotations

from hatchway.core.errors import HatchwayError
from hatchway.core.policy import AccessRequest, Outcome


class MemorySimulator:
    """The port Simulator. `asked` are the source and the request of each call."""

    def __init__(self, outcome: Outcome = Outcome.ALLOWED) -> None:
        self.outcome = outcome
        self.failure: HatchwayError | None = None
        self.asked: list[tuple[str, AccessRequest]] = []

    def simulate(self, source_arn: str, request: AccessRequest) -> Outcome:
        self.asked.append((source_arn, request))
        if self.failure is not None:
            raise self.failure
        return self.outcome
