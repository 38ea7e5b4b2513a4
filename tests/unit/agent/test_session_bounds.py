"""A session's tickets, what it must not take, and many sessions at once."""

from __future__ import annotations

import json
from functools import partial

import pytest

from agent.pass_keeper import MARGIN
from agent.seals import MAX_NONCES, Opener, Refused
from agent.session import MAX_HELD
from agent.uplink import MAX_IN_FLIGHT
from hatchway.core.errors import (
    InternalServerError,
    TicketExpired,
    TicketInvalid,
)
from hatchway.core.tickets import TICKET_RENEW_AFTER
from tests.unit.agent.bench import agent
from tests.unit.agent.fake_service import TICKET_LIFE, FakeClient
from tests.unit.agent.virtual_time import run

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
                await service.until(partial(lambda n: len(quick.text) == 1000 * n, count))

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
                await service.until(
                    partial(lambda c, n: c.text == b"%d!" % n * 5000, client, number)
                )
                await service.until(partial(lambda r, n: r.fed == b"%d" % n * 500, runner, number))

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
