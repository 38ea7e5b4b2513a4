"""Lifecycle connections: the people API's operations over a WebSocket, permitted one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lambdas import lifecycle_stream
from lambdas.connect.authorizer import Authorizer
from lambdas.connect.lifecycle import Lifecycle
from lambdas.logline import Line
from lambdas.memory.lifecycle import MemoryLifecycle
from lambdas.sessions.handler import make_handler
from tests.unit.sessions.world import ACCOUNT, NODE, REGION, Document, Person, World, allow, deny

API = "a1b2c3d4e5"
CONNECTION = "L0SM9cOFvHcCIhw="
INVOKE = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{API}/local"
EVERYTHING = allow("*")


@dataclass
class Front:
    """The stream API's authorizer and JSON routes over one store, as API Gateway joins them."""

    world: World
    store: MemoryLifecycle

    def token(self, person: Person) -> str:
        answer = self.world.call(person, "POST /connections")
        assert answer.status == 200, answer
        return str(answer.members["TokenValue"])

    def connect(
        self, token: str, source_ip: str = "192.0.2.7", connection: str = CONNECTION
    ) -> Mapping[str, Any] | None:
        """The authorizer's context, None where it denies."""
        lifecycle = Lifecycle(self.store, self.world.clock)
        authorizer = Authorizer(
            self.world.sessions, self.world.clock, lambda *_: None, lifecycle=lifecycle
        )
        event: dict[str, object] = {
            "methodArn": "arn:aws:execute-api:us-east-1:1:x/local/$connect",
            "headers": {"Sec-WebSocket-Protocol": f"hatchway.v1, {token}"},
            "requestContext": {"connectionId": connection, "identity": {"sourceIp": source_ip}},
        }
        decision: Any = authorizer.decide(event, Line("connect"))
        allowed = decision["policyDocument"]["Statement"][0]["Effect"] == "Allow"
        return decision["context"] if allowed else None

    def opened(self, person: Person) -> Mapping[str, Any]:
        context = self.connect(self.token(person))
        assert context is not None
        self.world.clients.open(CONNECTION)
        return context

    def ask(self, context: Mapping[str, Any], action: str, /, **members: object) -> Any:
        """What comes back for one frame, None where nothing does."""
        return self.send(context, json.dumps({"action": action, **members}), action)

    def send(self, context: Mapping[str, Any], body: str, route: str = "startSession") -> Any:
        before = len(self.world.clients.sent.get(CONNECTION, []))
        event = {
            "requestContext": {
                "routeKey": route,
                "eventType": "MESSAGE",
                "connectionId": CONNECTION,
                "requestId": "request-1",
                "identity": {"sourceIp": "192.0.2.7"},
                "authorizer": dict(context),
            },
            "body": body,
            "isBase64Encoded": False,
        }
        self.world.handler(event, None)
        posted = self.world.clients.sent.get(CONNECTION, [])[before:]
        return json.loads(posted[0]) if posted else None


@pytest.fixture
def front(world: World) -> Front:
    store = MemoryLifecycle()
    world.service = replace(world.service, visitors=store)
    world.handler = make_handler(world.service, world.lines)
    return Front(world, store)


@pytest.fixture
def john(world: World) -> Person:
    return world.user("john", EVERYTHING)


# --- the five routes ----------------------------------------------------------------------------


def test_a_session_lives_its_whole_life_on_one_connection(front: Front, john: Person) -> None:
    on = front.opened(john)
    started = front.ask(on, "startSession", Target=NODE, Reason="a look", RequestId="1")
    assert (started["action"], started["RequestId"]) == ("startSession", "1")
    session = started["SessionId"]
    assert front.world.token_opens(started["TokenValue"]) == session
    assert front.world.session(session).owner == john.owner
    listed = front.ask(on, "describeSessions", State="Active", MaxResults=5)
    assert [one["SessionId"] for one in listed["Sessions"]] == [session]
    resumed = front.ask(on, "resumeSession", SessionId=session)
    assert resumed["SessionId"] == session
    assert front.ask(on, "getConnectionStatus", Target=NODE)["Status"] == "connected"
    assert front.ask(on, "terminateSession", SessionId=session)["SessionId"] == session
    assert front.world.session(session).end_reason != ""


def test_errors_are_the_operations_own(front: Front, john: Person) -> None:
    on = front.opened(john)
    assert front.ask(on, "startSession", Target="i-00000000")["__type"] == "TargetNotConnected"
    answer = front.ask(on, "describeSessions", State="Active", Filter=["Nothing=1"], RequestId="7")
    assert (answer["__type"], answer["RequestId"]) == ("InvalidFilterKey", "7")


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '{"action": "startSession"}',
        '{"action": "startSession", "Target": 1}',
        f'{{"action": "startSession", "Target": "{NODE}", "More": 1}}',
        f'{{"action": "startSession", "Target": "{NODE}", "RequestId": 1}}',
        '{"action": "describeSessions", "State": "Active", "MaxResults": true}',
        '{"action": "describeSessions", "State": "Active", "MaxResults": "5"}',
        '{"action": "describeSessions", "State": "Active", "MaxResults": 201}',
        '{"action": "resetNode"}',
        '{"action": "ping"}',
        '{"action": ["startSession"]}',
    ],
)
def test_a_frame_that_is_odd_is_refused(front: Front, john: Person, body: str) -> None:
    assert front.send(front.opened(john), body)["__type"] == "ValidationException"


# --- permission ---------------------------------------------------------------------------------


def person(world: World, *documents: Document) -> Person:
    return world.user("mary", allow("ssm:*"), *documents)


def test_each_path_s_own_permission_is_asked(front: Front) -> None:
    start = f"{INVOKE}/POST/nodes/{NODE}/sessions"
    mary = person(front.world, allow("execute-api:Invoke", on=start))
    on = front.opened(mary)
    assert "SessionId" in front.ask(on, "startSession", Target=NODE)
    refused = front.ask(on, "describeSessions", State="Active")
    assert refused["__type"] == "AccessDeniedException"
    assert f"execute-api:Invoke on resource: {INVOKE}/GET/sessions" in refused["message"]


def test_the_second_layer_is_asked_as_well(front: Front) -> None:
    mary = front.world.user("mary", allow("execute-api:Invoke"))
    refused = front.ask(front.opened(mary), "startSession", Target=NODE)
    assert refused["__type"] == "AccessDeniedException"
    assert "ssm:StartSession" in refused["message"]


def test_what_only_api_gateway_knows_denies(front: Front) -> None:
    with_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    without = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    needs = front.world.role(
        "Needs", "m", allow("ssm:*"), allow("execute-api:*", Condition=with_mfa)
    )
    denies = front.world.role("Denies", "m", EVERYTHING, deny("execute-api:*", Condition=without))
    for mary in (needs, denies):
        refused = front.ask(front.opened(mary), "startSession", Target=NODE)
        assert "execute-api:Invoke" in refused["message"]


def test_a_session_id_in_a_policy_is_spelled_as_in_a_path(front: Front) -> None:
    ann = front.world.role("Ops", "ann@example.com", EVERYTHING)
    session = front.world.started(ann)
    spelled = session.session_id.replace("@", "%40")
    path = f"{INVOKE}/DELETE/sessions/{spelled}"
    narrow = front.world.role(
        "Ops", "ann@example.com", allow("ssm:*"), allow("execute-api:Invoke", on=path)
    )
    answer = front.ask(front.opened(narrow), "terminateSession", SessionId=session.session_id)
    assert answer["SessionId"] == session.session_id


def test_a_permission_that_is_taken_away_counts_at_once(front: Front, john: Person) -> None:
    on = front.opened(john)
    front.world.user("john")
    assert front.ask(on, "startSession", Target=NODE)["__type"] == "AccessDeniedException"


def test_somebody_else_s_session_is_out_of_reach(front: Front, john: Person) -> None:
    session = front.world.started(john)
    mary = front.world.user("mary", EVERYTHING)
    refused = front.ask(front.opened(mary), "resumeSession", SessionId=session.session_id)
    assert refused["__type"] == "AccessDeniedException"


def test_a_node_s_role_gets_no_connection(front: Front) -> None:
    answer = front.world.call(front.world.role("Web", "i-1", EVERYTHING), "POST /connections")
    assert answer.status == 200  # any role, until it is a node's
    role_id = next(iter(front.store.tokens.values())).owner.userid.partition(":")[0]
    from lambdas.ports import NodeRole

    front.world.nodes.put_role(NodeRole(role_id=role_id, role_arn="arn:aws:iam::1:role/Web"))
    again = front.world.call(front.world.role("Web", "i-1", EVERYTHING), "POST /connections")
    assert again.code == "AccessDeniedException"


# --- the connection -----------------------------------------------------------------------------


def test_a_token_opens_one_connection_from_the_caller_s_address(front: Front, john: Person) -> None:
    token = front.token(john)
    assert front.connect(token, "198.51.100.9") is None
    token = front.token(john)
    assert front.connect(token) is not None
    assert front.connect(token) is not None  # Lambda tries again
    assert front.connect(token, connection="M0SM9cOFvHcCIhw=") is None


def test_a_token_lives_a_minute(front: Front, john: Person) -> None:
    token = front.token(john)
    front.world.clock.advance(60)
    assert front.connect(token) is None


def test_tokens_are_kept_as_digests(front: Front, john: Person) -> None:
    token = front.token(john)
    assert token not in repr(front.store.tokens)


def test_a_session_s_token_opens_no_lifecycle_connection(front: Front, john: Person) -> None:
    answer = front.world.start(john)
    context = front.connect(answer.members["TokenValue"])
    assert context is not None
    assert context["side"] == "client"


def test_after_its_time_nothing_is_answered_and_it_is_closed(front: Front, john: Person) -> None:
    on = front.opened(john)
    front.world.clock.advance(lifecycle_stream.LIFE)
    assert front.ask(on, "startSession", Target=NODE) is None
    assert CONNECTION in front.world.clients.closed
    assert front.world.sessions.active().sessions == ()


@pytest.mark.parametrize("name", ["account", "userid", "arn", "api", "expires", "side"])
def test_a_context_that_is_not_all_there_is_refused(front: Front, john: Person, name: str) -> None:
    on = {key: value for key, value in front.opened(john).items() if key != name}
    assert front.ask(on, "startSession", Target=NODE) is None
    assert front.world.sessions.active().sessions == ()


def test_where_the_deployment_has_none_the_operation_is_refused(world: World, john: Person) -> None:
    assert world.call(john, "POST /connections").code == "AccessDeniedException"


def test_a_caller_has_so_many_connections(front: Front, john: Person) -> None:
    context = front.opened(john)
    lifecycle = Lifecycle(front.store, front.world.clock)

    def connect(name: str) -> int:
        event = {"requestContext": {"connectionId": name, "authorizer": dict(context)}}
        status = lifecycle.connect(event, Line("connect"))["statusCode"]
        assert isinstance(status, int)
        return status

    names = [f"connection-{n}" for n in range(lifecycle_stream.MOST)]
    assert [connect(name) for name in names] == [200] * lifecycle_stream.MOST
    assert connect("one-too-many") == 409
    assert connect(names[0]) == 200  # a retry
    gone = {"requestContext": {"connectionId": names[0], "authorizer": dict(context)}}
    lifecycle.disconnect(gone, Line("connect"))
    assert connect("one-too-many") == 200


def test_the_log_has_neither_token_nor_reason(front: Front, john: Person) -> None:
    token = front.token(john)
    context = front.connect(token)
    assert context is not None
    front.world.clients.open(CONNECTION)
    front.ask(context, "startSession", Target=NODE, Reason="secret-reason")
    written = repr(front.world.lines.written)
    assert token not in written
    assert "secret-reason" not in written
