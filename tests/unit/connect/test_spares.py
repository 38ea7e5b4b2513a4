"""Spare tokens at the door: what was true when one was given out is asked again when it is used."""

from __future__ import annotations

from typing import Any

import pytest

from hatchway.core.errors import AccessDeniedException, ThrottlingException
from hatchway.core.lifecycle import Status
from hatchway.core.tokens import new_token, token_digest
from lambdas.connect.authorizer import Authorizer
from lambdas.connect.handler import Connections
from lambdas.logline import Line
from lambdas.ports import Token
from tests.unit.connect.owners import Owners
from tests.unit.edge.world import CONNECTION, SESSION, World, recorded

SPARE, LATER = new_token(b"\1" * 32), new_token(b"\2" * 32)
ADDRESS = "192.0.2.7"
FIRST, SECOND = "SecondOne123456=", "ThirdOne1234567="


@pytest.fixture
def world() -> World:
    """A session whose client is attached and has asked for its spare."""
    begun = World()
    begun.start()
    begun.client()
    give(begun, SPARE)
    return begun


def give(world: World, token: str) -> None:
    """What `resumeSession` does on the attached connection."""
    read = world.get()
    made = Token(
        digest=token_digest(token),
        session_id=SESSION,
        expires=world.clock() + 2400,
        source_ip=ADDRESS,
        reconnects=True,
        generation=read.generation,
        spare=True,
    )
    world.sessions.add_token(made)
    world.change(spare=made.digest)


def show(
    world: World,
    token: str = SPARE,
    owners: Owners | None = None,
    connection: str = FIRST,
    address: str = ADDRESS,
    line: Line | None = None,
) -> dict[str, str] | None:
    """The context that the authorizer gives for a token; None where it denies."""
    event = recorded("ws_authorizer.json")
    event["multiValueHeaders"]["Sec-WebSocket-Protocol"] = [f"hatchway.v1, {token}"]
    event["requestContext"]["connectionId"] = connection
    event["requestContext"]["identity"]["sourceIp"] = address
    event["requestContext"]["identity"]["userAgent"] = "hatchway/1"
    authorizer = Authorizer(world.sessions, world.clock, owners or Owners())
    decision: Any = authorizer.decide(event, line or Line("connect"))
    allowed = decision["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert allowed == ("context" in decision)
    context: dict[str, str] | None = decision.get("context")
    return context


def attach(world: World, context: dict[str, str], connection: str) -> int:
    """`$connect`, after the authorizer let it in; its status."""
    world.clients.open(connection)
    event = recorded("ws_connect.json")
    event["requestContext"]["authorizer"] = context
    event["requestContext"]["connectionId"] = connection
    connections = Connections(world.sessions, world.clients, world.downlink, world.clock)
    answer = connections.connect(event, Line("connect"))
    return int(str(answer["statusCode"]))


def test_a_spare_attaches_a_client_whose_owner_may_resume(world: World) -> None:
    owners = Owners()
    context = show(world, owners=owners)
    assert context is not None
    assert (context["generation"], context["reconnects"]) == ("2", "true")
    [(session, about)] = owners.asked
    assert (session, about.source_ip, about.user_agent) == (SESSION, ADDRESS, "hatchway/1")
    assert attach(world, context, FIRST) == 200
    assert (world.get().generation, world.get().connection) == (2, FIRST)


def test_an_owner_who_may_resume_no_more_is_refused(world: World) -> None:
    owners, line = Owners(), Line("connect")
    owners.refusal = AccessDeniedException("no more")
    assert show(world, owners=owners, line=line) is None
    assert line.fields["code"] == "AccessDeniedException"
    assert world.sessions.connection(FIRST) is None
    assert world.get().generation == 1


@pytest.mark.parametrize("error", [ThrottlingException(), RuntimeError("IAM is silent")])
def test_where_the_permission_cannot_be_asked_nobody_is_let_in(
    world: World, error: Exception
) -> None:
    owners = Owners()
    owners.refusal = error
    assert show(world, owners=owners) is None


def test_a_refusal_is_not_the_end_of_a_spare(world: World) -> None:
    owners = Owners()
    owners.refusal = ThrottlingException()
    assert show(world, owners=owners) is None
    assert show(world, address="192.0.2.8") is None
    owners.refusal = None
    assert show(world, owners=owners, connection=SECOND) is not None


def test_a_spare_is_spent_when_it_has_attached_a_client_and_not_before(world: World) -> None:
    """The first attempt was let in and cut before `$connect`: the next one needs it as well."""
    assert show(world) is not None
    context = show(world, connection=SECOND)
    assert context is not None
    assert attach(world, context, SECOND) == 200
    assert show(world, connection="FourthOne12345=") is None


def test_of_two_that_a_spare_let_in_one_is_attached(world: World) -> None:
    first, second = show(world), show(world, connection=SECOND)
    assert first is not None
    assert second is not None
    assert attach(world, second, SECOND) == 200
    assert attach(world, first, FIRST) == 401
    assert world.get().connection == SECOND


def test_the_next_spare_takes_the_place_of_the_one_before(world: World) -> None:
    give(world, LATER)
    assert show(world) is None
    assert show(world, LATER) is not None


def test_a_takeover_is_not_undone_by_a_spare(world: World) -> None:
    another = new_token(b"\3" * 32)
    world.sessions.add_token(
        Token(
            digest=token_digest(another),
            session_id=SESSION,
            expires=world.clock() + 60,
            generation=1,
        )
    )
    taken = show(world, another, connection=SECOND)
    assert taken is not None
    let_in = show(world)  # even when it was let in before the other one was attached
    assert let_in is not None
    assert attach(world, taken, SECOND) == 200
    assert attach(world, let_in, FIRST) == 401
    assert show(world, connection="FourthOne12345=") is None
    assert world.get().connection == SECOND


def test_a_spare_opens_nothing_from_another_address_nor_after_its_time(world: World) -> None:
    for address in ("192.0.2.8", "", "192.0.2.70"):
        assert show(world, address=address) is None
    world.clock.advance(2400)
    assert show(world) is None


@pytest.mark.parametrize("status", [Status.TERMINATING, Status.TERMINATED, Status.FAILED])
def test_a_session_that_ends_or_has_ended_takes_no_spare(world: World, status: Status) -> None:
    owners = Owners()
    world.change(status=status, ended=world.clock())
    assert show(world, owners=owners) is None
    assert owners.asked == []


def test_a_token_of_a_signed_request_asks_no_permission(world: World) -> None:
    owners, signed = Owners(), new_token(b"\4" * 32)
    world.sessions.add_token(
        Token(
            digest=token_digest(signed),
            session_id=SESSION,
            expires=world.clock() + 60,
            generation=1,
        )
    )
    assert show(world, signed, owners) is not None
    assert owners.asked == []


def test_the_same_connection_again_gets_the_same_answer(world: World) -> None:
    """Lambda tries again what it thinks has failed."""
    assert show(world) == show(world)
    assert CONNECTION not in (FIRST, SECOND)
