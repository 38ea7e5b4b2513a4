"""What AWS answers to the functions that deliver, done on purpose: throttling, failures, a client
that is gone, and a delivery that succeeds and never arrives. Every byte comes once, in order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import pytest

from hatchway.client.events import Ended
from local.stack import Stack
from tests.edge.proxy import EdgeProxy
from tests.integration.edges import edge_of
from tests.integration.following import client, shell
from tests.integration.functions import dialling
from tests.integration.test_network import Behind

pytestmark = [pytest.mark.stack, pytest.mark.timeout(200)]

#: What the n-th delivery of each twelve is answered with. A function tries a refused one again by
#: itself, so that a single refusal is nothing; twice in a row is a message lost.
FAULTS: Mapping[int, int] = {2: 429, 4: 500, 6: 429, 7: 429, 8: 500, 9: 500, 11: 200}
EVERY = 12


class Deliveries:
    """Answers in AWS's stead to calls whose path has `part` in it."""

    def __init__(self, edge: EdgeProxy, part: str) -> None:
        self._edge, self._part = edge, part
        self.faults: Mapping[int, int] = {}
        self.every = EVERY
        self.asked = 0
        self.answered: Counter[int] = Counter()
        edge.settings.answer = self._answer

    def _answer(self, method: str, path: str) -> tuple[int, str] | None:
        if method != "POST" or self._part not in path:
            return None
        status = self.faults.get(self.asked % self.every)
        self.asked += 1
        if status is None:
            return None
        self.answered[status] += 1
        return status, '{"message": "x"}'


@pytest.fixture(scope="module")
def uploads(stack: Stack) -> Iterator[EdgeProxy]:
    """A proxy before the connections that `uplink` posts to."""
    with edge_of(stack) as edge, dialling(stack, "uplink", "STREAM_MANAGEMENT_URL", edge.port):
        yield edge


@pytest.fixture(scope="module")
def publishes(stack: Stack) -> Iterator[EdgeProxy]:
    """A proxy before the topics that `relay` publishes to."""
    with edge_of(stack) as edge, dialling(stack, "relay", "IOT_DATA_URL", edge.port):
        yield edge


@asynccontextmanager
async def behind(
    stack: Stack, edge: EdgeProxy, part: str
) -> AsyncIterator[tuple[Behind, Deliveries]]:
    deliveries = Deliveries(edge, part)
    async with shell(client(stack)) as follower:
        assert deliveries.asked > 0  # it is really before them
        deliveries.asked = 0
        yield Behind(edge, follower), deliveries
        deliveries.faults = {}


async def test_output_survives_refused_failed_and_vanished_posts(
    stack: Stack, uploads: EdgeProxy
) -> None:
    """429, 500, and a 200 for what went into a dead socket."""
    async with behind(stack, uploads, "/@connections/") as (found, deliveries):
        deliveries.faults = FAULTS
        await found.exchanges()
        assert set(deliveries.answered) == {429, 500, 200}
        found.unharmed()


async def test_a_client_that_api_gateway_knows_no_more_comes_back_and_misses_nothing(
    stack: Stack, uploads: EdgeProxy
) -> None:
    async with behind(stack, uploads, "/@connections/") as (found, deliveries):
        deliveries.faults, deliveries.every = {3: 410}, 10**6  # once
        await found.exchanges()
        assert deliveries.answered == {410: 1}
        assert not [event for event in found.follower.events if isinstance(event, Ended)]


async def test_input_survives_refused_failed_and_vanished_publishes(
    stack: Stack, publishes: EdgeProxy
) -> None:
    """IoT Core throttles, fails, and takes what it never delivers."""
    async with behind(stack, publishes, "/topics/") as (found, deliveries):
        deliveries.faults = FAULTS
        await found.exchanges()
        assert set(deliveries.answered) == {429, 500, 200}
        found.unharmed()
