"""What AWS does to a session now and then, done on purpose: each time it goes on as if nothing was.

Client and agent reach the embedded AWS through the edge proxy only.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from hatchway.client import Started
from hatchway.client.events import Ended, Lost
from hatchway.client.link import Dialler
from hatchway.client.stream import Patience, Stream
from hatchway.core.channel import KEEPALIVE
from hatchway.core.errors import CredentialsInvalid
from hatchway.net.tls import client_context
from local.stack import Stack
from tests.edge.limits import Limits
from tests.edge.proxy import Cut, EdgeProxy
from tests.edge.tunnel import Kind
from tests.integration.edges import edge_of, node_behind
from tests.integration.following import Follower, client, shell
from tests.integration.sessions import QUIET

pytestmark = [pytest.mark.stack, pytest.mark.timeout(200)]

LINES = 25


@dataclass(frozen=True, slots=True)
class Behind:
    """A shell whose client and agent are behind one proxy."""

    edge: EdgeProxy
    follower: Follower

    async def exchanges(self) -> None:
        """Lines are typed one by one; what each prints comes once, and in order."""
        begin = len(self.follower.output)
        for number in range(LINES):
            await self.follower.enter(f"echo {number} $(({number} * 2))")
            await self.follower.printed(rf"\b{number} {number * 2}\r\n", since=begin)
        printed = bytes(self.follower.output[begin:]).decode().splitlines()
        assert printed == [f"{number} {number * 2}" for number in range(LINES)]

    def unharmed(self) -> None:
        """Nobody was told of anything."""
        assert not [e for e in self.follower.events if isinstance(e, Lost | Ended)]


@pytest.fixture(scope="module")
def network(stack: Stack) -> Iterator[tuple[EdgeProxy, str]]:
    """A proxy, and a node behind it."""
    with edge_of(stack) as edge, node_behind(stack, edge) as node:
        yield edge, node


@asynccontextmanager
async def behind(stack: Stack, network: tuple[EdgeProxy, str]) -> AsyncIterator[Behind]:
    edge, node = network
    edge.counts.clear()
    try:
        async with shell(client(stack, through=edge.port), node) as follower:
            yield Behind(edge, follower)
    finally:
        edge.settings.answer = lambda method, path: None
        for faults in (edge.settings.up, edge.settings.down):
            faults.loss = faults.repeat = 0.0
            faults.delay = (0.0, 0.0)


async def test_messages_that_iot_core_repeats_drops_and_reorders(
    stack: Stack, network: tuple[EdgeProxy, str]
) -> None:
    async with behind(stack, network) as found:
        faults = found.edge.settings.down
        faults.loss, faults.repeat, faults.delay = 0.2, 0.5, (0.0, 0.05)
        await found.exchanges()
        assert found.edge.counts["lost"] > 0
        found.unharmed()


async def test_internal_server_error_is_a_lost_message_and_nothing_else(
    stack: Stack, network: tuple[EdgeProxy, str]
) -> None:
    """API Gateway says so to the client when the function that takes its message fails."""
    async with behind(stack, network) as found:
        found.edge.settings.up.loss = 0.3
        typing = asyncio.create_task(found.exchanges())
        while not typing.done():
            assert found.edge.say('{"message": "Internal server error", "requestId": "x"}') == 1
            await asyncio.wait({typing}, timeout=0.2)
        await typing
        assert found.edge.counts["lost"] > 0
        found.unharmed()


async def test_deliveries_that_are_throttled_or_fail_are_made_again(
    stack: Stack, network: tuple[EdgeProxy, str]
) -> None:
    asked: Counter[str] = Counter()

    def answer(method: str, path: str) -> tuple[int, str] | None:
        if not path.endswith("/frames"):
            return None
        asked["frames"] += 1
        status = {0: 429, 1: 500, 2: 504}.get(asked["frames"] % 5)
        return (status, '{"message": "x"}') if status else None

    async with behind(stack, network) as found:
        found.edge.settings.answer = answer
        await found.exchanges()
        assert found.edge.counts["answered 429"] > 0
        found.unharmed()


async def test_a_client_that_is_said_to_be_gone_comes_back_and_misses_nothing(
    stack: Stack, network: tuple[EdgeProxy, str]
) -> None:
    gone = ['{"__type": "ClientGone", "message": "x"}']

    def answer(method: str, path: str) -> tuple[int, str] | None:
        return (410, gone.pop()) if path.endswith("/frames") and gone else None

    async with behind(stack, network) as found:
        found.edge.settings.answer = answer
        await found.exchanges()
        assert found.edge.counts["answered 410"] == 1
        assert not [event for event in found.follower.events if isinstance(event, Ended)]


async def test_the_end_of_the_agent_s_credentials_is_mended_by_new_ones(
    stack: Stack, network: tuple[EdgeProxy, str]
) -> None:
    valid = False

    def answer(method: str, path: str) -> tuple[int, str] | None:
        nonlocal valid
        valid = valid or path.endswith("/channel")
        expired = "/agent/" in path and not valid
        return (403, '{"message": "The security token is expired"}') if expired else None

    async with behind(stack, network) as found:
        found.edge.settings.answer = answer
        assert found.edge.cut(Cut.FIN, Kind.MQTT) == 2
        await found.exchanges()
        assert valid
        assert found.edge.counts["answered 403"] > 0
        found.unharmed()


# --- limits of one connection -------------------------------------------------------------------


@asynccontextmanager
async def signed_out(stack: Stack, edge: EdgeProxy, patience: Patience) -> AsyncIterator[Follower]:
    """A shell whose client can sign nothing after StartSession: SSO's credentials have expired."""
    john = client(stack, through=edge.port)
    started = await asyncio.to_thread(john.start, stack.demo.node)
    settings = john.settings
    dial = Dialler(client_context(settings.ca_bundle), settings.stream_connect)

    async def resume() -> Started:
        raise CredentialsInvalid()

    try:
        async with Follower(Stream(started, dial, resume, patience=patience)) as follower:
            follower.stream.resize(80, 24)
            await follower.enter(QUIET + "echo qu''iet")
            await follower.printed(r"quiet\r\n")
            yield follower
    finally:
        await asyncio.to_thread(client(stack).terminate, started.session_id)


async def test_connections_are_changed_before_their_life_ends_though_nothing_can_be_signed(
    stack: Stack,
) -> None:
    life = 4.0  # in place of two hours
    with edge_of(stack) as edge:
        edge.settings.limits = replace(Limits(), life=life)
        patience = Patience(change=life / 4, change_again=life / 8)
        async with signed_out(stack, edge, patience) as follower:
            begin = len(follower.output)
            await follower.enter("for i in $(seq 100); do echo $i; sleep 0.1; done")
            last = await follower.printed(r"\b100\r\n", since=begin)
            printed = bytes(follower.output[begin : last.end()]).decode().splitlines()
            assert printed == [str(number) for number in range(1, 101)]
            assert not [e for e in follower.events if isinstance(e, Lost | Ended)]
        assert edge.counts["tunnel stream"] >= 10.0 / life
        assert edge.counts["closed 1001"] == 0


@pytest.mark.slow
async def test_a_session_in_which_nothing_happens_is_not_idle_to_api_gateway(
    stack: Stack,
) -> None:
    idle = KEEPALIVE + 3.0  # in place of ten minutes
    with edge_of(stack) as edge:
        edge.settings.limits = replace(Limits(), idle=idle)
        async with shell(client(stack, through=edge.port)) as follower:
            await asyncio.sleep(idle + 2.0)  # the length of what it has to outlast
            assert not [e for e in follower.events if isinstance(e, Lost | Ended)]
            await follower.enter("echo still th''ere")
            await follower.printed(r"still there\r\n")
        assert edge.counts["closed 1001"] == 0
