"""A connection that answers nothing is given up when another one can be opened, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hatchway.client.pulse import ANSWER, AWAY, MAX_STALL, STALL, Pulse
from hatchway.core.errors import ServiceUnreachable
from tests.unit.agent.virtual_time import run
from tests.unit.client.memory import MemoryLink

pytestmark = pytest.mark.timeout(30)


class Silent(MemoryLink):
    """Answers no ping while `dead`."""

    def __init__(self) -> None:
        super().__init__()
        self.dead, self.asked, self.asked_at = True, 0, 0.0
        self.begin = asyncio.get_running_loop().time()

    async def answers(self, seconds: float) -> bool:
        self.asked += 1
        self.asked_at = asyncio.get_running_loop().time() - self.begin
        if self.dead:
            await asyncio.sleep(seconds)
        return not self.dead


class Network:
    """`back` is when a connection can be opened, in seconds from the beginning."""

    def __init__(self, back: float = 0.0) -> None:
        self.loop = asyncio.get_running_loop()
        self.begin, self.back, self.asked = self.loop.time(), back, 0
        self.waiting = True
        self.pulse = Pulse(lambda: self.waiting, self.reach, self.loop.time)
        self.link = Silent()

    @property
    def now(self) -> float:
        return self.loop.time() - self.begin

    async def reach(self) -> None:
        self.asked += 1
        if self.back - self.now > 10:
            await asyncio.sleep(10)
            raise ServiceUnreachable
        await asyncio.sleep(max(0.0, self.back - self.now))

    async def given_up(self, within: float) -> float | None:
        """When the connection was given up; None where it was not."""
        try:
            async with asyncio.timeout(within):
                await self.pulse.gone(self.link)
        except TimeoutError:
            return None
        return self.now


Test = Callable[[Network], Awaitable[None]]


def check(test: Test, back: float = 0.0) -> None:
    async def go() -> None:
        await test(Network(back))

    run(go())


@pytest.mark.parametrize("back", [STALL + ANSWER + AWAY, 10.0, 40.0])
def test_a_dead_connection_is_given_up_when_the_network_is_back(back: float) -> None:
    async def test(network: Network) -> None:
        network.pulse.sent()
        when = await network.given_up(100)
        assert when is not None
        assert when == pytest.approx(back)

    check(test, back)


@pytest.mark.parametrize("back", [0.0, 3.0, STALL + ANSWER + AWAY - 0.1])
def test_a_service_that_is_slow_is_not_given_up_while_it_can_be_reached(back: float) -> None:
    """Whatever it is, one more connection would be more of it."""

    async def test(network: Network) -> None:
        network.pulse.sent()
        assert await network.given_up(1000) is None
        assert network.asked == 1

    check(test, back)


def test_where_nothing_was_sent_nothing_is_asked() -> None:
    async def test(network: Network) -> None:
        assert await network.given_up(1000) is None
        assert (network.link.asked, network.asked) == (0, 0)

    check(test)


def test_what_was_acknowledged_is_no_sign_of_death() -> None:
    async def test(network: Network) -> None:
        network.pulse.sent()
        network.waiting = False
        assert await network.given_up(1000) is None
        assert (network.link.asked, network.asked) == (0, 0)

    check(test)


def test_one_word_within_the_time_is_enough() -> None:
    async def test(network: Network) -> None:
        network.pulse.sent()
        asyncio.get_running_loop().call_later(STALL - 0.1, network.pulse.heard)
        assert await network.given_up(1000) is None
        assert network.link.asked == 0

    check(test)


def test_a_connection_that_answers_stays_however_silent_the_node() -> None:
    async def test(network: Network) -> None:
        network.link.dead = False
        network.pulse.sent()
        assert await network.given_up(1000) is None
        assert (network.link.asked, network.asked) == (1, 0)

    check(test)


def test_one_that_comes_back_by_itself_stays() -> None:
    async def test(network: Network) -> None:
        network.pulse.sent()
        asyncio.get_running_loop().call_later(19.9, network.pulse.heard)
        assert await network.given_up(1000) is None

    check(test, back=20.0)


def test_where_giving_up_was_too_soon_the_next_connection_has_more_time() -> None:
    async def test(network: Network) -> None:
        spent = list[float]()
        for _ in range(6):
            spent.append(await patience(network))
        assert spent == pytest.approx([min(STALL * 2**n, MAX_STALL) for n in range(6)])
        network.pulse.heard()
        assert await patience(network) == pytest.approx(STALL)

    check(test)


async def patience(network: Network) -> float:
    """Seconds of silence until a connection is asked whether it lives."""
    network.pulse.sent()
    begin, network.back = network.now, network.now + 100
    assert await network.given_up(200) is not None
    return network.link.asked_at - begin
