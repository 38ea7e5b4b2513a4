"""Limits of time, resuming and leaving, through the deployed stacks.

Idle times are minutes: a session's activity is put back in the table, as an operator could, and the
sweep is called instead of waited for.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from pathlib import Path

import pexpect
import pytest

from hatchway.client.events import Ended, TimeEnding
from hatchway.core.errors import DoesNotExistException, Exit
from local.stack import CLI, Stack
from tests.integration.following import client, following, in_status, shell
from tests.integration.terminal import PATIENCE, cli, terminal

pytestmark = [pytest.mark.stack, pytest.mark.timeout(200)]

IDLE = 20 * 60


def put_back(stack: Stack, session_id: str, **seconds: float) -> None:
    """Sets times of a session to so many seconds ago."""
    table = stack.emulator.client("dynamodb")
    for name, ago in seconds.items():
        table.update_item(
            TableName="hatchway-local",
            Key={"pk": {"S": f"SESSION#{session_id}"}, "sk": {"S": "STATE"}},
            UpdateExpression="SET #it = :time",
            ExpressionAttributeNames={"#it": name},
            ExpressionAttributeValues={":time": {"N": repr(time.time() - ago)}},
        )


def sweep(stack: Stack) -> None:
    answer = stack.emulator.client("lambda").invoke(
        FunctionName="hatchway-local-sweep", Payload=json.dumps({}).encode()
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


async def test_an_idle_session_is_warned_and_then_ends_with_the_reason(stack: Stack) -> None:
    john = client(stack)
    async with shell(john) as follower:
        put_back(stack, follower.session_id, started=IDLE, activity=IDLE - 90)
        await asyncio.to_thread(sweep, stack)
        warned = await follower.told(TimeEnding)
        assert warned.idle
        assert 0 < warned.seconds <= 90
        put_back(stack, follower.session_id, started=IDLE + 2, activity=IDLE + 1)
        await asyncio.to_thread(sweep, stack)
        assert (await follower.told(Ended)).reason == "idle for too long"
        record = await in_status(john, follower.session_id, "Terminated")
    assert record.end_reason == "idle for too long"
    with pytest.raises(DoesNotExistException, match="idle for too long"):
        await asyncio.to_thread(john.resume, follower.session_id)


async def test_typing_is_activity_that_the_service_has_from_its_own_marks(stack: Stack) -> None:
    john = client(stack)
    table = stack.emulator.client("dynamodb")
    async with shell(john) as follower:
        put_back(stack, follower.session_id, started=IDLE, activity=IDLE - 90)
        typed = time.time()
        await follower.enter("echo he''re")
        await follower.printed(r"here\r\n")

        def known() -> bool:
            item = table.get_item(
                TableName="hatchway-local",
                Key={"pk": {"S": f"SESSION#{follower.session_id}"}, "sk": {"S": "STATE"}},
                ConsistentRead=True,
            )["Item"]
            return float(item["activity"]["N"]) >= typed - 2 and int(item["marked"]["N"]) >= 0

        async with asyncio.timeout(60):
            while not await asyncio.to_thread(known):  # the agent renews within half a minute
                await asyncio.sleep(0.5)
        await asyncio.to_thread(sweep, stack)
        assert john.session(follower.session_id).status == "Connected"


async def test_another_client_sees_the_screen_of_the_one_before(stack: Stack) -> None:
    john, word = client(stack), secrets.token_hex(8)
    async with shell(john) as first:
        await first.enter(f"echo {word[:8]}''{word[8:]}")
        await first.printed(rf"{word}\r\n")
        started = await asyncio.to_thread(john.resume, first.session_id)
        async with following(john, started) as second:
            await second.printed(rf"{word}\r\n")


def test_a_person_leaves_with_tilde_d_and_goes_on_elsewhere(stack: Stack, tmp_path: Path) -> None:
    word = secrets.token_hex(8)
    with terminal(stack, tmp_path) as opened:
        opened.run(f"kept={word}")
        assert opened.leave("\r~d") == 0
    shown = opened.child.before or ""
    assert f"hatchway resume-session {opened.session_id}" in shown
    child = pexpect.spawn(
        CLI[0],
        [*CLI[1:], "resume-session", opened.session_id],
        env=stack.environ("john"),
        encoding="utf-8",
        timeout=PATIENCE,
    )
    try:
        child.expect_exact(f"kept={word}")  # the screen that was left
        child.send("echo st''ill $kept\r")
        child.expect_exact(f"still {word}")
        child.send("\r~.")
        child.expect(re.escape("is terminated."))
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    refused = cli(stack, "resume-session", opened.session_id)
    assert refused.returncode in (Exit.NOT_FOUND, 240 + Exit.NOT_FOUND)
    assert "DoesNotExistException" in refused.stderr
