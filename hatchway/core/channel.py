"""The data channel between client and agent, sans-IO: both ends, one class.

Sequence numbers, acknowledgements, bounded reordering, retransmission, credit, handshake and
liveness are here; sockets, time and randomness are the driver's. The driver

    channel.attach(generation, now)          a path to the peer exists (again)
    events = channel.receive(frames, now)    packed AgentMessages that arrived
    frames = channel.poll(now)               packed AgentMessages to send now, within `budget`
    deadline = channel.next_deadline()       when to poll again though nothing happened
    channel.detach(now)                      the path is gone; nothing is lost

`now` is monotonic seconds. Nothing the peer sends raises: what is malformed is dropped and counted
in `dropped`, what breaks the protocol for good is a `Failed` event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from hatchway.core.wire import FlagValue, PayloadType


class Side(Enum):
    AGENT = "agent"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Opened:
    """The session may begin. On the client `session_type` comes from the handshake and is only
    informative; `message` is the customer message to show."""

    session_type: str = "Standard_Stream"
    properties: Mapping[str, object] = field(default_factory=dict)
    message: str = ""
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes in order: OUTPUT or STDERR on the client, what was typed (OUTPUT) on the agent."""

    data: bytes
    payload_type: PayloadType = PayloadType.OUTPUT


@dataclass(frozen=True, slots=True)
class Resized:
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Flagged:
    value: FlagValue


@dataclass(frozen=True, slots=True)
class Exited:
    """The remote process ended with this status."""

    code: int


@dataclass(frozen=True, slots=True)
class Gap:
    """So many bytes of output were lost at this place, and could not be kept."""

    size: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The service closed the channel (`channel_closed`); `output` says why, or ""."""

    output: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was heard from the peer for `seconds` though an answer was due. Once per silence."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """The peer is heard again after `Silent`."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The channel cannot go on; `code` is a stable error code, `message` safe text."""

    code: str
    message: str


ChannelEvent = (
    Opened | Data | Resized | Flagged | Exited | Gap | Closed | Silent | Heard | Failed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """`epoch` is what to add to `now` for unix seconds; the rest has sensible defaults."""

    epoch: float
    version: str = "1.0.0.0"
    session_type: str = "Standard_Stream"
    properties: Mapping[str, object] = field(default_factory=dict)


class DataChannel:
    """One end of a session's data channel."""

    dropped: Counter[str]

    def __init__(
        self, side: Side, settings: ChannelSettings, random: Callable[[int], bytes]
    ) -> None:
        raise NotImplementedError

    def attach(self, generation: int, now: float) -> None:
        """A path to the peer exists: connection number `generation` of the client."""
        raise NotImplementedError

    def detach(self, now: float) -> None:
        """The path is gone. Unacknowledged messages are kept and sent again after `attach`."""
        raise NotImplementedError

    def receive(self, frames: Iterable[bytes], now: float) -> list[ChannelEvent]:
        """Takes packed messages in any order; what they mean, in order."""
        raise NotImplementedError

    def poll(self, now: float, budget: int = 0) -> list[bytes]:
        """Packed messages to send now: at most `budget` bytes as text (0: one WebSocket message,
        128 KB). Call it when the last ones are on their way: what waits is coalesced."""
        raise NotImplementedError

    def take_events(self) -> list[ChannelEvent]:
        """Events that time brought (Silent, Failed), after `poll`."""
        raise NotImplementedError

    def next_deadline(self) -> float | None:
        """When `poll` has something to do though nothing happens; None: never."""
        raise NotImplementedError

    @property
    def writable(self) -> int:
        """How many bytes `write` takes now; read no more than this from the process or terminal."""
        raise NotImplementedError

    def write(self, data: bytes, payload_type: PayloadType = PayloadType.OUTPUT) -> None:
        """Queues output (agent) or input (client) in order; ValueError beyond `writable`."""
        raise NotImplementedError

    def consumed(self, size: int) -> None:
        """The application took `size` bytes of `Data`: the peer gets credit for as many."""
        raise NotImplementedError

    def resize(self, columns: int, rows: int) -> None:
        """Client: the terminal's size; the last one wins."""
        raise NotImplementedError

    def flag(self, value: FlagValue) -> None:
        """Client: asks the agent to end the session (TERMINATE_SESSION) or a port."""
        raise NotImplementedError

    def exit(self, code: int) -> None:
        """Agent: the process ended; queued behind all output."""
        raise NotImplementedError

    @property
    def opened(self) -> bool:
        """The handshake is done (or the peer is one that has none)."""
        raise NotImplementedError

    @property
    def drained(self) -> bool:
        """All that was written has been acknowledged."""
        raise NotImplementedError
