"""The stream: bytes both ways, and a session that outlives its connections."""

from __future__ import annotations

import asyncio
import json

import pytest

from hatchway.client.events import (
    AccessEnding,
    Ended,
    Lost,
    NodePresence,
    Restored,
    Retrying,
    StreamEvent,
    TimeEnding,
)
from hatchway.client.records import Started
from hatchway.client.shell import said
from hatchway.client.stream import Patience, Stream
from hatchway.core.channel import Data, Exited, Opened
from hatchway.core.errors import (
    AccessDeniedException,
    CertificateRefused,
    ChannelFailed,
    ConnectionLost,
    DoesNotExistException,
    ServiceUnreachable,
    TakenOver,
    ThrottlingException,
    TokenInvalid,
)
from tests.unit.agent.virtual_time import run
from tests.unit.client.memory import AT_ONCE, SESSION, MemoryService, started
from tests.unit.client.node import FakeNode, LittleShell, Receive, Send, noise

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
async def service() -> MemoryService:
    return MemoryService(FakeNode(SESSION))


async def until(stream: Stream, kind: type[StreamEvent]) -> list[StreamEvent]:
    """Events up to and with the first of `kind`; output is consumed."""
    seen: list[StreamEvent] = []
    while not seen or not isinstance(seen[-1], kind):
        event = await stream.next()
        if isinstance(event, Data):
            stream.consumed(len(event.data))
        seen.append(event)
        assert isinstance(event, kind) or not isinstance(event, Ended), event
    return seen


async def printed(stream: Stream, text: bytes) -> bytes:
    """Output until it ends with `text`."""
    seen = b""
    while not seen.endswith(text):
        event = await stream.next()
        assert not isinstance(event, Ended), event
        if isinstance(event, Data):
            stream.consumed(len(event.data))
            seen += event.data
    return seen


def output(events: list[StreamEvent]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Data))


async def test_a_session_from_prompt_to_exit_code(service: MemoryService) -> None:
    async with service.stream() as stream:
        stream.resize(80, 24)
        assert isinstance((await until(stream, Opened))[-1], Opened)
        assert await printed(stream, b"$ ") == b"$ "
        await stream.write(b"size\r")
        assert await printed(stream, b"$ ") == b"size\r\n80 24\r\n$ "
        await stream.write(b"exit 7\r")
        events = await until(stream, Ended)
        assert Exited(7) in events
        assert events[-1] == Ended(7, "")
        assert await stream.next() == events[-1]


async def test_a_connection_that_is_lost_is_restored_with_another_token(
    service: MemoryService,
) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.links[0].cut()
        service.node.print(b"while away")
        events = await until(stream, Restored)
        assert Lost() in events
        await stream.write(b"exit 3\r")
        ending = await until(stream, Ended)
    assert output(events + ending) == b"while awayexit 3\r\n"
    assert ending[-1] == Ended(3)
    assert service.tokens == ["first", "resumed-1"]


async def test_nothing_is_lost_or_repeated_however_often_it_is_cut(service: MemoryService) -> None:
    size = 1_000_000
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.lose_after = 4
        await stream.write(b"many %d\r" % size)
        seen = b""
        while len(seen) < size + len(b"many 1000000\r\n$ "):
            event = await stream.next()
            if isinstance(event, Data):
                stream.consumed(len(event.data))
                seen += event.data
    assert seen == b"many %d\r\n" % size + noise(size) + b"$ "
    assert len(service.links) > 2


async def test_what_another_attempt_may_mend_is_tried_again_and_told_once(
    service: MemoryService,
) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.resume_errors = [ThrottlingException(), ThrottlingException()]
        service.dial_errors = [ServiceUnreachable()]
        service.links[0].cut()
        events = await until(stream, Restored)
    codes = [event.error.code for event in events if isinstance(event, Retrying)]
    assert codes == ["ThrottlingException", "ServiceUnreachable"]
    assert service.tokens == ["first", "resumed-3", "resumed-4"]


def test_a_network_that_is_back_is_used_within_a_second() -> None:
    """Nothing is signed or dialled while nothing can be reached."""

    async def test() -> None:
        service = MemoryService(FakeNode(SESSION))
        loop = asyncio.get_running_loop()
        back, questions = loop.time() + 300.0, 0

        async def reach(_: Started) -> None:
            nonlocal questions
            questions += 1
            if loop.time() < back:
                raise ServiceUnreachable

        stream = Stream(
            started("first"), service.dial, service.resume, reach=reach, clock=loop.time
        )
        async with stream:
            await printed(stream, b"$ ")
            service.links[0].cut()
            events = await until(stream, Restored)
            assert back <= loop.time() <= back + 1.0
        assert len([event for event in events if isinstance(event, Retrying)]) == 1
        assert service.tokens == ["first", "resumed-1"]
        assert 300 <= questions <= 620

    run(test())


def test_a_service_that_has_too_much_to_do_is_asked_less_and_less() -> None:
    async def test() -> None:
        service = MemoryService(FakeNode(SESSION))
        loop = asyncio.get_running_loop()
        service.resume_errors = [ThrottlingException() for _ in range(20)]
        stream = Stream(started("first"), service.dial, service.resume, clock=loop.time)
        async with stream:
            await printed(stream, b"$ ")
            service.links[0].cut()
            begin = loop.time()
            await until(stream, Restored)
            assert loop.time() - begin >= 100

    run(test())


async def test_a_session_that_ended_while_nobody_listened_is_over(service: MemoryService) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.resume_errors = [DoesNotExistException()]
        service.links[0].cut()
        assert (await until(stream, Ended))[-1] == Ended(None)


async def test_a_refusal_to_resume_ends_the_stream_with_that_error(service: MemoryService) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.resume_errors = [AccessDeniedException("no more")]
        service.links[0].cut()
        ended = (await until(stream, Ended))[-1]
    assert isinstance(ended, Ended)
    assert isinstance(ended.error, AccessDeniedException)


async def test_patience_ends(service: MemoryService) -> None:
    async with service.stream(Patience(resume=-1.0)) as stream:
        await printed(stream, b"$ ")
        service.links[0].cut()
        ended = (await until(stream, Ended))[-1]
    assert isinstance(ended, Ended)
    assert isinstance(ended.error, ConnectionLost)


async def test_a_first_token_that_has_expired_is_replaced(service: MemoryService) -> None:
    service.dial_errors = [TokenInvalid()]
    async with service.stream() as stream:
        await printed(stream, b"$ ")
    assert service.tokens == ["first", "resumed-1"]


async def test_a_certificate_that_is_refused_is_not_tried_again(service: MemoryService) -> None:
    service.dial_errors = [CertificateRefused()]
    async with service.stream() as stream:
        ended = await stream.next()
    assert isinstance(ended, Ended)
    assert isinstance(ended.error, CertificateRefused)
    assert service.resumed == 0


async def test_being_taken_over_ends_the_stream_and_is_not_fought(service: MemoryService) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.links[0].down.put_nowait('{"notice": "takenOver"}')
        service.links[0].cut()
        ended = (await until(stream, Ended))[-1]
    assert isinstance(ended, Ended)
    assert isinstance(ended.error, TakenOver)
    assert service.resumed == 0


async def test_presence_is_passed_on_and_unknown_json_is_ignored(service: MemoryService) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        for text in (
            '{"notice": "nodeOffline"}',
            '{"message": "Internal server error", "connectionId": "x", "requestId": "y"}',
            '{"notice": "somethingNew"}',
            '{"action": "resumeSession", "TokenValue": "unasked"}',
            "{broken",
            "[" * 20000,
            "{" + "[" * 20000,
            "not base64 at all!",
            '{"notice": "nodeOnline"}',
        ):
            service.links[0].down.put_nowait(text)
        events = await until(stream, NodePresence) + await until(stream, NodePresence)
    assert events == [NodePresence(online=False), NodePresence(online=True)]


async def test_the_end_of_a_permission_is_told_and_what_is_no_number_is_not(
    service: MemoryService,
) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        for seconds in ('"90"', "null", "true", "-1", "1e999", "86401", "[]", "90.5"):
            service.links[0].down.put_nowait(f'{{"notice": "accessEnding", "Seconds": {seconds}}}')
        service.links[0].down.put_nowait('{"notice": "accessEnding"}')
        service.links[0].down.put_nowait('{"notice": "accessEnding", "Seconds": 90}')
        events = await until(stream, AccessEnding)
    assert events == [AccessEnding(90)]


@pytest.mark.parametrize(("notice", "idle"), [("idleEnding", True), ("durationEnding", False)])
async def test_the_end_of_the_idle_time_and_of_the_duration_are_told(
    service: MemoryService, notice: str, idle: bool
) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.links[0].down.put_nowait(json.dumps({"notice": notice, "Seconds": "90"}))
        service.links[0].down.put_nowait(json.dumps({"notice": notice, "Seconds": 90}))
        events = await until(stream, TimeEnding)
    assert events == [TimeEnding(90, idle=idle)]
    assert said(events[0]).endswith("this session ends in 1 min 30 s")


@pytest.mark.parametrize(
    ("seconds", "said_"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (150, "2 min 30 s"), (86400, "1440 min")],
)
def test_a_person_is_told_in_minutes_and_seconds(seconds: int, said_: str) -> None:
    assert said(AccessEnding(seconds)) == (
        f"Your permission ends in {said_}, and this session with it"
    )


async def test_the_reason_of_a_service_that_closes_the_channel_is_kept(
    service: MemoryService,
) -> None:
    async with service.stream() as stream:
        await printed(stream, b"$ ")
        service.links[0].down.put_nowait(service.node.goodbye("Terminated by admin"))
        service.links[0].cut()
        assert (await until(stream, Ended))[-1] == Ended(None, "Terminated by admin")


class Mute(FakeNode):
    """A node whose agent is not there: what is sent to it comes to nothing."""

    async def serve(self, receive: Receive, send: Send) -> None:
        while await receive() is not None:
            continue


async def test_a_session_that_the_node_does_not_begin_ends_with_a_clear_error() -> None:
    service = MemoryService(Mute(SESSION))
    async with service.stream(Patience(begin=0.0)) as stream:
        (ended,) = await until(stream, Ended)
    assert isinstance(ended, Ended)
    assert isinstance(ended.error, ChannelFailed)
    assert ended.error.message == "The node did not begin the session within 0 s."


class Talkative(FakeNode):
    """A node whose agent is not there; the service answers."""

    async def serve(self, receive: Receive, send: Send) -> None:
        while (text := await receive()) is not None:
            if text.startswith("{"):
                self.asked.append(json.loads(text))
                await send(json.dumps({"action": "describeSession"} | (self.answer({}) or {})))


@pytest.mark.parametrize(
    ("described", "ended"),
    [
        ({"Status": "Terminated", "ExitCode": 7, "EndReason": "bye"}, Ended(7, "bye")),
        ({"Status": "Failed", "ExitCode": True, "EndReason": 1}, Ended(None, "")),
        ({"Status": "Terminating"}, None),
        ({"Status": ["Terminated"]}, None),
        ({"__type": "AccessDeniedException", "message": "no"}, None),
    ],
)
def test_in_silence_the_service_is_asked_whether_there_is_a_session_still(
    described: dict[str, object], ended: Ended | None
) -> None:
    async def test() -> None:
        service = MemoryService(Talkative(SESSION))
        service.node.answer = lambda asked: described
        loop = asyncio.get_running_loop()
        stream = Stream(
            started("first"), service.dial, service.resume, backoff=AT_ONCE, clock=loop.time
        )
        async with stream:
            last = (await until(stream, Ended))[-1]
        assert isinstance(last, Ended)
        assert last == ended if ended else isinstance(last.error, ChannelFailed)
        assert [asked["action"] for asked in service.node.asked] == ["describeSession"]

    run(test())


def test_a_session_that_has_begun_goes_on_whatever_its_age() -> None:
    async def test() -> None:
        service = MemoryService(FakeNode(SESSION))
        async with service.stream() as stream:
            await printed(stream, b"$ ")
            await asyncio.sleep(Patience().begin + 1)  # virtual time
            await stream.write(b"exit 0\r")
            assert (await until(stream, Ended))[-1] == Ended(0)

    run(test())


async def test_a_goodbye_that_never_comes_is_not_waited_for(service: MemoryService) -> None:
    service.node.says_goodbye = False
    async with service.stream(Patience(goodbye=0.0)) as stream:
        await printed(stream, b"$ ")
        await stream.write(b"exit 5\r")
        assert (await until(stream, Ended))[-1] == Ended(5)
    assert service.resumed == 0


async def test_the_next_connection_is_made_before_the_old_one_is_cut(
    service: MemoryService,
) -> None:
    def answer(asked: dict[str, object]) -> dict[str, object] | None:
        if len(service.node.asked) > 1:
            return None
        return {
            "RequestId": asked["RequestId"],
            "SessionId": SESSION,
            "TokenValue": "ahead",
            "StreamUrl": "wss://stream.example/local",
        }

    def taken_over() -> None:
        if service.links:  # the service tells the old connection, and closes it
            service.links[0].down.put_nowait('{"notice": "takenOver"}')
            service.links[0].cut()

    service.node.answer = answer
    service.on_dial = taken_over
    async with service.stream(Patience(change=0.0)) as stream:
        await printed(stream, b"$ ")
        await service.node.until(lambda: service.node.generation == 2)
        await stream.write(b"exit 0\r")
        events = await until(stream, Ended)
    assert Lost() not in events
    assert events[-1] == Ended(0)
    assert service.tokens[:2] == ["first", "ahead"]
    assert service.resumed == 0


async def test_a_change_that_is_refused_leaves_the_connection_as_it_is(
    service: MemoryService,
) -> None:
    service.node.answer = lambda asked: {
        "RequestId": asked["RequestId"],
        "__type": "AccessDeniedException",
        "message": "no",
    }
    async with service.stream(Patience(change=0.0, change_again=0.0)) as stream:
        await printed(stream, b"$ ")
        await service.node.until(lambda: len(service.node.asked) == 3)
        await stream.write(b"exit 0\r")
        assert (await until(stream, Ended))[-1] == Ended(0)
    assert len(service.links) == 1


async def test_terminating_asks_on_the_open_connection(service: MemoryService) -> None:
    async with service.stream() as stream:
        assert await stream.terminate() is False
        await printed(stream, b"$ ")
        assert await stream.terminate() is True
        await service.node.until(lambda: bool(service.node.asked))
    assert service.node.asked[0]["action"] == "terminateSession"
    assert json.dumps(service.node.asked[0]).count(SESSION) == 1


async def test_input_beyond_the_window_waits_and_arrives_whole() -> None:
    class Sink(LittleShell):
        def type(self, data: bytes) -> tuple[bytes, int | None]:
            self.typed += data
            return b"", 0 if len(self.typed) >= len(text) else None

    text = noise(600_000)
    service = MemoryService(FakeNode(SESSION, Sink()))
    async with service.stream() as stream:
        writing = asyncio.create_task(stream.write(text))
        assert (await until(stream, Ended))[-1] == Ended(0)
        await writing
    assert service.node.shell.typed == text


async def test_a_writer_is_let_go_when_the_session_ends() -> None:
    class Deaf(LittleShell):
        def type(self, data: bytes) -> tuple[bytes, int | None]:
            return b"", 9

    service = MemoryService(FakeNode(SESSION, Deaf()))
    async with service.stream() as stream:
        await stream.write(b"x" * 2_000_000)
        assert (await until(stream, Ended))[-1] == Ended(9)


async def test_a_fault_of_the_client_is_an_end_and_not_a_hang(service: MemoryService) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    service.on_dial = broken
    async with service.stream() as stream:
        ended = await stream.next()
    assert isinstance(ended, Ended)
    assert ended.error is not None
    assert ended.error.code == "ChannelFailed"
    assert "ZeroDivisionError" in ended.error.message
