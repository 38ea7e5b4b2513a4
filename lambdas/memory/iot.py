"""IoT Core in memory: hints and data towards nodes, and connections thrown out."""

from __future__ import annotations

from collections.abc import Callable

from hatchway.core.errors import HatchwayError, PayloadTooLarge

#: IoT Core takes 128 KB.
MAX_PAYLOAD = 128 * 1024


class MemoryDownlink:
    """The port Downlink. `hints` are (node, session), `sent` (node, session, sealed bytes).

    Set `failure` to have data refused; a hint is then lost without a word, as on AWS.
    `on_data` and `on_hint`, where set, are called as an agent's subscription would be.
    """

    def __init__(self) -> None:
        self.hints: list[tuple[str, str]] = []
        self.sent: list[tuple[str, str, bytes]] = []
        self.failure: HatchwayError | None = None
        self.on_hint: Callable[[str, str], None] | None = None
        self.on_data: Callable[[str, str, bytes], None] | None = None

    def hint(self, node_id: str, session_id: str) -> None:
        if self.failure is not None:
            return
        self.hints.append((node_id, session_id))
        if self.on_hint is not None:
            self.on_hint(node_id, session_id)

    def data(self, node_id: str, session_id: str, sealed: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        if len(sealed) > MAX_PAYLOAD:
            raise PayloadTooLarge()
        self.sent.append((node_id, session_id, sealed))
        if self.on_data is not None:
            self.on_data(node_id, session_id, sealed)


class MemoryPresence:
    """The port Presence. `disconnected` lists the client ids thrown out, in order; set `failure`
    to have that refused."""

    def __init__(self, endpoint: str = "data.iot.invalid") -> None:
        self.disconnected: list[str] = []
        self.failure: HatchwayError | None = None
        self._endpoint = endpoint

    def disconnect(self, client_id: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.disconnected.append(client_id)

    def endpoint(self) -> str:
        return self._endpoint
