"""What fails, and by when the service promises to have noticed.

The promises take up to two minutes, so all of them are put to the test at the same time, once
(`outcomes`); each test then reports its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest

from hatchway.client import Hatchway
from hatchway.client.events import Ended, Lost, NodePresence, Restored
from hatchway.core.channel import Silent
from local import agents, processes
from local.stack import Stack
from tests.edge.proxy import Cut
from tests.edge.tunnel import Kind
from tests.integration.edges import another_node, edge_of, node_behind
from tests.integration.following import Follower, asked, client, in_status, shell

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]

#: Seconds, as promised.
TOLD_OF_A_KILL, TOLD_OF_SILENCE = 15.0, 45.0
NODE_OFFLINE, SESSION_ENDED = 90.0, 120.0
CUT_NOTICED, SILENCE_NOTICED = 15.0, 45.0
#: Seconds that an agent's network is away and no session suffers; after SECOND_LOOK the service has
#: looked whether it is back.
AWAY, SECOND_LOOK = 25.0, 75.0
#: Lines that a shell prints while its client is away, and the seconds between them.
LINES, GAP = 400, 0.02


@dataclass(frozen=True, slots=True)
class Since:
    """Deadlines that begin at one moment."""

    moment: float

    @classmethod
    def now(cls) -> Since:
        return cls(time.monotonic())

    def left(self, seconds: float) -> float:
        return max(0.0, self.moment + seconds - time.monotonic())


# --- a node is lost -----------------------------------------------------------------------------


async def agent_killed(stack: Stack) -> None:
    john = client(stack)
    with another_node(stack) as node:
        async with shell(john, node) as follower:
            process = processes.recorded(agents.record(stack.places, node))
            assert process is not None
            since = Since.now()
            await asyncio.to_thread(processes.kill, process)
            await lost_node_is_noticed(john, node, follower, since, TOLD_OF_A_KILL)


async def agent_silent(stack: Stack) -> None:
    john = client(stack)
    with edge_of(stack) as edge, node_behind(stack, edge) as node:
        async with shell(john, node) as follower:
            since = Since.now()
            edge.mute()
            await lost_node_is_noticed(john, node, follower, since, TOLD_OF_SILENCE)


async def lost_node_is_noticed(
    john: Hatchway, node: str, follower: Follower, since: Since, told: float
) -> None:
    news = await follower.told(NodePresence, Silent, seconds=since.left(told))
    assert news != NodePresence(online=True)
    left = since.left(NODE_OFFLINE)
    await asked(lambda: not john.connected(node) or None, left, f"{node} offline")
    record = await in_status(
        john, follower.session_id, "Terminated", seconds=since.left(SESSION_ENDED)
    )
    assert record.end_reason == "node lost"
    await follower.told(Ended)


async def agent_cut_and_back(stack: Stack) -> None:
    """The service notices at once, and has looked again by the end: the session goes on."""
    john = client(stack)
    with edge_of(stack) as edge, node_behind(stack, edge) as node:
        async with shell(john, node) as follower:
            await follower.enter("kept=value-$$; echo no''ted")
            await follower.printed(r"noted\r\n")
            since = Since.now()
            edge.refuse()
            assert edge.cut(Cut.RST) > 0
            edge.mute()
            assert await follower.told(NodePresence, seconds=AWAY) == NodePresence(online=False)
            await follower.enter("echo $kept typed while aw''ay")
            await asyncio.sleep(since.left(AWAY))  # the length of what it has to outlast
            edge.mute(False)
            edge.refuse(False)
            await follower.printed(r"value-\d+ typed while away\r\n")
            await asked(lambda: john.connected(node) or None, since.left(SECOND_LOOK), "back")
            # The table knows before the client is told.
            away = follower.events.index(NodePresence(online=False))
            news = await follower.told(
                NodePresence, seconds=since.left(SECOND_LOOK), since=away + 1
            )
            assert news == NodePresence(online=True)
            await asyncio.sleep(since.left(SECOND_LOOK))
            await follower.enter("echo $kept go''es on")
            await follower.printed(r"value-\d+ goes on\r\n")
            await in_status(john, follower.session_id, "Connected")
            assert not [event for event in follower.events if isinstance(event, Ended)]


# --- a client is cut off ------------------------------------------------------------------------


async def client_cut(stack: Stack, how: Cut, noticed: float) -> None:
    """The session waits for its client; when the network lets it, the client is back by itself,
    and nothing that was printed or typed meanwhile is lost, repeated or out of order."""
    with edge_of(stack) as edge:
        john = client(stack, through=edge.port)
        async with shell(john) as follower:
            begin = len(follower.output)
            await follower.enter(f"for i in $(seq {LINES}); do echo $$ $i; sleep {GAP}; done")
            first = await follower.printed(r"(\d+) 1\r\n", since=begin)
            edge.refuse()
            since = Since.now()
            assert edge.cut(how, Kind.STREAM) == 1
            left = since.left(noticed)
            await in_status(john, follower.session_id, "Disconnected", seconds=left)
            await follower.told(Lost)
            await follower.enter("echo $$ typed while away")
            edge.refuse(False)
            await follower.told(Restored)
            last = await follower.printed(r"\d+ typed while away\r\n", since=begin)
            printed = bytes(follower.output[begin : last.end()]).decode().splitlines()
            expected = [*range(1, LINES + 1), "typed while away"]
            assert printed == [f"{first[1].decode()} {text}" for text in expected]
            await in_status(john, follower.session_id, "Connected")


# --- all at once --------------------------------------------------------------------------------

Scenario = Callable[[Stack], Awaitable[None]]

SCENARIOS: Mapping[str, Scenario] = {
    "killed": agent_killed,
    "silent": agent_silent,
    "away": agent_cut_and_back,
    "FIN": lambda stack: client_cut(stack, Cut.FIN, CUT_NOTICED),
    "RST": lambda stack: client_cut(stack, Cut.RST, CUT_NOTICED),
    "dropped": lambda stack: client_cut(stack, Cut.SILENT, SILENCE_NOTICED),
}


@pytest.fixture(scope="module")
def outcomes(stack: Stack) -> Mapping[str, BaseException | None]:
    """What became of each scenario."""

    async def run() -> list[BaseException | None]:
        running = (scenario(stack) for scenario in SCENARIOS.values())
        return await asyncio.gather(*running, return_exceptions=True)

    return dict(zip(SCENARIOS, asyncio.run(run()), strict=True))


def held(outcomes: Mapping[str, BaseException | None], name: str) -> None:
    if (error := outcomes[name]) is not None:
        raise error


def test_a_killed_agent_is_told_in_15_s_offline_in_90_s_and_its_session_over_in_2_min(
    outcomes: Mapping[str, BaseException | None],
) -> None:
    held(outcomes, "killed")


def test_a_silent_agent_is_told_in_45_s_offline_in_90_s_and_its_session_over_in_2_min(
    outcomes: Mapping[str, BaseException | None],
) -> None:
    held(outcomes, "silent")


def test_an_agent_that_is_away_for_25_s_keeps_its_sessions(
    outcomes: Mapping[str, BaseException | None],
) -> None:
    held(outcomes, "away")


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_a_cut_client_is_noticed_in_15_s_and_goes_on_where_it_was(
    outcomes: Mapping[str, BaseException | None], how: str
) -> None:
    held(outcomes, how)


def test_a_silently_dropped_client_is_noticed_in_45_s_and_goes_on_where_it_was(
    outcomes: Mapping[str, BaseException | None],
) -> None:
    held(outcomes, "dropped")
