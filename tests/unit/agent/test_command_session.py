"""A session that runs a command: what its client says reaches the runner, streams stay apart."""

from __future__ import annotations

import signal

import pytest

from hatchway.core import documents
from hatchway.core.channel import Data, Opened
from hatchway.core.sending import MAX_WAITING
from hatchway.core.wire import FlagValue, PayloadType
from tests.unit.agent.bench import Bench, FakeRunner, agent
from tests.unit.agent.fake_service import FakeClient, FakeSession
from tests.unit.agent.virtual_time import run

PIPED = documents.resolve("AWS-StartNonInteractiveCommand", {"command": ["true"]})


async def started(bench: Bench) -> tuple[FakeSession, FakeClient, FakeRunner]:
    session = bench.service.new_session(document=PIPED)
    client = bench.service.attach(session)
    bench.service.hint(session)
    await bench.service.until(lambda: bench.runners and bench.runners[0].screen)
    return session, client, bench.runners[0]


def test_a_command_starts_without_a_size_and_the_client_learns_its_kind() -> None:
    async def test() -> None:
        async with agent() as bench:
            before = bench.service.now()
            _, client, runner = await started(bench)
            assert bench.service.now() - before < 0.3
            assert runner.client is not None
            assert runner.client.extended
            opened = [event for event in client.events if isinstance(event, Opened)]
            assert opened == [Opened("NonInteractiveCommands", extended=True)]

    run(test())


def test_both_streams_and_the_exit_code_reach_the_client_apart_and_in_order() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await started(bench)
            runner.print(b"out")
            runner.print(b"err", error=True)
            runner.print(b"more")
            runner.exit(42)
            await bench.service.until(lambda: session.ended)
            assert [event for event in client.events if isinstance(event, Data)] == [
                Data(b"out"),
                Data(b"err", PayloadType.STDERR),
                Data(b"more"),
            ]
            assert client.exit_code == 42
            assert session.ended == ("exited", 42)

    run(test())


def test_signals_and_the_end_of_input_reach_the_runner() -> None:
    async def test() -> None:
        async with agent() as bench:
            _, client, runner = await started(bench)
            client.channel.write(b"input")
            client.channel.end_input()
            assert client.channel.flag(FlagValue.SIGNAL_TERMINATE)
            client.pump()
            await bench.service.until(lambda: runner.input_over and runner.signals)
            assert runner.fed == b"input"
            assert runner.signals == [signal.SIGTERM]

    run(test())


@pytest.mark.parametrize("document", [PIPED, None], ids=["command", "shell"])
def test_without_a_client_a_command_waits_and_a_shell_goes_on(document: str | None) -> None:
    async def test() -> None:
        async with agent() as bench:
            if document:
                session, _, runner = await started(bench)
            else:
                session, _, runner = await bench.opened()
            session.connected = False
            bench.service.hint(session)
            await bench.service.settle()
            if document:
                assert 0 < runner.allowed <= MAX_WAITING
                runner.print(b"x" * runner.allowed)
                await bench.service.settle()
                assert runner.allowed == 0
            else:
                assert runner.allowed > MAX_WAITING

    run(test())


def test_a_document_without_commands_for_this_system_is_refused() -> None:
    document = (
        '{"schemaVersion":"1.0","sessionType":"NonInteractiveCommands",'
        '"properties":{"windows":{"commands":"dir","runAsElevated":false}}}'
    )

    async def test() -> None:
        async with agent() as bench:
            session = bench.service.new_session(document=document)
            bench.service.hint(session)
            await bench.service.until(lambda: session.ended)
            assert session.ended is not None
            assert session.ended[0].endswith("no commands for this operating system")

    run(test())
