"""Clients come and go: the later one wins, audibly, and a late goodbye harms nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.connect.authorizer import Authorizer
from lambdas.connect.dispatch import dispatch
from lambdas.connect.handler import Connections
from lambdas.ports import Connection
from tests.unit.connect.owners import Owners
from tests.unit.edge.world import CONNECTION, NODE, SESSION, World, recorded

LATER = "LaterOne1234567="


def run(world: World, event: dict[str, Any]) -> dict[str, Any]:
    connections = Connections(world.sessions, world.clients, world.downlink, world.clock)
    authorizer = Authorizer(world.sessions, world.clock, Owners())
    return dispatch(event, authorizer, connections, world.lines)


def let_in(
    world: World, connection: str = CONNECTION, *, reconnects: bool = False
) -> dict[str, Any]:
    """What the authorizer does, and the `$connect` event that follows."""
    proposed = world.get().generation + 1
    world.sessions.add_connection(
        Connection(
            connection=connection,
            session_id=SESSION,
            generation=proposed,
            reconnects=reconnects,
        )
    )
    world.clients.open(connection)
    event = recorded("ws_connect.json")
    event["requestContext"]["connectionId"] = connection
    event["requestContext"]["authorizer"]["generation"] = str(proposed)
    if reconnects:
        event["requestContext"]["authorizer"]["reconnects"] = "true"
    return event


def goodbye(connection: str = CONNECTION) -> dict[str, Any]:
    event = recorded("ws_disconnect.json")
    event["requestContext"]["connectionId"] = connection
    return event


@pytest.fixture
def world() -> World:
    made = World()
    made.start()
    return made


def test_the_first_client_is_attached_and_the_node_is_told(world: World) -> None:
    answer = run(world, let_in(world))
    assert answer == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "hatchway.v1"}}
    session = world.get()
    assert (session.status, session.connection) == (Status.CONNECTING, CONNECTION)
    assert session.activity == world.clock()
    assert world.downlink.hints == [(NODE, SESSION)]
    assert len(world.lines.written) == 1


@pytest.mark.parametrize("status", [Status.CONNECTING, Status.DISCONNECTED])
def test_with_the_agent_there_the_session_is_connected(world: World, status: Status) -> None:
    world.change(agent_instance="agent-1", status=status)
    run(world, let_in(world))
    assert world.get().status is Status.CONNECTED


def test_a_later_client_takes_over_audibly(world: World) -> None:
    run(world, let_in(world))
    run(world, let_in(world, LATER))
    assert json.loads(world.clients.sent[CONNECTION][0])["notice"] == "takenOver"
    assert world.clients.closed == [CONNECTION]
    assert world.get().connection == LATER


def test_who_resumes_begins_the_idle_time_anew_and_counts_as_a_takeover(world: World) -> None:
    run(world, let_in(world))
    world.change(marked=40)
    world.clock.advance(100.0)
    run(world, let_in(world, LATER))
    session = world.get()
    assert session.activity == session.attached == world.clock()
    assert (session.marked, session.takeovers) == (-1, 1)


def test_a_program_that_reconnects_by_itself_is_no_activity_and_no_takeover(world: World) -> None:
    run(world, let_in(world))
    began = world.get().activity
    world.change(marked=40)
    world.clock.advance(100.0)
    run(world, let_in(world, LATER, reconnects=True))
    session = world.get()
    assert (session.activity, session.attached) == (began, world.clock())
    assert (session.connection, session.marked, session.takeovers) == (LATER, 40, 0)


def test_a_client_that_finds_nobody_takes_nothing_over(world: World) -> None:
    run(world, let_in(world))
    run(world, goodbye())
    run(world, let_in(world, LATER))
    assert world.get().takeovers == 0


def test_a_takeover_happens_though_the_older_client_cannot_be_told(world: World) -> None:
    run(world, let_in(world))
    event = let_in(world, LATER)
    world.clients.failure = ThrottlingException()
    assert run(world, event)["statusCode"] == 200
    assert world.get().connection == LATER
    assert world.lines.last["takeover"] == "ThrottlingException"


def test_a_client_that_was_let_in_and_never_came_costs_the_attached_one_nothing(
    world: World,
) -> None:
    world.change(agent_instance="agent-1")
    run(world, let_in(world))
    before = world.get()
    let_in(world, LATER)  # its `$connect` failed, or was never asked
    run(world, goodbye(LATER))
    assert world.get() == before
    assert (before.generation, before.connection) == (1, CONNECTION)
    last = "LastOne12345678="
    assert run(world, let_in(world, last))["statusCode"] == 200
    assert (world.get().generation, world.get().connection) == (2, last)


@pytest.mark.parametrize("more", [0, 1])
def test_of_two_that_were_let_in_at_once_the_second_to_come_is_refused(
    world: World, more: int
) -> None:
    first = let_in(world)
    for connection in [LATER, "LastOne12345678="][: 1 + more]:
        run(world, let_in(world, connection))
    attached = world.get()
    assert run(world, first)["statusCode"] == 401
    assert world.get() == attached
    assert world.clients.closed == [LATER][:more]


def test_a_generation_that_was_never_proposed_is_refused(world: World) -> None:
    event = let_in(world)
    event["requestContext"]["authorizer"]["generation"] = "2"
    assert run(world, event)["statusCode"] == 401


@pytest.mark.parametrize("status", [Status.TERMINATING, Status.TERMINATED, Status.FAILED])
def test_a_session_that_ended_meanwhile_is_refused(world: World, status: Status) -> None:
    event = let_in(world)
    world.change(status=status, ended=world.clock())
    assert run(world, event)["statusCode"] == 401
    assert world.get().connection == ""
    assert world.downlink.hints == []


@pytest.mark.parametrize(
    "change",
    [
        {"side": "agent"},
        {"generation": "0"},
        {"generation": "x"},
        {"generation": 1},
        {"node": "i-0fedcba9876543210"},
        {"node": "elsewhere"},
        {"session": "john"},
        {"owner": ""},
    ],
)
def test_a_context_that_is_not_the_authorizers_is_refused(
    world: World, change: dict[str, object]
) -> None:
    event = let_in(world)
    event["requestContext"]["authorizer"] |= change
    assert run(world, event)["statusCode"] == 401
    assert world.get().connection == ""


def test_connect_again_for_the_same_connection_changes_nothing(world: World) -> None:
    event = let_in(world)
    run(world, event)
    before = world.get()
    assert run(world, event)["statusCode"] == 200
    assert world.get() == before
    assert world.clients.closed == []


def test_a_failing_store_is_a_500_without_words(world: World) -> None:
    event = let_in(world)
    world.sessions.update = None  # type: ignore[method-assign,assignment]  # a store that is broken
    assert run(world, event) == {"statusCode": 500}
    assert world.lines.written[-1][0] == "ERROR"


def test_losing_the_attached_client_disconnects_the_session_and_tells_the_node(
    world: World,
) -> None:
    world.change(agent_instance="agent-1")
    run(world, let_in(world))
    world.clock.advance(5)
    run(world, goodbye())
    session = world.get()
    assert (session.status, session.connection) == (Status.DISCONNECTED, "")
    assert session.status_since == world.clock()
    assert world.downlink.hints == [(NODE, SESSION)] * 2
    assert world.sessions.connection(CONNECTION) is None


def test_a_late_goodbye_of_an_older_client_changes_nothing(world: World) -> None:
    world.change(agent_instance="agent-1")
    run(world, let_in(world))
    run(world, let_in(world, LATER))
    before = world.get()
    run(world, goodbye())
    assert world.get() == before
    assert world.sessions.connection(CONNECTION) is None


@pytest.mark.parametrize("times", [1, 2])
def test_a_goodbye_may_come_twice_or_for_nobody(world: World, times: int) -> None:
    run(world, let_in(world))
    for _ in range(times):
        assert run(world, goodbye()) == {"statusCode": 200}
    assert run(world, goodbye("UnknownOne12345="))["statusCode"] == 200
    assert world.get().status is Status.CONNECTING


def test_a_goodbye_after_the_end_keeps_the_end_and_disturbs_no_node(world: World) -> None:
    run(world, let_in(world))
    world.change(status=Status.TERMINATED, ended=world.clock(), end_reason="Exited")
    hints = len(world.downlink.hints)
    run(world, goodbye())
    assert (world.get().status, world.get().connection) == (Status.TERMINATED, "")
    assert len(world.downlink.hints) == hints


def test_a_goodbye_of_a_forgotten_session_is_taken(world: World) -> None:
    world.sessions.add_connection(
        Connection(connection=CONNECTION, session_id="mary-0123456789abcdef0", generation=1)
    )
    assert run(world, goodbye()) == {"statusCode": 200}


def test_the_authorizers_event_goes_to_the_authorizer(world: World) -> None:
    answer = run(world, recorded("ws_authorizer.json"))
    assert "policyDocument" in answer


def test_an_event_of_no_known_kind_is_refused(world: World) -> None:
    assert run(world, recorded("ws_message.json"))["statusCode"] == 400
    assert world.lines.written[-1][0] == "WARNING"


def test_whoever_attaches_leaves_no_spare_of_before(world: World) -> None:
    world.change(spare="f" * 64)
    run(world, let_in(world))
    assert world.get().spare == ""
