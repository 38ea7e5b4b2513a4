"""A ticket's renewals: activity is reason enough for one of them in half a minute."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import cast

from agent.activity import Activity, Marks
from agent.api import AgentApi, Pass
from agent.clock import ServiceClock
from agent.log import Log
from agent.pass_keeper import PassKeeper
from hatchway.core import marks
from hatchway.core.marks import INPUT, Mark
from hatchway.core.tickets import TICKET_RENEW_AFTER
from tests.unit.agent.virtual_time import run

KEY = "k1"


class Slow:
    """The service; an answer takes a second. `calls` is when each call began."""

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.brought: list[str] = []

    async def ticket(self, session: str, brought: Marks, silent: int | None) -> Pass:
        now = asyncio.get_running_loop().time()
        self.calls.append(now)
        self.brought.append(brought.typed)
        await asyncio.sleep(1)
        return given(now)


def given(now: float) -> Pass:
    return Pass("t", now + 90, 1, connected=True, key_id=KEY, key=b"k" * 32)


class Typist:
    """Keys pressed at a session, as the session tells its keeper of them."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.service, self.activity = Slow(), Activity(output_counts=False)
        self.keeper = PassKeeper(
            cast(AgentApi, self.service),
            "john-1",
            given(loop.time()),
            clock=ServiceClock(loop.time, loop.time),
            random=bytes,
            log=Log(write=lambda _: None),
            activity=self.activity,
            changed=lambda _: None,
            ended=lambda: None,
        )
        self.last = ""
        self._pressed = 0

    def press(self) -> None:
        self._pressed += 1
        mark = marks.make(
            Mark(KEY, 1, self._pressed, 0), b"s" * 32, node="i-1", session="john-1", direction=INPUT
        )
        self.last = marks.to_text(mark)
        if self.activity.typed(mark):
            self.keeper.active()
        if self.keeper.aging:
            self.keeper.want()

    async def type(self, seconds: float) -> None:
        for _ in range(int(seconds * 5)):
            self.press()
            await asyncio.sleep(0.2)


def test_keys_that_come_while_a_ticket_is_renewed_do_not_have_it_renewed_again() -> None:
    async def test() -> None:
        typist = Typist()
        keeping = asyncio.create_task(typist.keeper.run())
        await typist.type(10 * TICKET_RENEW_AFTER)
        calls = typist.service.calls
        gaps = [later - one for one, later in pairwise(calls)]
        assert len(calls) >= 9
        assert min(gaps) >= TICKET_RENEW_AFTER
        keeping.cancel()

    run(test())


def test_what_came_while_a_ticket_was_renewed_is_brought_with_the_next_one() -> None:
    async def test() -> None:
        typist = Typist()
        keeping = asyncio.create_task(typist.keeper.run())
        await asyncio.sleep(TICKET_RENEW_AFTER + 1)
        typist.press()
        await asyncio.sleep(0.5)
        typist.press()
        assert len(typist.service.calls) == 1
        await asyncio.sleep(TICKET_RENEW_AFTER + 2)
        assert typist.service.brought[1:] == [typist.last]
        keeping.cancel()

    run(test())


def test_a_report_that_is_due_waits_where_another_reason_renewed_the_ticket_meanwhile() -> None:
    async def test() -> None:
        typist = Typist()
        keeping = asyncio.create_task(typist.keeper.run())
        typist.press()
        await asyncio.sleep(20)
        typist.keeper.want()
        await asyncio.sleep(5)
        typist.press()
        await asyncio.sleep(10)
        assert len(typist.service.calls) == 1
        await asyncio.sleep(TICKET_RENEW_AFTER)
        assert len(typist.service.calls) == 2
        assert typist.service.brought[1] == typist.last
        keeping.cancel()

    run(test())
