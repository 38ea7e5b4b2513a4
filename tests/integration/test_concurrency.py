"""Many sessions at once, on one node and on several: nothing mixed up, nothing lost."""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack

import pytest

from hatchway.client import Hatchway
from hatchway.client.events import Ended
from local.identities import JOHN
from local.stack import Stack
from tests.integration.edges import another_node
from tests.integration.following import PATIENCE, client, in_status, shell

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

#: Bytes that each session sends, and gets back.
SIZE = 200 * 1024
#: Seconds until all of a session's bytes must be back, with all the others on the same machine.
ECHOED = 3 * PATIENCE
SESSIONS, NODES = 20, 5


async def echo_of_its_own(hatchway: Hatchway, node: str, number: int) -> str:
    """One session that echoes bytes of its own, all 256 values, and leaves with its own status."""
    data = random.Random(number).randbytes(SIZE)
    async with shell(hatchway, node) as follower:
        await follower.enter(f"stty raw; exec sh -c 'echo begin; head -c {SIZE}; exit {number}'")
        begun = await follower.printed("begin\n")
        await follower.stream.write(data)
        ended = await follower.told(Ended, seconds=ECHOED)
        assert bytes(follower.output[begun.end() :]) == data, f"session {number}"
        assert (ended.exit_code, ended.error) == (number, None)
        return follower.session_id


async def all_terminated(hatchway: Hatchway, sessions: list[str]) -> None:
    assert len(set(sessions)) == len(sessions)
    for number, session_id in enumerate(sessions):
        record = await in_status(hatchway, session_id, "Terminated")
        assert record.exit_code == number


async def test_twenty_sessions_on_one_node_each_get_back_what_they_sent(stack: Stack) -> None:
    john = client(stack, JOHN)
    echoes = [echo_of_its_own(john, stack.demo.node, number) for number in range(SESSIONS)]
    await all_terminated(john, await asyncio.gather(*echoes))


async def test_sessions_on_five_nodes_each_get_back_what_they_sent(stack: Stack) -> None:
    john = client(stack, JOHN)
    with ExitStack() as others:
        nodes = [others.enter_context(another_node(stack)) for _ in range(NODES - 1)]
        nodes.append(stack.demo.node)
        echoes = [echo_of_its_own(john, node, number) for number, node in enumerate(nodes)]
        sessions = await asyncio.gather(*echoes)
        await all_terminated(john, sessions)
        targets = [john.session(session_id).target for session_id in sessions]
        assert targets == nodes
