"""What this node says of its terminal, where what is typed is recorded: which bytes it echoed.

A report rides with whatever is uploaded next; the relay records it, and gives it to nobody. Each
tells again what earlier ones told, so that one that is lost costs nothing.
"""

from __future__ import annotations

from collections import deque
from uuid import UUID

from agent.clock import ServiceClock
from agent.ports import Random
from hatchway.core.transcript.hidden import EchoLog, pack_report
from hatchway.core.wire import AgentMessage, MessageType, pack

#: The longest report, as text.
MAX_REPORT_TEXT = 8 * 1024


class EchoReports:
    """Follows what was typed, from the client to the terminal. Without `wanted` it does nothing."""

    def __init__(self, wanted: bool, clock: ServiceClock, random: Random) -> None:
        self._wanted, self._clock, self._random = wanted, clock, random
        self._log = EchoLog()
        #: Of bytes that are on their way to the terminal: whose they are, and how many.
        self._typed: deque[tuple[str, int]] = deque()
        self._news = False

    def typed(self, client: str, size: int) -> None:
        """So many bytes of this client's input are to reach the terminal."""
        if self._wanted and size:
            self._typed.append((client, size))

    def fed(self, size: int, *, echo: bool) -> None:
        """The next bytes reached it (or nobody, who echoes nothing)."""
        while size > 0 and self._typed:
            client, left = self._typed.popleft()
            step = min(size, left)
            if left > step:
                self._typed.appendleft((client, left - step))
            self._log.fed(client, step, echo)
            size -= step
            self._news = True

    def report(self) -> list[bytes]:
        """What to upload besides: a packed message where there is news."""
        if not self._news:
            return []
        self._news = False
        message = AgentMessage(
            message_type=MessageType.AGENT_SESSION_STATE,
            sequence=0,
            message_id=UUID(bytes=self._random(16), version=4),
            created=max(1, int(self._clock.unix() * 1000)),
            payload=pack_report(self._log.report()),
        )
        return [pack(message)]

    @property
    def room(self) -> int:
        """Bytes of text to leave for a report."""
        return MAX_REPORT_TEXT if self._news else 0

    def lost(self) -> None:
        """An upload failed, and perhaps a report with it."""
        self._news = self._wanted and bool(self._log.report().stretches)
