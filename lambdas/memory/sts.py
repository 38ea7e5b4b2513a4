"""Channel credentials in memory."""

from __future__ import annotations

from hatchway.core.errors import HatchwayError
from hatchway.core.names import node_id as checked_node_id
from lambdas.ports import Clock, Credentials

LIFE = 3600.0


class MemoryChannelCredentials:
    """The port ChannelCredentials. `issued` lists (node, policy); set `failure` to refuse."""

    def __init__(self, clock: Clock) -> None:
        self.issued: list[tuple[str, str]] = []
        self.failure: HatchwayError | None = None
        self._clock = clock

    def issue(self, node_id: str, policy: str) -> Credentials:
        if self.failure is not None:
            raise self.failure
        self.issued.append((checked_node_id(node_id), policy))
        return Credentials(
            access_key_id=f"ASIA{len(self.issued):016d}",
            secret_access_key="secret of " + node_id,
            session_token="token of " + node_id,
            expiration=self._clock() + LIFE,
        )
