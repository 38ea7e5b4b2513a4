"""The token for the next connection: asked for in advance, shown first, never relied on alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from hatchway.client.backoff import Backoff
from hatchway.client.events import Ended, Lost, Restored, Retrying, StreamEvent
from hatchway.client.notices import NextToken, parse
from hatchway.client.records import Started
from hatchway.client.spare import (
    ANSWER_SECONDS,
    ASK_AGAIN,
    FIRST,
    MARGIN,
    SHOW_AGAIN,
    Spare,
)
from hatchway.client.stream import Patience, Stream
from hatchway.core.channel import Data
from hatchway.core.errors import (
    AccessDeniedException,
    CredentialsInvalid,
    DoesNotExistException,
    HatchwayError,
    ServiceUnreachable,
    TakenOver,
    TokenInvalid,
)
from hatchway.core.tokens import SPARE_SECONDS
from tests.unit.agent.virtual_time import run
from tests.unit.client.memory import AT_ONCE, SESSION, MemoryLink, MemoryService, started
from tests.unit.client.node import FakeNode

pytestmark = pytest.mark.timeout(60)


class Service(MemoryService):
    """Gives spare tokens on the stream: `spare-1` and so on."""

    def __init__(self) -> None:
        super().__init__(FakeNode(SESSION))
        self.node.answer = self._answer
        self.given = 0
        #: What a token's connection is refused with.
        self.refused: dict[str, HatchwayError] = {}

    async def dial(self, started: Started) -> MemoryLink:
        if (error := self.refused.get(started.token)) is not None:
            self.tokens.append(started.token)
            raise error
        return await super().dial(started)

    def _answer(self, asked: dict[str, object]) -> dict[str, object]:
        self.given += 1
        return {
            "RequestId": asked["RequestId"],
            "SessionId": SESSION,
            "TokenValue": f"spare-{self.given}",
            "StreamUrl": "wss://stream.example/local",
            "ExpiresIn": SPARE_SECONDS,
        }


Test = Callable[[Service, Stream], Awaitable[None]]


def with_stream(test: Test, service: Service | None = None, backoff: Backoff = AT_ONCE) -> None:
    """In virtual time, with a shell that has begun."""

    async def go() -> None:
        chosen = service or Service()
        loop = asyncio.get_running_loop()
        stream = Stream(
            started("first"),
            chosen.dial,
            chosen.resume,
            backoff=backoff,
            clock=loop.time,
        )
        async with stream:
            await printed(stream, b"$ ")
            await test(chosen, stream)

    run(go())


async def printed(stream: Stream, text: bytes) -> list[StreamEvent]:
    """The events until `text` was printed."""
    seen, events = b"", list[StreamEvent]()
    while not seen.endswith(text):
        event = await stream.next()
        assert not isinstance(event, Ended), event
        events.append(event)
        if isinstance(event, Data):
            stream.consumed(len(event.data))
            seen += event.data
    return events


async def until_ended(stream: Stream) -> Ended:
    while not isinstance(event := await stream.next(), Ended):
        if isinstance(event, Data):
            stream.consumed(len(event.data))
    return event


async def given(service: Service, number: int) -> None:
    await service.node.until(lambda: len(service.node.asked) >= number)
    await asyncio.sleep(0.1)  # virtual: the answer's way


def test_expired_credentials_do_not_end_a_session_that_is_cut() -> None:
    service = Service()
    service.resume_errors = [CredentialsInvalid()] * 100

    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.links[0].cut()
        service.node.print(b"while away")
        events = await printed(stream, b"while away")
        assert Lost() in events
        assert not [event for event in events if isinstance(event, Retrying)]
        await stream.write(b"size\r")
        await printed(stream, b"$ ")
        assert service.tokens == ["first", "spare-1"]
        assert service.resumed == 0

    with_stream(test, service)


def test_a_session_survives_cut_after_cut_without_a_signature() -> None:
    async def test(service: Service, stream: Stream) -> None:
        for number in range(1, 6):
            await given(service, number)
            service.links[-1].cut()
            service.node.print(b"<%d>" % number)
            await printed(stream, b"<%d>" % number)
        assert service.tokens == ["first", *(f"spare-{n}" for n in range(1, 6))]
        assert service.resumed == 0

    with_stream(test)


def test_a_short_session_asks_for_none() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await asyncio.sleep(FIRST - 0.1)
        await stream.write(b"exit 0\r")
        assert (await until_ended(stream)).exit_code == 0
        assert service.node.asked == []

    with_stream(test)


def test_a_spare_that_is_refused_gives_way_to_a_signed_request() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.refused = {"spare-1": TokenInvalid()}
        service.links[0].cut()
        service.node.print(b"again")
        await printed(stream, b"again")
        assert service.tokens == ["first", "spare-1", "resumed-1"]

    with_stream(test)


def test_one_that_reached_nobody_is_shown_again() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.dial_errors = [ServiceUnreachable(), ServiceUnreachable()]
        service.links[0].cut()
        service.node.print(b"again")
        await printed(stream, b"again")
        assert service.tokens == ["first", "spare-1", "spare-1", "spare-1"]
        assert service.resumed == 0

    with_stream(test)


def test_whoever_lost_the_permission_is_told_so() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.refused = {"spare-1": TokenInvalid()}
        service.resume_errors = [AccessDeniedException("no more")]
        service.links[0].cut()
        ended = await until_ended(stream)
        assert isinstance(ended.error, AccessDeniedException)
        assert service.tokens == ["first", "spare-1"]

    with_stream(test)


def test_a_refused_spare_and_expired_credentials_wait_for_a_login() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.refused = {"spare-1": TokenInvalid()}
        service.resume_errors = [CredentialsInvalid(), CredentialsInvalid()]
        service.links[0].cut()
        service.node.print(b"logged in")
        events = await printed(stream, b"logged in")
        [told] = [event.error for event in events if isinstance(event, Retrying)]
        assert isinstance(told, CredentialsInvalid)
        assert service.tokens == ["first", "spare-1", "resumed-3"]

    with_stream(test)


def test_a_spare_that_was_refused_for_the_moment_is_shown_again() -> None:
    """The service denies what it may not, and what it cannot find out."""
    service = Service()
    service.resume_errors = [CredentialsInvalid()] * 10_000

    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        began = asyncio.get_running_loop().time()
        service.refused = {"spare-1": TokenInvalid()}
        service.links[0].cut()
        await asyncio.sleep(10 * SHOW_AGAIN)
        assert service.tokens == ["first", *["spare-1"] * 3]  # and tried for a login in between
        assert service.resumed > 3
        service.refused = {}
        service.node.print(b"again")
        await printed(stream, b"again")
        assert asyncio.get_running_loop().time() - began < 20 * SHOW_AGAIN  # virtual

    with_stream(test, service, Backoff(lambda: 1.0))


def test_a_session_that_ended_meanwhile_is_over() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.refused = {"spare-1": TokenInvalid()}
        service.resume_errors = [DoesNotExistException()]
        service.links[0].cut()
        assert await until_ended(stream) == Ended(None)

    with_stream(test)


def test_a_client_that_was_taken_over_shows_no_spare() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.links[0].down.put_nowait('{"notice": "takenOver"}')
        service.links[0].cut()
        assert isinstance((await until_ended(stream)).error, TakenOver)
        assert service.tokens == ["first"]

    with_stream(test)


class Asked(MemoryLink):
    """Answers each question at once: with a token, or without one where it `refuses`."""

    def __init__(self, chance: float, *, refuses: bool = False) -> None:
        super().__init__()
        self.spare = Spare(SESSION, self.now, lambda: chance)
        self.refuses = refuses
        self.deaf = False
        self.asked: list[float] = []

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    async def send(self, text: str) -> None:
        self.asked.append(self.now())
        asked, token = request_id(text), started(f"spare-{len(self.asked)}")
        answer = NextToken(None if self.refuses else token, asked, SPARE_SECONDS)
        if not self.deaf:
            self.spare.answered(answer)

    async def keep(self, seconds: float) -> None:
        """What `Spare.keep` does in so much time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.spare.keep(self)


def request_id(text: str) -> str:
    return str(json.loads(text)["RequestId"])


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_at_any_moment_it_outlasts_the_patience_of_who_tries_to_come_back(chance: float) -> None:
    async def go() -> None:
        link = Asked(chance)
        await link.keep(3600)
        ages = [later - earlier for earlier, later in pairwise(link.asked)]
        assert 2 <= len(ages) <= 4
        assert all(SPARE_SECONDS - age >= Patience().resume for age in ages)
        assert link.spare.held == started(f"spare-{len(link.asked)}")

    run(go())


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_a_refusal_to_give_one_is_not_argued_with(chance: float) -> None:
    """Each question is a denial in the audit trail."""

    async def go() -> None:
        link = Asked(chance, refuses=True)
        await link.keep(3600)
        pauses = [later - earlier for earlier, later in pairwise(link.asked)]
        assert ASK_AGAIN / 2 <= pauses[0] <= ASK_AGAIN
        assert sum(at <= link.asked[0] + 3600 for at in link.asked) <= 5
        assert link.spare.held is None

    run(go())


def test_where_no_answer_comes_it_is_soon_asked_again() -> None:
    """The service may have put another in the place of the one that is held."""

    async def go() -> None:
        link = Asked(0.0)
        link.deaf = True
        await link.keep(3 * ANSWER_SECONDS)
        link.deaf = False
        await link.keep(1)
        pauses = [later - earlier for earlier, later in pairwise(link.asked)]
        assert pauses == [2 * ANSWER_SECONDS, ANSWER_SECONDS]
        assert link.spare.held == started("spare-3")

    run(go())


def test_a_refusal_leaves_the_one_that_is_good_and_no_longer() -> None:
    async def go() -> None:
        link = Asked(0.0)
        await link.spare.ask(link)
        link.refuses = True
        with pytest.raises(TokenInvalid):
            await link.spare.ask(link)
        await asyncio.sleep(SPARE_SECONDS - MARGIN - 1)
        assert link.spare.held == started("spare-1")
        await asyncio.sleep(1)
        assert link.spare.held is None

    run(go())


def test_an_answer_to_an_earlier_question_is_none() -> None:
    """It names a token that the service has replaced already."""

    async def go() -> None:
        spare = Spare(SESSION, asyncio.get_running_loop().time, lambda: 0.0)
        link = MemoryLink()
        with pytest.raises(TimeoutError):
            await spare.ask(link)
        late = request_id(str(await link.up.get()))
        asking = asyncio.create_task(spare.ask(link))
        now = request_id(str(await link.up.get()))
        spare.answered(NextToken(started("late"), late, SPARE_SECONDS))
        spare.answered(NextToken(started("now"), now, SPARE_SECONDS))
        assert (await asking).token == "now"
        assert spare.held is not None
        assert spare.held.token == "now"

    run(go())


def test_a_token_for_another_session_is_none() -> None:
    async def go() -> None:
        spare = Spare("mary-0123456789abcdef0", asyncio.get_running_loop().time, lambda: 0.0)
        link = MemoryLink()
        asking = asyncio.create_task(spare.ask(link))
        asked = request_id(str(await link.up.get()))
        spare.answered(NextToken(started("his"), asked, SPARE_SECONDS))
        with pytest.raises(TokenInvalid):
            await asking
        assert spare.held is None

    run(go())


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2400", 2400),
        ("0", 0),
        ('"2400"', 60),
        ("-1", 60),
        ("true", 60),
        ("1e99", 60),
        ("null", 60),
    ],
)
def test_what_is_no_number_of_seconds_is_a_minute(said: str, seconds: int) -> None:
    text = (
        '{"action": "resumeSession", "RequestId": "7", "SessionId": "s", "TokenValue": "secret", '
        f'"StreamUrl": "wss://x", "ExpiresIn": {said}}}'
    )
    answer = parse(text)
    assert isinstance(answer, NextToken)
    assert (answer.request_id, answer.seconds) == ("7", seconds)
    assert "secret" not in repr(answer)


def test_restored_is_told_after_lost() -> None:
    async def test(service: Service, stream: Stream) -> None:
        await given(service, 1)
        service.links[0].cut()
        service.node.print(b"x")
        events = [e for e in await printed(stream, b"x") if isinstance(e, Lost | Restored)]
        assert events == [Lost(), Restored()]

    with_stream(test)
