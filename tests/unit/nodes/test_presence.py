"""Presence: late, double and foreign events never make a node what it is not."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from agent.transport.mqtt import KEEP_ALIVE
from hatchway.core.errors import ThrottlingException
from lambdas.logline import Line
from lambdas.memory.later import MemoryLater
from lambdas.nodes.presence import GRACE, RESET_MARGIN, Event, PresenceEvents, applied
from lambdas.ports import Disconnection, Node
from lambdas.sweep.limits import NODE_LOST_LIMIT
from tests.unit.edge.world import (
    CHANNEL_ROLE,
    CONNECTION,
    NODE,
    NOW,
    OTHER_NODE,
    World,
    recorded,
)


@pytest.fixture
def world() -> World:
    made = World()
    made.clock.advance(60)
    made.enrol()
    return made


def send(world: World, event: dict[str, Any], later: MemoryLater | None = None) -> Line:
    line = Line("nodes")
    PresenceEvents(
        nodes=world.nodes,
        sessions=world.sessions,
        clients=world.clients,
        later=later or MemoryLater(),
        stage="local",
        channel_role_id=CHANNEL_ROLE,
        clock=world.clock,
    ).handle(event, line)
    return line


def notices(world: World) -> list[str]:
    return [json.loads(text)["notice"] for text in world.clients.sent[CONNECTION]]


def test_the_recorded_events_make_a_node_online_and_offline(world: World) -> None:
    send(world, recorded("iot_connected.json"))
    node = world.node()
    assert node.online
    assert (node.online_since, node.last_seen) == (NOW, NOW)
    send(world, recorded("iot_disconnected.json"))
    node = world.node()
    assert not node.online
    assert (node.online_since, node.last_seen) == (NOW, NOW + 5)


def test_clients_of_active_sessions_are_told_of_both(world: World) -> None:
    world.start()
    world.client()
    world.start("mary-0123456789abcdef0")
    send(world, recorded("iot_connected.json"))
    send(world, recorded("iot_connected.json"))
    send(world, recorded("iot_disconnected.json"))
    send(world, recorded("iot_disconnected.json"))
    assert notices(world) == ["nodeOnline", "nodeOffline"]


def test_a_client_that_cannot_be_told_holds_nothing_up(world: World) -> None:
    world.start()
    world.client()
    world.clients.failure = ThrottlingException()
    line = send(world, recorded("iot_connected.json"))
    assert world.node().online
    assert line.fields["notice"] == "ThrottlingException"


@pytest.mark.parametrize(
    "principal",
    [
        "",
        "AIDAADMIN",
        f"AROAANOTHER:{NODE}",
        f"{CHANNEL_ROLE}:{OTHER_NODE}",
        f"x{CHANNEL_ROLE}:{NODE}",
    ],
)
def test_an_event_of_another_principal_is_ignored_and_reported(
    world: World, principal: str
) -> None:
    line = send(world, recorded("iot_connected.json") | {"principalIdentifier": principal})
    assert not world.node().online
    assert line.level == "WARNING"
    assert line.fields["code"] == "ForeignPrincipal"


@pytest.mark.parametrize(
    "change",
    [
        {"clientId": f"hatchway/local/{NODE}/0123456789abcdef0"},  # a data channel
        {"clientId": f"hatchway/prod/{NODE}"},
        {"clientId": "iotconsole-1"},
        {"clientId": None},
        {"eventType": "connect_failed"},
        {"eventType": "subscribed"},
        {"versionNumber": None},
        {"timestamp": "now"},
    ],
)
def test_other_clients_and_kinds_of_events_are_not_for_us(
    world: World, change: dict[str, object]
) -> None:
    line = send(world, recorded("iot_connected.json") | change)
    assert not world.node().online
    assert line.level == "INFO"
    assert line.fields["applied"] is False


def test_a_node_that_never_enrolled_is_not_made_by_presence(world: World) -> None:
    line = send(
        world,
        recorded("iot_connected.json")
        | {
            "clientId": f"hatchway/local/{OTHER_NODE}",
            "principalIdentifier": f"{CHANNEL_ROLE}:{OTHER_NODE}",
        },
    )
    assert world.nodes.get(OTHER_NODE) is None
    assert line.fields["code"] == "NodeUnknown"


def test_a_time_in_the_future_is_ours_instead(world: World) -> None:
    send(world, recorded("iot_connected.json") | {"timestamp": 1_900_000_000_000})
    assert world.node().last_seen == world.clock()


# --- a second look -------------------------------------------------------------------------------


@pytest.fixture
def later() -> MemoryLater:
    return MemoryLater()


def gone(world: World) -> Disconnection:
    node = world.node()
    return Disconnection(
        node_id=NODE,
        presence_session=node.presence_session,
        presence_version=node.presence_version,
    )


def test_a_node_that_went_is_looked_at_again_after_the_grace(
    world: World, later: MemoryLater
) -> None:
    send(world, recorded("iot_connected.json"), later)
    assert later.asked == []
    send(world, recorded("iot_disconnected.json"), later)
    assert later.asked == [(gone(world), GRACE)]


def test_with_what_a_silent_node_takes_to_be_noticed_it_is_over_within_two_minutes() -> None:
    noticed = 1.5 * KEEP_ALIVE
    for_delivery_and_work = 20
    assert noticed + GRACE + for_delivery_and_work <= 120
    assert noticed <= GRACE < NODE_LOST_LIMIT


def test_an_end_that_was_stored_but_not_sent_is_sent_by_the_retry(
    world: World, later: MemoryLater
) -> None:
    world.start()
    world.client()
    send(world, recorded("iot_connected.json"), later)
    later.failure = ThrottlingException()
    with pytest.raises(ThrottlingException):
        send(world, recorded("iot_disconnected.json"), later)
    assert not world.node().online
    later.failure = None
    send(world, recorded("iot_disconnected.json"), later)
    assert later.asked == [(gone(world), GRACE)]
    assert notices(world) == ["nodeOnline", "nodeOffline"]


def test_neither_a_late_event_nor_a_foreign_one_asks_for_a_second_look(
    world: World, later: MemoryLater
) -> None:
    send(world, recorded("iot_connected.json"), later)
    foreign = recorded("iot_disconnected.json") | {"principalIdentifier": "AIDAADMIN"}
    send(world, foreign, later)
    older = recorded("iot_disconnected.json") | {"sessionIdentifier": "older", "versionNumber": -1}
    send(world, older, later)
    assert later.asked == []
    send(world, recorded("iot_disconnected.json"), later)
    send(world, recorded("iot_connected.json"), later)  # late
    send(world, older, later)
    assert len(later.asked) == 1


# --- order ---------------------------------------------------------------------------------------


def event(online: bool, session: str, version: int, at: float) -> Event:
    return Event(
        node=NODE, online=online, session=session, version=version, principal="", at=NOW + at
    )


def after(*events: Event) -> Node:
    node = Node(node_id=NODE)
    for one in events:
        node = applied(node, one)
    return node


LIFE = (
    event(True, "first", 1, 0),
    event(False, "first", 1, 10),
    event(True, "second", 2, 9),
)


@pytest.mark.parametrize("order", list(itertools.permutations(LIFE)))
def test_in_whatever_order_the_later_connection_decides(order: tuple[Event, ...]) -> None:
    assert after(*order).online
    assert after(*order, *order).online


@pytest.mark.parametrize(
    "order", list(itertools.permutations((*LIFE, event(False, "second", 2, 20))))
)
def test_in_whatever_order_the_end_of_the_last_connection_is_the_end(
    order: tuple[Event, ...],
) -> None:
    assert not after(*order).online
    assert not after(*order, *order).online


def test_after_a_reset_of_the_version_a_connection_counts_again() -> None:
    away = after(event(True, "old", 7, 0), event(False, "old", 7, 10))
    assert applied(away, event(True, "new", 0, 4000)).online
    assert applied(away, event(True, "new", 2, 4000)).online


def test_a_broker_that_restarted_while_the_node_was_online_is_believed() -> None:
    online = after(event(True, "old", 7, 0))
    again = applied(online, event(True, "new", 0, 30))
    assert (again.online, again.presence_session) == (True, "new")
    assert not applied(again, event(False, "new", 0, 40)).online


def test_a_late_connected_is_no_reset() -> None:
    away = after(event(True, "new", 7, 0), event(False, "new", 7, 10))
    assert not applied(away, event(True, "older", 6, 10 + RESET_MARGIN)).online
    assert not applied(away, event(True, "oldest", 0, 10)).online
    assert applied(away, event(True, "reset", 6, 11 + RESET_MARGIN)).online


def test_a_late_end_of_an_older_connection_never_marks_the_node_offline() -> None:
    online = after(event(True, "new", 2, 0))
    late = event(False, "older", 1, 9999)
    assert applied(online, late) is online


def test_an_event_that_is_known_changes_nothing() -> None:
    online = after(event(True, "one", 1, 0))
    assert applied(online, event(True, "one", 1, 5)) is online
    offline = applied(online, event(False, "one", 1, 9))
    assert applied(offline, event(False, "one", 1, 12)) is offline
    assert replace(offline, online=True).online_since == online.online_since
