"""A whole agent around the fake service, with runners that tests hold in their hands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.api import AgentApi
from agent.clock import ServiceClock
from agent.link import Link, Parts
from agent.log import Level, Log
from agent.order import Order
from agent.ports import Client, Runner, Screen, StartFailed
from tests.unit.agent.fake_service import (
    DOCUMENT,
    EPOCH,
    NODE,
    FakeClient,
    FakeService,
    FakeSession,
)

INSTANCE = "agent-one"
SECRET = "enrolment-secret"


class FakeRunner:
    """Echoes nothing by itself: the test says what it prints and when it ends."""

    def __init__(self) -> None:
        self.screen: Screen | None = None
        self.fed = b""
        self.size: tuple[int, int] | None = None
        self.allowed = 0
        self.killed = self.closed = self.exited = False
        self.fails = False
        self.takes_input = True
        self.client: Client | None = None
        self.input_over = False
        self.signals: list[int] = []

    def start(self, screen: Screen, client: Client) -> None:
        if self.fails:
            raise StartFailed("no shell")
        self.screen, self.client = screen, client

    def end_input(self) -> None:
        self.input_over = True

    def interrupt(self, number: int) -> None:
        self.signals.append(number)

    def feed(self, data: bytes) -> None:
        self.fed += data
        if self.takes_input and self.screen is not None:
            self.screen.consumed(len(data))

    def resize(self, columns: int, rows: int) -> None:
        self.size = columns, rows

    def allow(self, size: int) -> None:
        self.allowed = size

    async def kill(self) -> None:
        self.killed = True
        if self.screen is not None and not self.exited:
            self.exit(129)

    async def close(self) -> None:
        self.closed = True

    def print(self, data: bytes, *, error: bool = False) -> None:
        assert self.screen is not None
        self.screen.output(data, error=error)

    def exit(self, code: int) -> None:
        assert self.screen is not None
        self.exited = True
        self.screen.exited(code)


class Bench:
    """The service, the agent's link, and the runners it made, in order."""

    def __init__(self, service: FakeService, skew: float = 0.0) -> None:
        self.service = service
        self.runners: list[FakeRunner] = []
        self.log: list[dict[str, object]] = []
        self.orders: list[Order] = []
        self.fail_starts = False
        #: Why no runner can be made, or "".
        self.refusal = ""
        loop = asyncio.get_running_loop()
        self.clock = ServiceClock(loop.time, lambda: loop.time() + EPOCH + skew)
        self.api = AgentApi(service.transport, self.clock, NODE, INSTANCE, SECRET)
        self.link = Link(
            Parts(
                api=self.api,
                transport=service.transport,
                clock=self.clock,
                node=NODE,
                instance=INSTANCE,
                platform="Linux",
                random=service.random,
                cipher_of=AESGCM,
                make_runner=self._runner,
                log=Log(Level.DEBUG, lambda line: self.log.append(json.loads(line)), loop.time),
            )
        )

    async def _runner(self, order: Order) -> Runner:
        self.orders.append(order)
        if self.refusal:
            raise StartFailed(self.refusal)
        self.runners.append(FakeRunner())
        self.runners[-1].fails = self.fail_starts
        return self.runners[-1]

    def events(self, name: str) -> list[dict[str, object]]:
        return [record for record in self.log if record["event"] == name]

    async def opened(
        self, number: int = 1, document: str = DOCUMENT, **fields: object
    ) -> tuple[FakeSession, FakeClient, FakeRunner]:
        """A session whose client is attached and whose shell runs."""
        session = self.service.new_session(number, document=document, **fields)
        client = self.service.attach(session)
        self.service.hint(session)
        before = len(self.runners)
        await self.service.until(lambda: client.opened and len(self.runners) > before)
        client.channel.resize(80, 24)
        client.pump()
        runner = self.runners[before]
        await self.service.until(lambda: runner.screen is not None)
        return session, client, runner


@asynccontextmanager
async def agent(skew: float = 0.0, ready: bool = True) -> AsyncIterator[Bench]:
    """A running agent, enrolled and listening unless `ready` is False."""
    bench = Bench(FakeService(), skew)
    task = asyncio.get_running_loop().create_task(bench.link.run())
    try:
        if ready:
            await bench.service.until(lambda: "sessions" in bench.service.calls)
            await bench.service.settle()
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bench.link.close()
