"""Lifecycle tokens and connections in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hatchway.core.names import Owner
from lambdas.ports import LifecycleConnection, LifecycleToken, Stale


class MemoryLifecycle:
    """The port LifecycleConnections."""

    def __init__(self) -> None:
        self.tokens: dict[str, LifecycleToken] = {}
        self.connections: dict[str, LifecycleConnection] = {}

    def issue(self, token: LifecycleToken) -> None:
        if token.digest in self.tokens:
            raise Stale()
        self.tokens[token.digest] = token

    def use(self, digest: str, connection: str, now: float) -> LifecycleToken | None:
        if not connection:
            raise ValueError("a token is bound to a connection")
        token = self.tokens.get(digest)
        if token is None or token.expires <= now or token.connection not in ("", connection):
            return None
        self.tokens[digest] = replace(token, connection=connection)
        return self.tokens[digest]

    def open(self, connection: LifecycleConnection) -> None:
        self.connections[connection.connection] = connection

    def close(self, connection: str) -> None:
        self.connections.pop(connection, None)

    def of(self, owner: Owner, now: float, most: int) -> Sequence[LifecycleConnection]:
        return [c for c in self._sorted() if c.owner == owner and c.expires > now][:most]

    def due(self, now: float, most: int) -> Sequence[LifecycleConnection]:
        return [c for c in self._sorted() if c.expires <= now][:most]

    def _sorted(self) -> list[LifecycleConnection]:
        return sorted(self.connections.values(), key=lambda c: (c.expires, c.connection))
