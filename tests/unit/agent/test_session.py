"""One session, from hint to end, in virtual time over the fake service."""

from __future__ import annotations

import json

import pytest

from agent.pass_keeper import LOOK_EVERY, MARGIN
from agent.seals import MAX_NONCES, Opener, Refused
from agent.session import DRAIN_TIME, LISTEN_TIME, MAX_HELD
from agent.uplink import MAX_IN_FLIGHT
from hatchway.core.channel import SILENCE
from hatchway.core.errors import (
    ClientGone,
    InternalServerError,
    TicketExpired,
    TicketInvalid,
)
from hatchway.core.tickets import TICKET_RENEW_AFTER
from hatchway.core.wire import FlagValue
from tests.unit.agent.bench import agent
from tests.unit.agent.fake_service import NODE, STAGE, TICKET_LIFE, FakeClient
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


# --- tickets ------------------------------------------------------------------------------------


def test_an_open_session_renews_its_ticket_twice_a_minute_and_not_more() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, _ = await bench.opened()
            before = session.tickets
            for _ in range(600):
                client.type(b"x")
                await bench.service.settle(1)
            assert 15 <= session.tickets - before <= 21

    run(test())


def test_without_a_valid_ticket_nothing_is_fed() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            bench.service.refuse["ticket"] = [InternalServerError()] * 1000
            for _ in range(int(TICKET_LIFE) * 3):
                client.type(b"x")
                await bench.service.settle(1)
            assert len(runner.fed) <= TICKET_LIFE - MARGIN + 1
            bench.service.refuse.clear()
            await bench.service.until(lambda: len(runner.fed) == TICKET_LIFE * 3)
            assert session.ended is None

    run(test())


@pytest.mark.parametrize("refusal", [TicketExpired, TicketInvalid])
def test_a_refused_ticket_is_renewed_and_nothing_is_lost(
    refusal: type[TicketExpired] | type[TicketInvalid],
) -> None:
    async def test() -> None:
        async with agent() as bench:
            _, client, runner = await bench.opened()
            bench.service.refuse["frames"] = [refusal()]
            runner.print(b"important")
            await bench.service.until(lambda: client.text == b"important")

    run(test())


@pytest.mark.parametrize("skew", [-300.0, 300.0])
def test_five_minutes_of_skew_do_not_matter(skew: float) -> None:
    async def test() -> None:
        async with agent(skew) as bench:
            _, client, runner = await bench.opened()
            for _ in range(90):
                client.type(b"x")
                await bench.service.settle(1)
            await bench.service.until(lambda: len(runner.fed) == 90)

    run(test())


def test_activity_is_what_the_service_marked_and_has_back_within_half_a_minute() -> None:
    async def test() -> None:
        async with agent(skew=200.0) as bench:
            session, client, _ = await bench.opened()
            for _ in range(3):
                client.type(b"x")
                typed = bench.service.unix()
                await bench.service.settle(TICKET_RENEW_AFTER + 1)
                assert abs(session.activity - typed) <= 1

    run(test())


@pytest.mark.parametrize("counts", [True, False])
def test_output_is_told_of_where_the_document_lets_it_count(counts: bool) -> None:
    inputs = {"hatchway": {"outputKeepsAlive": counts}}
    document = json.dumps(
        {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}
    )

    async def test() -> None:
        async with agent() as bench:
            session, _, runner = await bench.opened(document=document)
            await bench.service.settle(TICKET_RENEW_AFTER + 1)
            runner.print(b"progress")
            await bench.service.settle(TICKET_RENEW_AFTER + 1)
            assert bool(session.printed) is counts

    run(test())


# --- what must not be taken ---------------------------------------------------------------------


def test_forged_replayed_expired_and_older_messages_are_dropped_and_reported() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session, client, runner = await bench.opened()
            other = service.new_session(2)
            client.type(b"once")
            await service.until(lambda: runner.fed == b"once")
            topic = service.topics.data(session.session)
            frames = [b"\0" * 120]
            for junk in (
                b"",
                b"junk" * 20,
                service.sealed(other, frames, generation=1),
                service.sealed(session, frames)[:-1] + b"\0",
                client.sent[-1],
                service.sealed(session, frames, expires=int(service.unix()) - 1),
                service.sealed(session, frames, generation=0),
            ):
                service.transport.publish(topic, junk)
            await service.until(lambda: service.reports)
            assert service.reports[0] == {
                "forged": 4,
                "replayed": 1,
                "expired": 1,
                "olderGeneration": 1,
            }
            assert runner.fed == b"once"

    run(test())


def test_a_message_of_a_generation_nobody_has_is_held_within_bounds_and_then_dropped() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session, _, runner = await bench.opened()
            topic = service.topics.data(session.session)
            for _ in range(MAX_HELD + 3):
                service.transport.publish(topic, service.sealed(session, [], generation=9))
            await service.until(lambda: service.reports)
            assert service.reports[0] == {"flood": 3}
            assert runner.fed == b""

    run(test())


def test_reports_come_once_a_minute_with_counts() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            for _ in range(1200):
                service.transport.publish(service.topics.control, b"junk")
                await service.settle(0.1)
            await service.settle(61)
            assert 2 <= len(service.reports) <= 4
            assert sum(report["malformedHint"] for report in service.reports) == 1200

    run(test())


def test_nonces_are_forgotten_when_their_messages_have_expired_and_never_before() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session, _, _ = await bench.opened()
            opener = Opener(
                service.topics.node, session.session, bench.clock, bench.link._p.cipher_of
            )
            opener.add_key("key00001", session.key)
            for _ in range(MAX_NONCES):
                assert not isinstance(opener.open(service.sealed(session, []), 1), Refused)
            flooded = opener.open(service.sealed(session, []), 1)
            assert isinstance(flooded, Refused)
            assert flooded.why == "flood"
            await service.settle(31)
            assert not isinstance(opener.open(service.sealed(session, []), 1), Refused)
            assert len(opener._seen) == 1

    run(test())


# --- many ---------------------------------------------------------------------------------------


def test_uploads_of_a_session_never_exceed_their_limit_and_coalesce_behind_it() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            _, client, runner = await bench.opened()
            service.delay["post"] = 0.1
            before = service.calls.count("frames")
            for _ in range(1000):
                runner.print(b"x" * 100)
                await service.settle(0.001)
            await service.until(lambda: len(client.text) == 100_000)
            assert service.uploads_most <= MAX_IN_FLIGHT
            assert service.calls.count("frames") - before < 120

    run(test())


def test_one_slow_client_does_not_hold_up_another() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            _, slow, slow_runner = await bench.opened(1)
            _, quick, quick_runner = await bench.opened(2)
            slow.vanish()
            while slow_runner.allowed:
                slow_runner.print(b"x" * min(slow_runner.allowed, 60_000))
                await service.settle(0.05)
            for count in range(1, 100):
                quick_runner.print(b"y" * 1000)
                await service.until(lambda count=count: len(quick.text) == 1000 * count)

    run(test())


def test_twenty_sessions_at_once_are_not_mixed_up() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            opened = [await bench.opened(number) for number in range(1, 21)]
            for number, (_, client, runner) in enumerate(opened):
                client.type(b"%d" % number * 500)
                runner.print(b"%d!" % number * 5000)
            for number, (_, client, runner) in enumerate(opened):
                await service.until(lambda c=client, n=number: c.text == b"%d!" % n * 5000)
                await service.until(lambda r=runner, n=number: r.fed == b"%d" % n * 500)

    run(test())


def test_nothing_typed_or_printed_is_logged() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            client.type(b"pass-phrase")
            runner.print(b"top-secret-output")
            await bench.service.until(lambda: client.text and runner.fed)
            runner.exit(0)
            await bench.service.until(lambda: session.ended)
            said = json.dumps(bench.log)
            for secret in ("pass-phrase", "secret-output", "enrolment-secret", "ticket.", "token"):
                assert secret not in said

    run(test())


def test_another_client_is_shown_what_was_printed_and_has_the_screen_drawn_again() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, client, runner = await bench.opened()
            runner.print(b"one\r\n")
            await bench.service.until(lambda: client.text == b"one\r\n")
            sizes = []
            runner.resize = lambda *size: sizes.append(size)  # type: ignore[method-assign]
            other = FakeClient(bench.service, session)
            bench.service.attach(session, other)
            bench.service.hint(session)
            runner.print(b"two\r\n")
            await bench.service.until(lambda: other.opened)
            other.channel.resize(80, 24)
            other.pump()
            await bench.service.until(lambda: other.text == b"one\r\ntwo\r\n")
            await bench.service.until(lambda: len(sizes) == 2)
            assert sizes == [(80, 23), (80, 24)]

    run(test())
