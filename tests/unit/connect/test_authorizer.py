"""The authorizer: one token, one connection, one answer; anything else is the same Deny."""

from __future__ import annotations

from typing import Any

import pytest

from hatchway.core.lifecycle import Status
from hatchway.core.tokens import new_token, token_digest
from lambdas.connect.authorizer import Authorizer
from lambdas.logline import Line
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Token
from tests.unit.connect.owners import Owners
from tests.unit.edge.world import CONNECTION, NODE, SESSION, World, recorded

TOKEN = new_token(bytes(32))
METHOD = "arn:aws:execute-api:us-east-1:123456789012:s1t2r3e4a5/local/$connect"


def offer(*headers: str, connection: str = CONNECTION) -> dict[str, Any]:
    event = recorded("ws_authorizer.json")
    event["multiValueHeaders"]["Sec-WebSocket-Protocol"] = list(headers)
    event["requestContext"]["connectionId"] = connection
    return event


def good(connection: str = CONNECTION) -> dict[str, Any]:
    return offer(f"hatchway.v1, {TOKEN}", connection=connection)


def decide(
    world: World, event: dict[str, Any], owners: Owners | None = None, line: Line | None = None
) -> dict[str, Any]:
    authorizer = Authorizer(world.sessions, world.clock, owners or Owners())
    decision: dict[str, Any] = authorizer.decide(event, line or Line("connect"))
    return decision


def effect(decision: dict[str, Any]) -> str:
    [statement] = decision["policyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    return str(statement["Effect"])


def made(world: World, token: str, generation: int) -> Token:
    return Token(
        digest=token_digest(token),
        session_id=SESSION,
        expires=world.clock() + 60,
        generation=generation,
    )


@pytest.fixture
def world() -> World:
    begun = World()
    begun.start(token=TOKEN)
    return begun


def test_the_recorded_event_is_allowed_with_exactly_its_method_and_the_context(
    world: World,
) -> None:
    decision = decide(world, recorded("ws_authorizer.json"))
    assert decision == {
        "principalId": "123456789012/AIDAJOHN",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": METHOD}],
        },
        "context": {
            "session": SESSION,
            "side": "client",
            "node": NODE,
            "owner": "123456789012/AIDAJOHN",
            "arn": "arn:aws:iam::123456789012:user/john",
            "generation": "1",
            "record": "beside",
            "recordTyped": "false",
            "recordCap": "0",
        },
    }
    assert world.get().generation == 0  # `$connect` alone attaches a client


def test_a_token_opens_one_connection(world: World) -> None:
    assert effect(decide(world, good())) == "Allow"
    assert effect(decide(world, good(connection="AnotherOne12345="))) == "Deny"
    assert world.sessions.connection("AnotherOne12345=") is None


def test_the_same_connection_again_gets_the_same_generation(world: World) -> None:
    first = decide(world, good())["context"]
    world.change(generation=5)
    assert decide(world, good())["context"] == first


def test_each_later_connection_has_a_higher_generation(world: World) -> None:
    decide(world, good())
    world.change(generation=1)
    again = new_token(b"\1" * 32)
    world.sessions.add_token(made(world, again, generation=1))
    decision = decide(world, offer(f"hatchway.v1, {again}", connection="AnotherOne12345="))
    assert decision["context"]["generation"] == "2"


@pytest.mark.parametrize(("made_at", "answer"), [(0, "Deny"), (1, "Allow"), (2, "Allow")])
def test_a_token_displaces_no_client_that_was_attached_after_it_was_made(
    world: World, made_at: int, answer: str
) -> None:
    world.change(generation=1, connection="AttachedNow123=")
    late = new_token(b"\1" * 32)
    world.sessions.add_token(made(world, late, generation=made_at))
    assert effect(decide(world, offer(f"hatchway.v1, {late}"))) == answer
    assert world.get().connection == "AttachedNow123="


def test_a_token_of_a_program_that_reconnects_says_so_at_each_try(world: World) -> None:
    again = new_token(b"\1" * 32)
    world.sessions.add_token(
        Token(
            digest=token_digest(again),
            session_id=SESSION,
            expires=world.clock() + 60,
            reconnects=True,
        )
    )
    event = offer(f"hatchway.v1, {again}")
    first, retried = decide(world, event), decide(world, event)
    assert first["context"]["reconnects"] == retried["context"]["reconnects"] == "true"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (TOKEN,),
        ("hatchway.v1",),
        (f"{TOKEN}, hatchway.v1",),
        (f"hatchway.v1, {TOKEN}, {TOKEN}",),
        (f"hatchway.v1, {TOKEN}", f"hatchway.v1, {TOKEN}"),
        (f"hatchway.v2, {TOKEN}",),
        (f"hatchway.v1, {TOKEN}A",),
        (f"hatchway.v1, {TOKEN[:-1]}",),
        ("hatchway.v1, " + "B" * 42 + "A",),  # well formed, unknown
    ],
)
def test_anything_but_the_protocol_and_a_known_token_is_denied(
    world: World, headers: tuple[str, ...]
) -> None:
    decision = decide(world, offer(*headers))
    assert effect(decision) == "Deny"
    assert "context" not in decision
    assert world.get().generation == 0


@pytest.mark.parametrize("address", ["192.0.2.8", "", None, "192.0.2.70"])
def test_a_token_for_one_address_opens_nothing_from_another(
    world: World, address: str | None
) -> None:
    bound = new_token(b"\2" * 32)
    digest = token_digest(bound)
    world.sessions.add_token(
        Token(digest=digest, session_id=SESSION, expires=world.clock() + 60, source_ip="192.0.2.7")
    )
    event = offer(f"hatchway.v1, {bound}")
    event["requestContext"]["identity"]["sourceIp"] = address
    assert effect(decide(world, event)) == "Deny"
    event["requestContext"]["identity"]["sourceIp"] = "192.0.2.7"
    assert effect(decide(world, event)) == "Allow"


def test_an_expired_token_is_denied(world: World) -> None:
    world.clock.advance(60)
    assert effect(decide(world, good())) == "Deny"


@pytest.mark.parametrize("status", [Status.TERMINATING, Status.TERMINATED, Status.FAILED])
def test_a_session_that_ends_or_has_ended_takes_nobody(world: World, status: Status) -> None:
    world.change(status=status, ended=world.clock())
    assert effect(decide(world, good())) == "Deny"
    assert world.get().generation == 0


def test_a_retry_after_the_session_ended_is_denied_as_well(world: World) -> None:
    decide(world, good())
    world.change(status=Status.TERMINATING)
    assert effect(decide(world, good())) == "Deny"


@pytest.mark.parametrize("missing", ["methodArn", "requestContext"])
def test_an_event_without_method_or_connection_is_denied(world: World, missing: str) -> None:
    event = good()
    del event[missing]
    assert effect(decide(world, event)) == "Deny"


def test_letting_a_client_in_writes_nothing_to_the_session(world: World) -> None:
    world.change(generation=4, connection="AttachedNow123=")
    before, next_one = world.get(), new_token(b"\1" * 32)
    world.sessions.add_token(made(world, next_one, generation=4))
    decision = decide(world, offer(f"hatchway.v1, {next_one}"))
    assert decision["context"]["generation"] == "5"
    assert world.get() == before


class Broken(MemorySessions):
    def use_token(self, digest: str, connection: str, now: float) -> Token | None:
        raise RuntimeError(f"cannot look up {digest}")


def test_a_failure_is_a_deny_without_its_text() -> None:
    world = World()
    line = Line("connect")
    decision = Authorizer(Broken(world.clock), world.clock, Owners()).decide(good(), line)
    assert effect(decision) == "Deny"
    assert line.level == "ERROR"
    assert token_digest(TOKEN) not in repr(decision) + repr(line.fields)
