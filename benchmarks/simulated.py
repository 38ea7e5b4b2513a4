"""A session in virtual time: the real client stream and agent session over the metered service.

Its network takes as long as AWS's does, roughly; what comes together travels together as it would.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.activity import Marks
from agent.api import AgentApi, Opened, Pass
from agent.clock import ServiceClock
from agent.drops import Drops
from agent.facilities import Facilities, Reason
from agent.log import Level, Log
from agent.order import Order
from agent.ports import Answer, Client, Credentials, Request, Runner, Screen
from agent.session import Session
from agent.transport.memory import MemoryTransport
from benchmarks.metered import CHANNEL_ROLE, NODE, SESSION, STAGE, MeteredService
from hatchway.client.backoff import Backoff
from hatchway.client.records import Started
from hatchway.client.spare import FIRST
from hatchway.client.stream import Stream
from hatchway.core.channel import Data
from hatchway.core.channel import Opened as ChannelOpened
from hatchway.core.errors import SessionEnded
from hatchway.core.names import Topics
from lambdas.memory.clock import CountedRandom

#: Seconds from client to agent, of an upload's whole round trip, and of it until the client has it.
DOWN, UPLOAD, UP = 0.045, 0.060, 0.040
UNLIMITED = 1_000_000
#: Unix seconds at the loop's zero.
EPOCH = 1_800_000_000.0
#: The session document where what is typed is recorded.
TYPED = '{"inputs":{"hatchway":{"recordInput":true}}}'
#: Bytes that a terminal gives at once, and a second.
CHUNK, SPEED = 4096, 50e6


class Typist:
    """A Runner that echoes what is typed, and prints on demand as fast as it may."""

    def __init__(self) -> None:
        self._screen: Screen | None = None
        self._allowed = 0
        self._to_print = memoryview(b"")
        self._going = False

    def start(self, screen: Screen, client: Client) -> None:
        self._screen = screen

    def feed(self, data: bytes) -> None:
        assert self._screen is not None
        self._screen.consumed(len(data))
        self._screen.output(data)

    def end_input(self) -> None:
        return

    def interrupt(self, number: int) -> None:
        return

    def resize(self, columns: int, rows: int) -> None:
        return

    def allow(self, size: int) -> None:
        self._allowed = size
        self._go_soon()

    def print(self, data: bytes) -> None:
        self._to_print = memoryview(data)
        self._go_soon()

    def _go_soon(self) -> None:
        if self._to_print and self._allowed and not self._going:
            self._going = True
            asyncio.get_running_loop().call_later(CHUNK / SPEED, self._go_on)

    def _go_on(self) -> None:
        assert self._screen is not None
        self._going = False
        size = min(CHUNK, self._allowed, len(self._to_print))
        if size > 0:
            self._allowed -= size
            piece, self._to_print = bytes(self._to_print[:size]), self._to_print[size:]
            self._screen.output(piece)
        self._go_soon()

    async def kill(self) -> None:
        return

    async def close(self) -> None:
        return


class _Link:
    """The client's connection."""

    def __init__(self, service: MeteredService) -> None:
        self._service = service
        self._down: asyncio.Queue[str | None] = asyncio.Queue()
        service.to_client = self._soon

    def _soon(self, text: str) -> None:
        asyncio.get_running_loop().call_later(UP, self._down.put_nowait, text)

    async def send(self, text: str) -> None:
        asyncio.get_running_loop().call_later(DOWN / 2, self._service.from_client, text)

    async def receive(self) -> str | None:
        return await self._down.get()

    async def answers(self, seconds: float) -> bool:
        return True

    async def close(self) -> None:
        return


class Conversation:
    """Both ends, open."""

    def __init__(self, stream: Stream, typist: Typist) -> None:
        self._stream, self._typist = stream, typist

    async def press(self, keys: int, every: float) -> None:
        """Types at a steady pace, whatever the echo does."""
        loop = asyncio.get_running_loop()
        echo = loop.create_task(self._take(keys))
        for number in range(keys):
            await self._stream.write(b"x")
            if number + 1 < keys:
                await asyncio.sleep(every)
        await echo

    async def print(self, data: bytes) -> None:
        self._typist.print(data)
        await self._take(len(data))

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _take(self, size: int) -> None:
        while size > 0:
            event = await self._stream.next()
            if isinstance(event, Data):
                self._stream.consumed(len(event.data))
                size -= len(event.data)


@asynccontextmanager
async def conversation(
    seconds: float, gate: asyncio.Semaphore | None = None, *, typed: bool = False
) -> AsyncIterator[tuple[Conversation, MeteredService]]:
    """A session that is open; `seconds` is what an invocation is billed for, `gate` lets in as
    many uploads at once as the service takes. `typed`: what is typed is recorded as well."""
    loop = asyncio.get_running_loop()
    random = CountedRandom()
    service = MeteredService(lambda: loop.time() + EPOCH, random, seconds, typed=typed)
    typist = Typist()

    gate = gate or asyncio.Semaphore(UNLIMITED)

    async def answer(request: Request, _credentials: Credentials | None) -> Answer:
        async with gate:
            await asyncio.sleep(UPLOAD - UP)
        ticket = dict(request.headers).get("X-Hatchway-Ticket", "")
        route = request.path.rpartition("/")[2]
        answered = service.from_agent(route, request.body.decode(), ticket)
        await asyncio.sleep(UP)
        return Answer(answered.status, answered.body)

    transport = MemoryTransport(answer)
    topics = Topics(STAGE, NODE)

    def to_node(sealed: bytes) -> None:
        loop.call_later(DOWN / 2, transport.publish, topics.data(SESSION), sealed)

    service.to_node = to_node
    facilities = _facilities(transport, topics, random, typist)
    first = await _first(facilities.api)
    session = Session(SESSION, Opened(TYPED if typed else "{}", first), facilities)
    running = loop.create_task(session.run())

    async def dial(_started: Started) -> _Link:
        return _Link(service)

    async def resume() -> Started:
        raise SessionEnded()

    started = Started(session_id=SESSION, stream_url="wss://bench.invalid", token="none")
    steady = Backoff(lambda: 0.5)  # the spare token's renewals are at random otherwise
    async with Stream(started, dial, resume, backoff=steady, clock=loop.time) as stream:
        stream.resize(80, 24)
        while not isinstance(await stream.next(), ChannelOpened):
            continue
        await asyncio.sleep(FIRST + 1.0)  # what the opening still owes
        service.meter.take()
        yield Conversation(stream, typist), service
    running.cancel()
    session.stop(Reason.STOPPING)
    await asyncio.gather(running, return_exceptions=True)


async def _first(api: AgentApi) -> Pass:
    return await api.ticket(SESSION, Marks())


def _facilities(
    transport: MemoryTransport, topics: Topics, random: CountedRandom, typist: Typist
) -> Facilities:
    loop = asyncio.get_running_loop()
    clock = ServiceClock(loop.time, lambda: loop.time() + EPOCH)
    log = Log(Level.ERROR)
    api = AgentApi(transport, clock, NODE, "agent", "secret")
    api.credentials = Credentials(CHANNEL_ROLE, "secret")

    async def make_runner(_order: Order) -> Runner:
        return typist

    return Facilities(
        api=api,
        transport=transport,
        clock=clock,
        topics=topics,
        endpoint="bench",
        credentials=lambda: Credentials(CHANNEL_ROLE, "secret"),
        random=random,
        cipher_of=AESGCM,
        make_runner=make_runner,
        drops=Drops(api.report, log),
        log=log,
    )
