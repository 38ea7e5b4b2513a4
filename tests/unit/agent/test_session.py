"""One session, from hint to end, in virtual time over the fake service."""

from __future__ import annotations

import json

import pytest

from agent.pass_keeper import LOOK_EVERY
from agent.session import DRAIN_TIME, LISTEN_TIME
from hatchway.core.channel import SILENCE
from hatchway.core.errors import (
    ClientGone,
    InternalServerError,
)
from hatchway.core.wire import FlagValue
from tests.unit.agent.bench import agent
from tests.unit.agent.fake_service import NODE, STAGE
from tests.unit.agent.virtual_time import run


def test_a_shell_starts_when_the_client_has_opened_the_session_and_told_its_size() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            assert runner.size == (80, 24)
            client.type(b"ls\r")
            await bench.service.until(lambda: runner.fed == b"ls\r")
            runner.print(b"a  b\r\n")
            await bench.service.until(lambda: client.text == b"a  b\r\n")
            assert session.ended is None

    run(test())


def test_a_shell_starts_without_a_size_after_a_moment() -> None:
    async def test() -> None:
        async with agent() as bench:
            session = bench.service.new_session()
            bench.service.attach(session)
            bench.service.hint(session)
            await bench.service.until(lambda: bench.runners and bench.runners[0].screen)
            assert bench.runners[0].size is None

    run(test())


def test_the_exit_code_reaches_the_client_behind_all_output_and_then_the_service() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            runner.print(b"x" * 50_000)
            runner.exit(3)
            await bench.service.until(lambda: session.ended)
            assert session.ended == ("exited", 3)
            assert (client.text, client.exit_code) == (b"x" * 50_000, 3)
            await bench.service.until(lambda: runner.closed)
            assert runner.killed, "what was left in the background ends with the session"
            assert bench.service.transport.clients() == {bench.service.topics.control_client}

    run(test())


def test_a_client_that_stopped_reading_holds_the_end_up_for_a_bounded_time() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            client.vanish()
            runner.exit(0)
            began = bench.service.now()
            await bench.service.until(lambda: session.ended)
            assert DRAIN_TIME - 1 < bench.service.now() - began < DRAIN_TIME + 1

    run(test())


def test_the_last_output_and_the_exit_code_wait_for_a_client_that_comes_back() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            session.connected = False
            bench.service.hint(session)
            await bench.service.settle()
            runner.print(b"the end")
            runner.exit(5)
            await bench.service.settle()
            assert not session.ended
            bench.service.attach(session)
            bench.service.hint(session)
            await bench.service.until(lambda: session.ended)
            assert session.ended == ("exited", 5)
            assert (client.text, client.exit_code) == (b"the end", 5)

    run(test())


def test_a_process_that_ends_while_no_client_is_there_ends_the_session() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, _, runner = await bench.opened()
            session.connected = False
            bench.service.hint(session)
            await bench.service.settle()
            runner.exit(5)
            await bench.service.until(lambda: session.ended)
            assert session.ended == ("exited", 5)

    run(test())


@pytest.mark.parametrize("status", ["Terminating", "Terminated"])
def test_a_hint_at_the_end_kills_the_shell_and_reports(status: str) -> None:
    async def test() -> None:
        async with agent() as bench:
            session, _, runner = await bench.opened()
            session.status = status
            bench.service.hint(session)
            await bench.service.until(lambda: session.ended)
            assert session.ended == ("terminated", 129)
            assert runner.killed

    run(test())


def test_a_client_may_ask_for_the_end() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            client.channel.flag(FlagValue.TERMINATE_SESSION)
            client.pump()
            await bench.service.until(lambda: session.ended)
            assert session.ended == ("terminated by the client", 129)
            assert runner.killed

    run(test())


def test_a_shell_that_cannot_be_started_fails_the_session() -> None:
    async def test() -> None:
        async with agent() as bench:
            bench.fail_starts = True
            session = bench.service.new_session()
            bench.service.attach(session)
            bench.service.hint(session)
            await bench.service.until(lambda: session.ended)
            assert session.ended == ("could not be started: no shell", None)

    run(test())


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        "[]",
        json.dumps({"sessionType": "Port"}),
        json.dumps({"sessionType": "Standard_Stream", "inputs": {"kmsKeyId": "alias/x"}}),
        json.dumps({"inputs": 1}),
    ],
)
def test_a_document_that_asks_for_more_than_a_shell_is_refused_not_ignored(document: str) -> None:
    async def test() -> None:
        async with agent() as bench:
            session = bench.service.new_session(document=document)
            bench.service.hint(session)
            await bench.service.until(lambda: session.ended)
            assert session.ended is not None
            assert session.ended[0].startswith("could not be started: ")
            assert bench.runners == []

    run(test())


def test_the_runner_is_told_what_the_service_decided() -> None:
    told: dict[str, object] = {"RunAs": "ann", "NodeName": "web", "Stage": "prod", "Recorded": True}

    async def test() -> None:
        async with agent() as bench:
            session = bench.service.new_session(told=told)
            bench.service.attach(session)
            bench.service.hint(session)
            await bench.service.until(lambda: bench.orders)
            order = bench.orders[0]
            assert (order.run_as, order.node, order.node_name) == ("ann", NODE, "web")
            assert (order.stage, order.recorded) == ("prod", True)

    run(test())


def test_an_earlier_service_says_nothing_of_it() -> None:
    async def test() -> None:
        async with agent() as bench:
            await bench.opened()
            order = bench.orders[0]
            assert (order.run_as, order.node_name, order.stage) == ("", "", STAGE)
            assert not order.recorded

    run(test())


@pytest.mark.parametrize("wrong", [{"RunAs": 7}, {"RunAs": ["ann"]}, {"NodeName": "x" * 5000}])
def test_a_user_that_is_no_text_is_not_taken_for_none(wrong: dict[str, object]) -> None:
    async def test() -> None:
        async with agent() as bench:
            session = bench.service.new_session(told=wrong)
            bench.service.attach(session)
            bench.service.hint(session)
            await bench.service.settle(20)
            assert bench.orders == []
            assert bench.events("session failed")

    run(test())


def test_who_waits_for_the_session_is_told_why_there_is_none() -> None:
    async def test() -> None:
        async with agent() as bench:
            bench.refusal = "run-as user bob does not exist on this node"
            session = bench.service.new_session()
            bench.service.attach(session)
            bench.service.hint(session)
            await bench.service.until(lambda: session.ended)
            assert session.ended == (f"could not be started: {bench.refusal}", None)

    run(test())


def test_the_end_is_reported_again_until_the_service_takes_it() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, _, runner = await bench.opened()
            bench.service.refuse["end"] = [InternalServerError(), InternalServerError()]
            runner.exit(0)
            await bench.service.until(lambda: session.ended)
            assert bench.service.calls.count("end") == 3

    run(test())


# --- the client comes and goes ------------------------------------------------------------------


def test_output_of_a_time_without_client_reaches_the_next_one() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            session.connected = False
            runner.print(b"while away ")
            await bench.service.until(lambda: session.silent == [1])
            runner.print(b"and still ")
            bench.service.attach(session)
            bench.service.hint(session)
            runner.print(b"back")
            await bench.service.until(lambda: client.text.endswith(b"back"))
            assert client.text == b"while away and still back"

    run(test())


def test_a_higher_generation_is_joined_without_a_hint() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            bench.service.attach(session)
            client.type(b"here again")
            await bench.service.until(lambda: runner.fed == b"here again")

    run(test())


@pytest.mark.parametrize("away", [3.0, 10.0, 40.0])
def test_when_the_network_is_back_both_ways_go_on_within_a_second_or_so(away: float) -> None:
    """Attempts of ours come each second at least; the client hears from us, and tries as well."""

    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session, client, runner = await bench.opened()
            await service.settle(20)
            service.transport.cut()
            runner.print(b"printed while away")
            client.type(b"typed while away")
            await service.settle(away)
            service.transport.mend()
            back = service.now()
            await service.until(lambda: runner.fed and client.text)
            assert service.now() - back <= 1.5
            assert (client.text, runner.fed) == (b"printed while away", b"typed while away")
            await service.settle(20)
            assert session.silent == []  # it was we who were away

    run(test())


def test_a_client_that_is_gone_when_the_network_is_back_is_told_to_the_service() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session, client, _ = await bench.opened()
            service.transport.cut()
            client.vanish()
            await service.settle(SILENCE + 20)
            assert session.silent == []
            service.transport.mend()
            await service.settle(SILENCE + 20)
            assert session.silent == [1]

    run(test())


def test_a_410_to_a_young_client_is_tried_again_at_once() -> None:
    async def test() -> None:
        async with agent() as bench:
            bench.service.refuse["frames"] = [ClientGone(), ClientGone(), ClientGone()]
            session, _client, _ = await bench.opened()
            assert session.silent == []

    run(test())


def test_a_410_that_lasts_is_told_to_the_service_once() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, _client, runner = await bench.opened()
            await bench.service.settle(20)
            session.client = None
            runner.print(b"anyone?")
            await bench.service.settle(60)
            assert session.silent == [1]
            assert session.ended is None

    run(test())


def test_a_client_that_goes_silent_is_told_to_the_service() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, _ = await bench.opened()
            client.vanish()
            began = bench.service.now()
            await bench.service.until(lambda: session.silent)
            assert session.silent == [1]
            assert bench.service.now() - began < SILENCE + 5

    run(test())


def test_an_end_whose_hint_was_lost_is_found_though_no_client_is_there() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            client.vanish()
            session.connected = False
            bench.service.hint(session)
            await bench.service.settle()
            before = session.tickets
            await bench.service.settle(LOOK_EVERY * 3 + 10)
            assert session.tickets - before == 3
            session.status = "Terminated"
            await bench.service.settle(LOOK_EVERY + 1)
            assert session.ended == ("terminated", 129)
            assert runner.killed

    run(test())


def test_a_session_whose_messages_cannot_arrive_fails_when_a_client_waits() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session = service.new_session()
            service.transport.unreachable.add(service.topics.data(session.session))
            service.hint(session)
            await service.settle(LISTEN_TIME * 2)
            assert session.ended is None  # nobody is there to be kept waiting
            service.attach(session)
            service.hint(session)
            await service.settle(LISTEN_TIME - 1)
            assert session.ended is None
            await service.settle(2)
            assert session.ended == ("data channel failed", None)

    run(test())


def test_messages_that_can_arrive_in_time_are_waited_for() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session = service.new_session()
            client = service.attach(session)
            service.transport.unreachable.add(service.topics.data(session.session))
            service.hint(session)
            await service.settle(LISTEN_TIME - 1)
            service.transport.unreachable.clear()
            service.transport.mend()
            await service.until(lambda: client.opened)
            await service.settle(LISTEN_TIME)
            assert session.ended is None

    run(test())
