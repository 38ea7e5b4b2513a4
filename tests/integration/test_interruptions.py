"""Clients that are killed or displaced, sessions that are terminated, a service that restarts."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

import pytest

from agent.process.processes import members
from hatchway.client.events import Ended, Restored
from hatchway.core.channel import OUTPUT_WINDOW
from hatchway.core.errors import TakenOver
from local.identities import JOHN
from local.stack import CLI, Stack, restart_emulator
from tests.integration.following import asked, client, following, in_status, shell

pytestmark = [pytest.mark.stack, pytest.mark.timeout(200)]

#: Seconds, as promised.
CUT_NOTICED, PROCESSES_GONE, AGENT_BACK = 15.0, 2.0, 30.0


async def test_a_killed_client_leaves_a_session_that_another_one_resumes(
    stack: Stack, tmp_path: Path
) -> None:
    command = [*CLI, "start-session", "--target", stack.demo.node]
    output = tmp_path / "output"
    john = client(stack)
    before = {record.session_id for record in john.sessions()}
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, env=stack.environ(JOHN), stdin=subprocess.PIPE, stdout=file, stderr=file
        )
    assert process.stdin is not None
    try:
        process.stdin.write(b"stty -echo; kept=$$; echo sh''ell=$kept\n")
        process.stdin.flush()
        # The CLI is a process of its own: its output is a file that somebody has to look at.
        pid = await asked(lambda: _number(output.read_text(), "shell="), 60.0, "prompt")
        [started] = [r for r in john.sessions() if r.session_id not in before]
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
    await in_status(john, started.session_id, "Disconnected", seconds=CUT_NOTICED)
    resumed = await asyncio.to_thread(john.resume, started.session_id)
    async with following(john, resumed) as follower:
        await follower.enter('echo "still $kept" $$; exit 7')
        await follower.printed(rf"still {pid} {pid}\r\n")
        assert (await follower.told(Ended)).exit_code == 7
    record = await in_status(john, started.session_id, "Terminated")
    assert record.exit_code == 7


def _number(text: str, after: str) -> int | None:
    _, found, rest = text.partition(after)
    digits, line_end, _ = rest.partition("\n")
    return int(digits) if found and line_end else None


async def test_a_second_client_takes_the_session_over_and_the_first_is_told(stack: Stack) -> None:
    john = client(stack)
    async with shell(john) as first:
        await first.enter("kept=value-$$")
        second_token = await asyncio.to_thread(john.resume, first.session_id)
        async with following(john, second_token) as second:
            assert isinstance((await first.told(Ended)).error, TakenOver)
            await second.enter("echo $kept ne''w")
            await second.printed(r"value-\d+ new\r\n")
            assert b" new" not in first.output
            await in_status(john, first.session_id, "Connected")


async def test_after_terminate_nothing_is_typed_or_printed_and_no_process_is_left(
    stack: Stack, tmp_path: Path
) -> None:
    john = client(stack)
    async with shell(john) as follower:
        await follower.enter("(trap '' HUP; exec sleep 1000) & sleep 1000 & echo rea''dy $$")
        pid = int((await follower.printed(r"ready (\d+)\r\n"))[1])
        assert len(members(pid)) >= 3
        await asyncio.to_thread(john.terminate, follower.session_id)
        printed = len(follower.output)
        await follower.enter("echo never")
        await asked(lambda: not members(pid) or None, PROCESSES_GONE, "processes gone")
        ended = await follower.told(Ended)
        assert ended.error is None
        assert len(follower.output) == printed
        await in_status(john, follower.session_id, "Terminated")


async def test_terminate_ends_a_flood(stack: Stack) -> None:
    john = client(stack)
    async with shell(john) as follower:
        begin = len(follower.output)
        await follower.enter("echo fl''ood $$; exec yes")
        pid = int((await follower.printed(r"flood (\d+)\r\n", since=begin))[1])
        await follower.printed(r"(y\r\n){10000}", since=begin)
        await asyncio.to_thread(john.terminate, follower.session_id)
        printed = len(follower.output)
        await asked(lambda: not members(pid) or None, PROCESSES_GONE, "processes gone")
        await follower.told(Ended)
        # What had arrived before it: never more than was on its way.
        assert len(follower.output) - printed <= OUTPUT_WINDOW
        await in_status(john, follower.session_id, "Terminated")


async def test_after_a_restart_of_the_service_agent_and_session_are_back_in_30_s(
    stack: Stack,
) -> None:
    john = client(stack)
    async with shell(john) as follower:
        await follower.enter("kept=value-$$")
        since = time.time()
        await asyncio.to_thread(restart_emulator, stack)
        back = time.monotonic() + AGENT_BACK

        def again() -> bool | None:
            """Online by an event of presence that is younger than the restart."""
            nodes = {node.node_id: node for node in john.nodes()}
            seen = nodes[stack.demo.node].last_ping
            online = john.connected(stack.demo.node)
            return (online and seen is not None and seen.timestamp() > since) or None

        await asked(again, AGENT_BACK, "agent back")
        async with asyncio.timeout(max(0.0, back - time.monotonic())):
            async with shell(john) as other:
                assert other.session_id != follower.session_id
        await follower.told(Restored)
        await follower.enter("echo $kept ba''ck")
        await follower.printed(r"value-\d+ back\r\n")
