"""The receiving half of a data channel: puts messages in order, says what has arrived.

Out-of-order messages wait within named bounds; what was acknowledged is never dropped again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from hatchway.core.handshake import MAX_RECEIVED, Acknowledgement
from hatchway.core.wire import CREDITED, AgentMessage

#: How far ahead of the expected number a message may be.
MAX_AHEAD = 2048
#: Bytes that may wait out of order beyond the window given to the peer.
REORDER_SLACK = 256 * 1024
#: Acknowledgements of single messages that may wait to be sent (original peers).
MAX_ACKS = 4096
#: Seconds an acknowledgement may wait for data to ride on.
ACK_DELAY = 0.025
#: A client's acknowledgement rides on data when it would leave by itself within these seconds: most
#: of those of quick typing are then none of their own. An agent's always rides, with the echo.
RIDES_WITHIN = 0.0125
#: Messages after which an acknowledgement does not wait.
ACK_EVERY = 16


class Fate(Enum):
    """What became of a message that arrived."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    AHEAD = "too far ahead"
    FULL = "no room"


@dataclass(slots=True)
class _Single:
    """One message to acknowledge by itself."""

    sequence: int
    message_id: UUID
    message_type: str


class Inbox:
    """Orders messages and accounts for the credit given to the peer."""

    def __init__(self, window: int, owed: int = 0) -> None:
        """`owed` bytes were delivered for another peer, and are not consumed yet."""
        self._window = window
        self._expected = 0
        self._early: dict[int, AgentMessage] = {}
        self._early_bytes = 0
        self._delivered = 0
        self._consumed = -owed
        self._advertised = window - owed
        self._singles: deque[_Single] = deque()
        self._last: _Single | None = None
        self._unacknowledged = 0
        self._due: float | None = None
        #: Acknowledge cumulatively, with credit: both sides agreed.
        self.extended = False

    @property
    def owed(self) -> int:
        """Bytes that were delivered, and are not consumed yet."""
        return self._delivered - self._consumed

    @property
    def taken(self) -> int:
        """One past the number of the last message that was handed on in its order."""
        return self._expected

    def begin(self, sequence: int) -> None:
        """The peer's first message has this number."""
        self._expected = sequence

    def offer(self, message: AgentMessage, now: float) -> Fate:
        """Takes a message, in any order; only what is TAKEN or a DUPLICATE is acknowledged."""
        if message.sequence < self._expected or message.sequence in self._early:
            self._note(message, now, at_once=True)
            return Fate.DUPLICATE
        if message.sequence - self._expected >= MAX_AHEAD:
            return Fate.AHEAD
        size = len(message.payload)
        # The expected message always finds room: without it nothing could move on.
        crowded = self._early_bytes + size > self._window + REORDER_SLACK
        if crowded and message.sequence != self._expected:
            return Fate.FULL
        self._early[message.sequence] = message
        self._early_bytes += size
        self._note(message, now, at_once=message.sequence != self._expected)
        return Fate.TAKEN

    def in_order(self) -> Iterator[AgentMessage]:
        """The messages whose turn it is. Data of a peer that knows no credit waits here while the
        application does not keep up; a size or a flag never waits."""
        while (message := self._early.get(self._expected)) is not None:
            full = self.owed >= self._window
            if full and not self.extended and message.payload_type in CREDITED:
                return
            del self._early[self._expected]
            self._early_bytes -= len(message.payload)
            self._expected += 1
            yield message

    def delivered(self, size: int) -> bool:
        """Counts data bytes handed to the application; False when the peer exceeds its credit."""
        self._delivered += size
        return not self.extended or self._delivered <= self._advertised

    def consumed(self, size: int) -> None:
        self._consumed = min(self._consumed + size, self._delivered)
        if self.extended and self._limit - self._advertised >= self._window // 4:
            self._due = 0.0

    @property
    def _limit(self) -> int:
        return self._consumed + self._window

    def _single(self) -> Acknowledgement:
        one = self._singles.popleft()
        return Acknowledgement(one.sequence, one.message_id, one.message_type)

    # --- acknowledgements -----------------------------------------------------------------------

    def _note(self, message: AgentMessage, now: float, at_once: bool) -> None:
        single = _Single(message.sequence, message.message_id, message.message_type)
        self._last = single
        if not self.extended:
            if len(self._singles) < MAX_ACKS:
                self._singles.append(single)
            self._due = 0.0
            return
        self._unacknowledged += 1
        wait = 0.0 if at_once or self._unacknowledged >= ACK_EVERY else now + ACK_DELAY
        self._due = wait if self._due is None else min(self._due, wait)

    def announce(self) -> None:
        """Acknowledge at once, though nothing arrived: a new path, or a sign of life."""
        if self.extended:
            self._due = 0.0

    @property
    def due(self) -> float | None:
        """When the next acknowledgement must leave; None when none is owed."""
        return self._due

    def acknowledgements(self, nobody: UUID, limit: int) -> list[Acknowledgement]:
        """What is owed, to be sent now, `limit` at most; `nobody` is the message id where nothing
        arrived yet."""
        singles = [self._single() for _ in range(min(len(self._singles), limit))]
        self._due = 0.0 if self._singles else None
        if not self.extended:
            return singles
        self._unacknowledged = 0
        self._advertised = max(self._advertised, self._limit)
        last = self._last
        return [
            *singles,
            Acknowledgement(
                sequence=self._expected - 1,
                message_id=last.message_id if last else nobody,
                message_type=last.message_type if last else "",
                cumulative=True,
                credit=self._advertised,
                received=tuple(sorted(self._early)[:MAX_RECEIVED]),
            ),
        ]
