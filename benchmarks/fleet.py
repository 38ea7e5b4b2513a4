"""Many nodes' agents in one process and in virtual time, against a service with AWS's limits."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.api import AgentApi
from agent.clock import ServiceClock
from agent.link import Link, Parts
from agent.log import Level, Log
from agent.order import Order
from agent.ports import Answer, Credentials, Listener, Request, Runner, StartFailed
from agent.transport.memory import MemoryListening, MemoryTransport
from lambdas.memory.clock import CountedRandom

EPOCH = 1_800_000_000.0
LIFE = 3600.0
#: A new account's Lambda concurrency, STS calls a second, and IoT connects a second.
CONCURRENCY, ISSUES, CONNECTS = 10, 600.0, 500.0
#: EC2's calls of DescribeInstances: so many at once, then so many a second. Each node that enrols
#: is described, as if no function remembered it.
DESCRIBES, DESCRIBE_BURST = 20.0, 50.0
#: Seconds of an invocation of `channel`, and of a listing.
CHANNEL_TIME, LIST_TIME = 0.15, 0.03


@dataclass(slots=True)
class Rate:
    """Turns at a steady rate: when the next one is."""

    a_second: float
    _next: float = 0.0

    def turn(self, now: float) -> float:
        """Seconds until this one's turn."""
        at = max(now, self._next)
        self._next = at + 1 / self.a_second
        return at - now


@dataclass(slots=True)
class Bucket:
    """A token bucket: calls beyond it are refused."""

    a_second: float
    burst: float
    _left: float = field(init=False)
    _at: float = 0.0

    def __post_init__(self) -> None:
        self._left = self.burst

    def take(self, now: float) -> bool:
        self._left = min(self.burst, self._left + (now - self._at) * self.a_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True)
class Limits:
    """The service that all nodes share. `concurrency` 0 stands for no limit."""

    concurrency: int = 0
    running: int = 0
    most: int = 0
    issues: Rate = field(default_factory=lambda: Rate(ISSUES))
    connects: Rate = field(default_factory=lambda: Rate(CONNECTS))
    describes: Bucket = field(default_factory=lambda: Bucket(DESCRIBES, DESCRIBE_BURST))
    calls: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: Request, _credentials: Credentials | None) -> Answer:
        """One call: 429 beyond the concurrency, as API Gateway answers for a throttled function."""
        route = request.path.rpartition("/")[2]
        self.calls[route] += 1
        if self.concurrency and self.running >= self.concurrency:
            self.calls["throttled"] += 1
            return Answer(429)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await self._serve(route)
        finally:
            self.running -= 1

    async def _serve(self, route: str) -> Answer:
        now = asyncio.get_running_loop().time()
        if route == "channel":
            if self.concurrency and not self.describes.take(now):
                self.calls["refused by EC2"] += 1
                return Answer(429)
            await asyncio.sleep(CHANNEL_TIME + self.issues.turn(now))
            return Answer(200, json.dumps(_channel(now + EPOCH)).encode())
        await asyncio.sleep(LIST_TIME)
        return Answer(200, json.dumps({"Sessions": [], "ServerTime": now + EPOCH}).encode())


def _channel(now: float) -> dict[str, object]:
    return {
        "Credentials": {
            "AccessKeyId": "ASIAEXAMPLE",
            "SecretAccessKey": "secret",
            "SessionToken": "token",
            "Expiration": now + LIFE,
        },
        "IotEndpoint": "data.iot.invalid",
        "Stage": "bench",
        "ServerTime": now,
    }


class _Transport(MemoryTransport):
    """Push connections come up when IoT Core lets them."""

    limits: Limits

    def listen(
        self,
        endpoint: str,
        client_id: str,
        topic: str,
        credentials: Callable[[], Credentials],
        listener: Listener,
    ) -> MemoryListening:
        made = MemoryListening(self, endpoint, client_id, topic, credentials, listener)
        loop = asyncio.get_running_loop()
        loop.call_later(self.limits.connects.turn(loop.time()), self._connected, made)
        return made

    def _connected(self, made: MemoryListening) -> None:
        self.listenings.append(made)
        made.listener.up()


class Fleet:
    """Agents that start at once."""

    def __init__(self, size: int, limits: Limits) -> None:
        self.limits = limits
        self._transports: list[_Transport] = []
        self._links: list[Link] = []
        self._tasks: list[asyncio.Task[None]] = []
        for number in range(size):
            self._start(number)

    @property
    def online(self) -> int:
        return sum(bool(transport.listenings) for transport in self._transports)

    async def until_online(self, share: float = 1.0) -> float:
        """Virtual seconds until so many of them are."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while self.online < share * len(self._transports):  # noqa: ASYNC110  # virtual time
            await asyncio.sleep(0.1)
        return loop.time() - begun

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in self._links:
            await link.close()

    def _start(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        transport = _Transport(self.limits.answer)
        transport.limits = self.limits
        clock = ServiceClock(loop.time, lambda: loop.time() + EPOCH)
        node = f"i-{number:017x}"
        link = Link(
            Parts(
                api=AgentApi(transport, clock, node, "agent", "secret"),
                transport=transport,
                clock=clock,
                node=node,
                instance="agent",
                platform="Linux",
                random=CountedRandom(node),
                cipher_of=AESGCM,
                make_runner=_nothing_to_run,
                log=Log(Level.ERROR, lambda line: None),
            )
        )
        self._transports.append(transport)
        self._links.append(link)
        self._tasks.append(loop.create_task(link.run()))


async def _nothing_to_run(_order: Order) -> Runner:
    raise StartFailed()
