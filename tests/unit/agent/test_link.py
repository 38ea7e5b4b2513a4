"""Enrolment, credentials, the control channel and its hints, in virtual time."""

from __future__ import annotations

from functools import partial

import pytest

from agent.hints import BURST, MAX_HINT, MAX_PENDING, PER_SECOND
from agent.link import EARLY_GAP
from agent.ports import Answer
from hatchway.core.errors import (
    AccessDeniedException,
    DoesNotExistException,
    InternalServerError,
    NodeRefused,
    SessionEnded,
)
from tests.unit.agent.bench import INSTANCE, agent
from tests.unit.agent.virtual_time import run


def test_the_first_call_is_signed_by_the_instance_and_all_others_by_the_channel() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            assert service.calls == ["channel", "sessions"]
            assert service.signed_by[0] is None
            signer = service.signed_by[1]
            assert signer is not None
            assert signer.access_key_id == "ASIA0"
            listening = service.transport.listenings[0]
            assert listening.client_id == "hatchway/test/i-0123456789abcdef0"
            assert listening.topic == "hatchway/test/i-0123456789abcdef0/control"
            assert listening.credentials().access_key_id == "ASIA0"

    run(test())


def test_credentials_are_renewed_between_half_and_nine_tenths_of_their_life() -> None:
    async def test() -> None:
        async with agent() as bench:
            began = bench.service.now()
            await bench.service.settle(1790)
            assert len(bench.service.credentials) == 1
            await bench.service.settle(1500)
            assert len(bench.service.credentials) == 2
            assert bench.service.now() - began < 3600
            # The same endpoint: the connection stays, and its next handshake is signed anew.
            (control,) = bench.service.transport.listenings
            assert control.credentials().access_key_id == "ASIA1"

    run(test())


def test_a_refused_or_unreachable_service_is_asked_again_without_haste() -> None:
    async def test() -> None:
        async with agent(ready=False) as bench:
            bench.service.refuse["channel"] = [NodeRefused()] * 8
            await bench.service.settle(120)
            assert 6 <= bench.service.calls.count("channel") <= 9
            bench.service.transport.connected = False
            bench.service.refuse.clear()
            await bench.service.settle(300)
            bench.service.transport.mend()
            asked = bench.service.now()
            await bench.service.until(lambda: "sessions" in bench.service.calls)
            assert bench.service.now() - asked <= 61

    run(test())


def test_retry_after_is_heeded() -> None:
    async def test() -> None:
        async with agent(ready=False) as bench:
            bench.service.refuse["channel"] = [Answer(429, b"{}", retry_after=9.0)]
            await bench.service.settle(8.9)
            assert bench.service.calls == ["channel"]
            await bench.service.settle(1)
            assert bench.service.calls.count("channel") == 2

    run(test())


def test_refused_credentials_are_renewed_early_but_not_in_a_loop() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            service.refuse["sessions"] = [AccessDeniedException()] * 10_000
            service.transport.mend()
            await service.settle(100)
            renewals = len(service.credentials) - 1
            assert 2 <= renewals <= 100 / EARLY_GAP + 1

    run(test())


def test_a_node_whose_enrolment_was_reset_enrols_again_and_opens_what_was_refused() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            for number in (1, 2):  # the second one comes within EARLY_GAP of the first
                service.enrolment = None
                session = service.new_session(number)
                client = service.attach(session)
                service.hint(session)
                began = service.now()
                await service.until(partial(getattr, client, "opened"))
                assert service.now() - began < EARLY_GAP + 2
                assert session.instance == INSTANCE
            assert service.calls.count("channel") == 3

    run(test())


def test_after_each_renewal_of_the_credentials_the_sessions_are_listed() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session = service.new_session()  # its hint was lost
            await service.settle(3400)
            assert session.instance == INSTANCE

    run(test())


def test_a_control_channel_that_is_refused_twice_makes_new_credentials() -> None:
    async def test() -> None:
        async with agent() as bench:
            (control,) = bench.service.transport.listenings
            control.listener.down("CONNACK_135")
            await bench.service.settle(5)
            assert len(bench.service.credentials) == 1
            control.listener.down("CONNACK_135")
            await bench.service.until(lambda: len(bench.service.credentials) == 2)

    run(test())


def test_after_each_reconnection_the_sessions_are_listed_and_missed_ones_begin() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            service.transport.cut()
            session = service.new_session()
            client = service.attach(session)
            service.transport.mend()
            await service.until(lambda: client.opened)
            assert session.instance == INSTANCE

    run(test())


def test_a_listing_that_fails_is_tried_again() -> None:
    async def test() -> None:
        async with agent(ready=False) as bench:
            service = bench.service
            session = service.new_session()
            client = service.attach(session)
            service.refuse["sessions"] = [InternalServerError(), InternalServerError()]
            await service.until(lambda: client.opened)
            assert session.instance == INSTANCE

    run(test())


def test_a_session_that_ended_unheard_is_ended_at_the_next_listing() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session, _, runner = await bench.opened()
            service.transport.cut()
            session.status = "Terminated"
            service.transport.mend()
            await service.until(lambda: session.ended)
            assert runner.killed

    run(test())


def test_a_session_of_an_agent_that_is_no_more_is_opened_for_the_service_to_end_it() -> None:
    async def test() -> None:
        async with agent(ready=False) as bench:
            service = bench.service
            service.new_session(instance="another")
            service.refuse["open"] = [SessionEnded()]
            await service.until(lambda: "open" in service.calls)
            await service.settle(5)
            assert bench.runners == []
            assert service.calls.count("open") == 1
            assert service.reports == []

    run(test())


def test_an_end_that_could_not_be_told_is_told_at_the_next_listing() -> None:
    async def test() -> None:
        async with agent(ready=False) as bench:
            session = bench.service.new_session(instance=INSTANCE, status="Terminating")
            await bench.service.until(lambda: session.ended)
            assert session.ended == ("terminated", None)

    run(test())


@pytest.mark.parametrize("refusal", [SessionEnded, DoesNotExistException])
def test_a_genuine_hint_at_a_session_that_is_over_runs_nothing_and_is_reported(
    refusal: type[SessionEnded] | type[DoesNotExistException],
) -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            session = service.new_session()
            service.refuse["open"] = [refusal()]
            service.hint(session)
            await service.until(lambda: service.reports)
            assert service.reports == [{"staleHint": 1}]
            assert bench.runners == []

    run(test())


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"v": 2, "session": "a-00000000000000001"}',
        b'{"v": 1, "session": "../../etc"}',
        b'{"v": 1, "session": 7}',
        b"[" * 400,
        b'{"v": 1, "session": "a-00000000000000001"}' + b" " * MAX_HINT,
    ],
)
def test_junk_on_the_control_topic_is_dropped_and_counted(junk: bytes) -> None:
    async def test() -> None:
        async with agent() as bench:
            bench.service.transport.publish(bench.service.topics.control, junk)
            await bench.service.until(lambda: bench.service.reports)
            assert bench.service.reports == [{"malformedHint": 1}]
            assert "open" not in bench.service.calls

    run(test())


@pytest.mark.parametrize("listed", [False, True])
def test_news_of_a_session_that_is_being_opened_is_not_lost(listed: bool) -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            service.late["open"] = 5.0
            session = service.new_session()
            service.hint(session)
            await service.settle(1)
            session.status = "Terminating"
            if listed:
                service.transport.mend()
            else:
                service.hint(session)
            await service.settle(6)
            assert session.ended == ("terminated", None)

    run(test())


def test_hints_at_one_session_are_coalesced() -> None:
    async def test() -> None:
        async with agent() as bench:
            session, _, _ = await bench.opened()
            before = session.tickets
            for _ in range(500):
                bench.service.hint(session)
                await bench.service.settle(0.01)
            assert session.tickets - before <= 5 / 0.25 + 2

    run(test())


def test_a_flood_of_hints_is_slowed_down_bounded_and_reported() -> None:
    async def test() -> None:
        async with agent() as bench:
            service = bench.service
            service.refuse["open"] = [DoesNotExistException()] * 10_000
            for number in range(2000):
                service.hint(f"flood-{number:017x}")
            await service.settle(1)
            assert service.calls.count("open") <= BURST + PER_SECOND + 1
            await service.settle(60)
            assert service.calls.count("open") == BURST + MAX_PENDING
            assert service.calls.count("sessions") <= 3
            total = sum(report.get("hintFlood", 0) for report in service.reports)
            assert total == 2000 - BURST - MAX_PENDING

    run(test())


def test_opening_is_tried_again_when_the_service_stumbles() -> None:
    async def test() -> None:
        async with agent() as bench:
            bench.service.refuse["open"] = [InternalServerError(), InternalServerError()]
            session, _, _ = await bench.opened()
            assert session.ended is None

    run(test())


def test_stopping_ends_all_sessions_and_tells_the_service() -> None:
    async def test() -> None:
        async with agent() as bench:
            one, _, first = await bench.opened(1)
            two, _, second = await bench.opened(2)
            await bench.link.close()
            assert one.ended == two.ended == ("agent stopped", 129)
            assert first.killed
            assert second.killed
            assert bench.service.transport.clients() == set()

    run(test())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"Credentials": 1}',
        b'{"Credentials": {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c", '
        b'"Expiration": NaN}, "IotEndpoint": "e", "Stage": "s"}',
        b"[" * 100_000,
        b'{"ServerTime": 1e400}',
    ],
)
def test_a_hostile_answer_is_an_error_and_not_the_end_of_the_agent(body: bytes) -> None:
    async def test() -> None:
        async with agent(ready=False) as bench:
            bench.service.refuse["channel"] = [Answer(200, body)]
            await bench.service.until(lambda: "sessions" in bench.service.calls)
            assert bench.service.calls.count("channel") == 2

    run(test())
