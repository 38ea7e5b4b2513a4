"""The transport in memory: a function answers the calls, and messages are handed over at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from agent.ports import Answer, Credentials, Listener, Request, Unreachable

Handler = Callable[[Request, Credentials | None], Awaitable[Answer]]


@dataclass(eq=False, slots=True)
class MemoryListening:
    """A push connection; it is up as soon as the loop gets to it, unless the network is down."""

    owner: MemoryTransport
    endpoint: str
    client_id: str
    topic: str
    credentials: Callable[[], Credentials]
    listener: Listener
    closed: bool = False

    async def close(self) -> None:
        self.closed = True
        if self in self.owner.listenings:
            self.owner.listenings.remove(self)


@dataclass(slots=True)
class MemoryTransport:
    """Calls go to `handler`; `publish` reaches those who listen. `connected` is the network."""

    handler: Handler
    connected: bool = True
    listenings: list[MemoryListening] = field(default_factory=list)
    closed: bool = False
    #: Topics that nobody gets through to, though the network is there.
    unreachable: set[str] = field(default_factory=set)

    async def send(
        self, request: Request, credentials: Credentials | None, deadline: float
    ) -> Answer:
        if not self.connected:
            raise Unreachable()
        try:
            async with asyncio.timeout(deadline):
                return await self.handler(request, credentials)
        except TimeoutError:
            raise Unreachable() from None

    def listen(
        self,
        endpoint: str,
        client_id: str,
        topic: str,
        credentials: Callable[[], Credentials],
        listener: Listener,
    ) -> MemoryListening:
        made = MemoryListening(self, endpoint, client_id, topic, credentials, listener)
        self.listenings.append(made)
        if self.connected:
            asyncio.get_running_loop().call_soon(self._up, made)
        return made

    def publish(self, topic: str, payload: bytes) -> int:
        """How many heard it."""
        heard = [one for one in self.listenings if one.topic == topic and self.connected]
        for one in heard:
            one.listener.message(payload)
        return len(heard)

    def cut(self) -> None:
        """The network is gone."""
        self.connected = False
        for one in list(self.listenings):
            one.listener.down("Unreachable")

    def mend(self) -> None:
        """The network is back."""
        self.connected = True
        for one in list(self.listenings):
            self._up(one)

    def clients(self) -> set[str]:
        return {one.client_id for one in self.listenings}

    async def close(self) -> None:
        self.closed = True

    def _up(self, one: MemoryListening) -> None:
        if self.connected and not one.closed and one.topic not in self.unreachable:
            one.listener.up()
