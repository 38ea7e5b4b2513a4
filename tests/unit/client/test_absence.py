"""A connection that is back before anybody notices is not worth a word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hatchway.client.absence import UNNOTICED, Absence
from hatchway.client.events import Lost, NodePresence, Restored, Retrying
from hatchway.core.errors import CredentialsInvalid
from tests.unit.agent.virtual_time import run

pytestmark = pytest.mark.timeout(30)

RETRYING = Retrying(CredentialsInvalid())


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.absence = Absence(self.lines.append)


def check(test: Callable[[Told], Awaitable[None]]) -> None:
    async def go() -> None:
        await test(Told())

    run(go())


def test_a_short_absence_is_not_mentioned() -> None:
    async def test(told: Told) -> None:
        for _ in range(3):
            told.absence.tell(Lost(), "lost")
            told.absence.tell(RETRYING, "log in")
            await asyncio.sleep(UNNOTICED - 0.01)
            told.absence.tell(Restored(), "back")
        await asyncio.sleep(UNNOTICED * 2)
        assert told.lines == []

    check(test)


def test_a_long_one_is_with_what_was_heard_last_and_with_its_end() -> None:
    async def test(told: Told) -> None:
        told.absence.tell(Lost(), "lost")
        told.absence.tell(RETRYING, "log in")
        await asyncio.sleep(UNNOTICED + 0.01)
        assert told.lines == ["log in"]
        told.absence.tell(RETRYING, "busy")
        told.absence.tell(Restored(), "back")
        assert told.lines == ["log in", "busy", "back"]

    check(test)


def test_everything_else_is_said_at_once() -> None:
    async def test(told: Told) -> None:
        told.absence.tell(Lost(), "lost")
        told.absence.tell(NodePresence(online=False), "offline")
        assert told.lines == ["offline"]
        told.absence.close()
        await asyncio.sleep(UNNOTICED * 2)
        assert told.lines == ["offline"]

    check(test)
