"""At the end an agent says how much there was: what the service took, and what was typed."""

from __future__ import annotations

from agent.ports import Answer
from hatchway.core.channel import ChannelSettings, DataChannel, Side
from hatchway.core.errors import HatchwayError, InternalServerError
from tests.unit.agent.bench import Bench, agent
from tests.unit.agent.fake_service import EPOCH, FakeClient, FakeSession, counted
from tests.unit.agent.virtual_time import run

RECORDED: dict[str, object] = {"Recorded": True}


async def shell(bench: Bench) -> tuple[FakeSession, FakeClient]:
    """A recorded session whose shell has printed and been typed to."""
    session, client, runner = await bench.opened(told=RECORDED)
    client.type(b"ls\r")
    await bench.service.until(lambda: runner.fed == b"ls\r")
    runner.print(b"notes\r\n")
    await bench.service.until(lambda: client.text == b"notes\r\n")
    return session, client


def test_the_end_says_how_many_messages_passed_either_way() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client = await shell(bench)
            bench.runners[0].exit(0)
            await bench.service.until(lambda: session.ended)
            typed, _ = client.channel.counted
            identity = str(session.stated["Client"])
            assert session.stated == {"Sent": session.passed, "Taken": typed, "Client": identity}
            assert (session.passed > 2, len(identity)) == (True, 36)

    run(test())


def test_what_the_service_never_took_is_not_said_to_have_passed() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, _ = await shell(bench)
            before = session.passed
            failures: list[HatchwayError | Answer] = [InternalServerError() for _ in range(1000)]
            bench.service.refuse["frames"] = failures
            bench.runners[0].print(b"never seen")
            await bench.service.until(lambda: len(failures) < 1000)
            session.status = "Terminating"
            bench.service.hint(session)
            await bench.service.until(lambda: session.ended)
            assert session.stated["Sent"] == session.passed == before

    run(test())


def test_where_nothing_is_recorded_nothing_is_said() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, _, runner = await bench.opened()
            runner.exit(0)
            await bench.service.until(lambda: session.ended)
            assert session.stated == {}

    run(test())


def test_what_the_peer_acknowledged_has_passed_whatever_became_of_the_answer() -> None:
    settings = ChannelSettings(epoch=EPOCH)
    node, client = (DataChannel(side, settings, counted()) for side in (Side.AGENT, Side.CLIENT))
    for each in (node, client):
        each.attach(1, 0.0)
    now = 0.0
    client.resize(80, 24)
    for _ in range(20):
        now += 0.05
        frames = node.poll(now)
        node.receive(client.poll(now), now)
        client.receive(frames, now)
    sent, taken = node.counted
    assert sent == client.counted[1] > 1
    assert taken == client.counted[0] > 1
