"""What calls to AWS have in common, with the SDK or without: patience, and what a refusal means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.errors import HatchwayError, InternalServerError, ThrottlingException

#: API Gateway gives up on an integration after 29 s; every client has given up well before.
LONGEST = 20.0

THROTTLED = frozenset(
    {
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

#: AWS error code, or HTTP status, to the error that it stands for.
Expected = Mapping[str | int, type[HatchwayError]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits: seconds to connect and to read, and how often it tries in all."""

    connect: float = 1.0
    read: float = 3.0
    attempts: int = 3

    @property
    def worst(self) -> float:
        """Seconds until it gives up, with standard mode's pauses (at most 1, 2, 4 … seconds)."""
        pauses = sum(2.0**n for n in range(self.attempts - 1))
        return self.attempts * (self.connect + self.read) + pauses


def throttled(code: str, status: int) -> bool:
    """Whether AWS says that it is asked too often."""
    return code in THROTTLED or status == 429


def meant(service: str, code: str, status: int, expected: Expected) -> HatchwayError:
    """Our error for a refusal: by its AWS code, or else by its HTTP status.

    The text names the service only; what AWS wrote may quote anything.
    """
    known = expected.get(code) or expected.get(status)
    if known:
        return known()
    if throttled(code, status):
        return ThrottlingException(f"{service} is throttled; try again later.")
    return InternalServerError(f"{service} refused a request of the service.")


def unanswered(service: str) -> HatchwayError:
    """Our error for a call that was not answered in time."""
    return InternalServerError(f"{service} does not answer.")
