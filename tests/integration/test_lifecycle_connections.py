"""Lifecycle connections through the deployed stacks: a session's whole life on one WebSocket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from local.identities import JOHN, MARY
from local.stack import Stack
from tests.integration.bare_client import open_socket
from tests.integration.ledger import secret
from tests.integration.sessions import PROTOCOL, start, terminate

pytestmark = pytest.mark.stack
PATIENCE = 20.0


def token(stack: Stack, who: str = JOHN) -> tuple[str, str]:
    reply = stack.people(who).call("POST", "/connections", {})
    assert reply.status == 200, (reply.status, reply.fields)
    given = secret(str(reply.fields["TokenValue"]), "lifecycle token")
    return given, str(reply.fields["StreamUrl"])


@contextmanager
def connection(stack: Stack, who: str = JOHN) -> Iterator[ClientConnection]:
    given, url = token(stack, who)
    socket = open_socket(url, stack.places.ca_bundle, PROTOCOL, given)
    with socket:
        yield socket


def ask(socket: ClientConnection, action: str, /, **members: object) -> dict[str, Any]:
    """The answer to a frame; notices that come before it are passed over."""
    return said_before(socket, action, **members)[1]


def said_before(
    socket: ClientConnection, action: str, /, **members: object
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The notices before the answer to a frame, and the answer."""
    request = f"request-{action}"
    notices: list[dict[str, Any]] = []
    socket.send(json.dumps({"action": action, "RequestId": request, **members}))
    while True:
        said: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE))
        if said.get("RequestId") == request:
            return notices, said
        notices.append(said)


def drain(socket: ClientConnection) -> None:
    """Reads until the connection is closed."""
    while True:
        socket.recv(timeout=PATIENCE)


def notices(socket: ClientConnection, session: str, last: str) -> list[str]:
    """The states of a session as they are pushed, up to `last`."""
    seen: list[str] = []
    while last not in seen:
        said = json.loads(socket.recv(timeout=PATIENCE))
        if said.get("notice") == "sessionStateChange" and said["SessionId"] == session:
            seen.append(said["Status"])
    return seen


def test_a_session_s_whole_life_on_one_connection(stack: Stack) -> None:
    node = stack.demo.node
    with connection(stack) as socket:
        assert ask(socket, "getConnectionStatus", Target=node)["Status"] == "connected"
        started = ask(socket, "startSession", Target=node, Reason="a look")
        session = started["SessionId"]
        secret(started["TokenValue"], "stream token")
        listed = ask(socket, "describeSessions", State="Active", Filter=[f"SessionId={session}"])
        assert [one["Reason"] for one in listed["Sessions"]] == ["a look"]
        resumed = ask(socket, "resumeSession", SessionId=session)
        secret(resumed["TokenValue"], "stream token")
        with open_socket(
            resumed["StreamUrl"], stack.places.ca_bundle, PROTOCOL, resumed["TokenValue"]
        ):
            assert ask(socket, "terminateSession", SessionId=session)["SessionId"] == session
            assert notices(socket, session, "Terminated")[-1] == "Terminated"


def test_changes_of_sessions_that_began_elsewhere_are_pushed_to_their_owner_alone(
    stack: Stack,
) -> None:
    with connection(stack) as own, connection(stack, MARY) as other:
        started = start(stack)
        terminate(stack, started.session_id)
        assert "Terminated" in notices(own, started.session_id, "Terminated")
        # What was pushed to the owner is on its way to nobody else: an answer comes behind it.
        told, _ = said_before(other, "describeSessions", State="Active")
        assert all(one.get("SessionId") != started.session_id for one in told)


def test_what_the_policies_refuse_is_refused_here_as_well(stack: Stack) -> None:
    with connection(stack, MARY) as socket:
        refused = ask(socket, "startSession", Target=stack.demo.node)
        assert refused["__type"] == "AccessDeniedException"
        assert "ssm:StartSession" in refused["message"]


def test_a_token_opens_one_connection(stack: Stack) -> None:
    given, url = token(stack)
    with open_socket(url, stack.places.ca_bundle, PROTOCOL, given), pytest.raises(InvalidStatus):
        open_socket(url, stack.places.ca_bundle, PROTOCOL, given)


def test_a_session_s_messages_are_not_taken_on_it(stack: Stack) -> None:
    with connection(stack) as socket:
        socket.send("AAAA")
        answer = ask(socket, "describeSessions", State="Active")
        assert "Sessions" in answer


def test_an_odd_frame_is_refused_and_the_connection_goes_on(stack: Stack) -> None:
    with connection(stack) as socket:
        assert ask(socket, "startSession")["__type"] == "ValidationException"
        assert ask(socket, "startSession", Target=1)["__type"] == "ValidationException"
        assert "Sessions" in ask(socket, "describeSessions", State="Active")


def test_a_connection_whose_time_is_over_is_closed(stack: Stack) -> None:
    """The table's item is dated back, as time would do; the sweep of the next minute is awaited
    no longer than it may take."""
    table = stack.emulator.client("dynamodb")
    with connection(stack) as socket:
        found = table.query(
            TableName=stack.stacks["TableName"],
            IndexName="byState",
            KeyConditionExpression="gsi1pk = :all",
            ExpressionAttributeValues={":all": {"S": "LIFECYCLES"}},
        )["Items"]
        assert found
        for item in found:
            item["expires"], item["gsi1sk"] = {"N": "1"}, {"S": "000000000001000#x"}
            table.put_item(TableName=stack.stacks["TableName"], Item=item)
        stack.emulator.client("lambda").invoke(FunctionName="hatchway-local-sweep", Payload=b"{}")
        with pytest.raises(ConnectionClosed):
            drain(socket)
