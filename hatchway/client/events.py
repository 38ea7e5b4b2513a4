"""What a stream tells its caller: the channel's events, and what becomes of the connection."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.channel import ChannelEvent
from hatchway.core.errors import HatchwayError


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is gone; it is being restored."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt to restore it failed with this error; others follow."""

    error: HatchwayError


@dataclass(frozen=True, slots=True)
class Restored:
    """The connection is back; nothing that was typed or printed is lost."""


@dataclass(frozen=True, slots=True)
class NodePresence:
    """The service says that the node's agent went away, or came back."""

    online: bool


@dataclass(frozen=True, slots=True)
class AccessEnding:
    """The permission that the session was started with ends in so many seconds, and then it."""

    seconds: int


@dataclass(frozen=True, slots=True)
class TimeEnding:
    """A limit of the session is near: of idle time, which any key begins anew, or of duration."""

    seconds: int
    idle: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event. `exit_code` is the remote process's where it is known; `error` why the
    stream ended where that was not the session's own end."""

    exit_code: int | None = None
    reason: str = ""
    error: HatchwayError | None = None


StreamEvent = (
    ChannelEvent | Lost | Retrying | Restored | NodePresence | AccessEnding | TimeEnding | Ended
)
