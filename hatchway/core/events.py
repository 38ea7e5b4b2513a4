"""What a data channel tells its driver, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hatchway.core.wire import FlagValue, PayloadType


@dataclass(frozen=True, slots=True)
class Opened:
    """The session may begin. On the client `session_type` comes from the handshake and is only
    informative; `message` is the customer message to show. On the agent `environment` is what the
    client says of its terminal and language: checked names and values, see `environment`."""

    session_type: str = "Standard_Stream"
    properties: Mapping[str, object] = field(default_factory=dict)
    message: str = ""
    extended: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


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


ChannelEvent = Opened | Data | Resized | Flagged | Exited | Gap | Closed | Silent | Heard | Failed
