"""Where the logs of sessions go besides the archive, and who works on which session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hatchway.core.errors import ThrottlingException

#: Events of one batch, bytes of all of them with 26 for each, and bytes of one: CloudWatch Logs.
MAX_EVENTS = 10_000
MAX_BATCH = 1_048_576
MAX_LOG_EVENT = 256 * 1024
EVENT_OVERHEAD = 26


class LogGroups(Protocol):
    """CloudWatch Logs, as a destination."""

    def append(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Adds events (unix milliseconds, text; in the order of their times) to a stream, which is
        made where it is missing. LogDestinationAbsent, LogDestinationDenied,
        ThrottlingException, InternalServerError."""
        ...


class Buckets(Protocol):
    """S3, as a destination."""

    def put(self, bucket: str, key: str, parts: Iterable[bytes]) -> None:
        """Stores the parts as one object, in the bucket of the expected owner alone. The same
        errors."""
        ...


class Encryption(Protocol):
    """Whether a destination encrypts what it stores."""

    def bucket(self, name: str) -> bool:
        """Whether the bucket has an encryption by default."""
        ...

    def group(self, name: str) -> bool:
        """Whether the log group has a key."""
        ...


class Why(StrEnum):
    """Why a session's recording is looked at."""

    RUNS = "runs"
    ENDED = "ended"
    LATE = "late"
    FAILED = "failed"


#: Seconds after the end at which it is looked at once more: a ticket is good for 60 s longer, and
#: what the log had shows itself within a minute. What the node says there was is missing by then.
LATE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A request to look at a session's recording."""

    session_id: str
    why: Why


class Looks(Protocol):
    """The archive's queue."""

    def ask(self, looks: Sequence[Look], seconds: int = 0) -> None:
        """Asks for looks, 0 to 900 seconds ahead."""
        ...

    def again(self, receipt: str, seconds: int) -> None:
        """Has a message that was not done come again so much later."""
        ...


class Busy(ThrottlingException):
    """Another run works on it."""


#: Seconds for which who does something once may be at it; no function runs longer.
CLAIM = 330.0


class Leases(Protocol):
    """One run works on a session's recording at a time, and some things are done only so often."""

    def hold(self, session_id: str, seconds: float) -> AbstractContextManager[None]:
        """For at most so long; Busy where another run has it."""
        ...

    def once(self, name: str, seconds: float) -> AbstractContextManager[bool]:
        """Whether nobody has done it for so many seconds, or is at it: then the caller does it
        now. What raises has not done it, nor what dies, after CLAIM seconds."""
        ...
