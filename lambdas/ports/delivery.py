"""Ways to clients, nodes and the event bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Clients(Protocol):
    """API Gateway's @connections."""

    def post(self, connection: str, text: str) -> bool:
        """False when the connection is gone (410); ThrottlingException on 429."""
        ...

    def close(self, connection: str, young: bool = False) -> None:
        """Closes it; silent when it is gone already. `young` says that `$connect` may not have
        returned, and that long the connection looks gone: it is tried again for two seconds."""
        ...


class Downlink(Protocol):
    """IoT Core, towards a node."""

    def hint(self, node_id: str, session_id: str) -> None:
        """A hint on the control topic; a failure is logged, never raised: hints may be lost."""
        ...

    def data(self, node_id: str, session_id: str, sealed: bytes) -> None: ...


class EventBus(Protocol):
    """EventBridge."""

    def put(self, detail_type: str, detail: Mapping[str, object], time: float) -> None: ...


class Notices(Protocol):
    """A topic that people are subscribed to."""

    def publish(self, subject: str, text: str) -> None:
        """A subject of at most 99 ASCII characters, and the text as people read it."""
        ...
