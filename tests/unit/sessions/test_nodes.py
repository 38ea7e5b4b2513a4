"""Nodes and node roles: what is shown, reset, allowed and removed, and by whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import InternalServerError, ThrottlingException
from hatchway.core.lifecycle import Status
from hatchway.core.names import Topics
from lambdas.ports import Node, NodeRole, Session, Stale
from tests.unit.sessions.world import (
    ACCOUNT,
    CHANNEL_ROLE,
    CONNECTION,
    DARK,
    EVERYTHING,
    GONE,
    NODE,
    WEB,
    World,
    allow,
)

ROLE = f"arn:aws:iam::{ACCOUNT}:role/web/Web"
ROLE_ID = "AROAWEBROLEEXAMPLE"
STATUS, RESET = "GET /nodes/{nodeId}/connection", "POST /nodes/{nodeId}/reset"
ROLES, REMOVE = "/node-roles", "DELETE /node-roles/{roleId}"
WEB_TAGGED = {"StringEquals": {"ssm:resourceTag/team": "web"}}


def test_nodes_are_listed_with_the_members_that_have_values(world: World) -> None:
    world.nodes.create(
        Node(node_id="i-0aaaaaaaaaaaaaaaa", agent_version="1.2", last_seen=world.clock())
    )
    nodes = world.call(world.user("john", EVERYTHING), "GET /nodes").members["Nodes"]
    assert {"NodeId": NODE, "Name": "web-1", "PingStatus": "Online", "Tags": WEB} in nodes
    assert {"NodeId": DARK, "PingStatus": "ConnectionLost", "Tags": {}} in nodes
    assert {
        "NodeId": "i-0aaaaaaaaaaaaaaaa",
        "PingStatus": "ConnectionLost",
        "AgentVersion": "1.2",
        "LastPingDateTime": world.clock(),
        "Tags": {},
    } in nodes


def test_pages_of_nodes_follow_one_another(world: World) -> None:
    john = world.user("john", allow("ssm:DescribeInstanceInformation"))
    first = world.call(john, "GET /nodes", query={"MaxResults": ["1"]})
    query = {"MaxResults": ["1"], "NextToken": [first.members["NextToken"]]}
    second = world.call(john, "GET /nodes", query=query)
    found = [a.members["Nodes"][0]["NodeId"] for a in (first, second)]
    assert sorted(found) == sorted([NODE, DARK])
    assert "NextToken" not in second.members


def test_listing_nodes_needs_permission(world: World) -> None:
    assert world.call(world.user("mary"), "GET /nodes").denied


@pytest.mark.parametrize(
    ("node", "status"), [(NODE, "connected"), (DARK, "notconnected"), (GONE, "notconnected")]
)
def test_connection_status(world: World, node: str, status: str) -> None:
    john = world.user("john", allow("ssm:GetConnectionStatus"))
    answer = world.call(john, STATUS, path={"nodeId": node})
    assert answer.members == {"Target": node, "Status": status}


def test_connection_status_may_hang_on_tags(world: World) -> None:
    john = world.user("john", allow("ssm:GetConnectionStatus", Condition=WEB_TAGGED))
    assert world.call(john, STATUS, path={"nodeId": NODE}).status == 200
    assert world.call(john, STATUS, path={"nodeId": GONE}).denied


# --- reset ----------------------------------------------------------------------------------------


def test_reset_forgets_the_enrolment_and_closes_every_connection(world: World) -> None:
    admin = world.user("admin", EVERYTHING)
    session = world.started(admin)
    node = world.nodes.get(NODE)
    assert node is not None
    world.nodes.update(node, replace(node, enrolment="e" * 64))
    answer = world.call(admin, RESET, path={"nodeId": NODE})
    assert answer.members == {
        "NodeId": NODE,
        "Connections": "closed",
        "Terminated": 1,
        "Failed": 0,
    }
    after = world.nodes.get(NODE)
    assert after is not None
    assert (after.enrolment, after.name) == ("", "web-1")
    topics = Topics("local", NODE)
    assert world.presence.disconnected == [
        topics.data_client(session.session_id),
        topics.control_client,
    ]


def test_a_reset_says_when_connections_stay_open_and_forgets_all_the_same(world: World) -> None:
    admin = world.user("admin", EVERYTHING)
    node = world.nodes.get(NODE)
    assert node is not None
    world.nodes.update(node, replace(node, enrolment="e" * 64))
    world.presence.failure = InternalServerError()
    answer = world.call(admin, RESET, path={"nodeId": NODE})
    assert answer.members["Connections"] == "open"
    after = world.nodes.get(NODE)
    assert after is not None
    assert after.enrolment == ""


@pytest.mark.parametrize("node", [NODE, GONE])
def test_reset_of_a_node_without_enrolment_changes_nothing(world: World, node: str) -> None:
    before = len(world.nodes.changes)
    admin = world.user("admin", EVERYTHING)
    assert world.call(admin, RESET, path={"nodeId": node}).status == 200
    assert len(world.nodes.changes) == before


DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize("node", [NODE, DARK, GONE])
def test_a_reset_may_name_the_secret_that_enrols_next(world: World, node: str) -> None:
    admin = world.user("admin", EVERYTHING)
    for _ in range(2):
        answer = world.call(admin, RESET, path={"nodeId": node}, body={"EnrolmentDigest": DIGEST})
        assert answer.status == 200
        known = world.nodes.get(node)
        assert known is not None
        assert (known.enrolment, known.online) == (DIGEST, node == NODE)


@pytest.mark.parametrize("digest", ["", "x" * 64, DIGEST[:-1], DIGEST + "0", DIGEST.upper()])
def test_a_digest_that_is_none_is_refused_and_resets_nothing(world: World, digest: str) -> None:
    admin = world.user("admin", EVERYTHING)
    body = {"EnrolmentDigest": digest}
    answer = world.call(admin, RESET, path={"nodeId": DARK}, body=body)
    assert answer.code == "ValidationException"
    node = world.nodes.get(DARK)
    assert node is not None
    assert node.enrolment == "e" * 64


def test_reset_ends_the_node_s_sessions_at_once_and_says_farewell(world: World) -> None:
    admin = world.user("admin", EVERYTHING)
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    answer = world.call(admin, RESET, path={"nodeId": NODE})
    assert (answer.members["Terminated"], answer.members["Failed"]) == (1, 0)
    after = world.session(session.session_id)
    assert after.status is Status.TERMINATED
    assert after.end_reason == f"Node reset by {admin.arn}"
    assert world.clients.closed == [CONNECTION]
    assert world.downlink.hints[-1] == (NODE, session.session_id)


def test_reset_says_which_sessions_could_not_be_ended_and_ends_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = world.user("admin", EVERYTHING)
    stuck, other = world.started(admin), world.started(admin)
    write = world.sessions.update

    def busy(read: Session, changed: Session) -> Session:
        if read.session_id == stuck.session_id:
            raise ThrottlingException()
        return write(read, changed)

    # A patch, since the twin cannot be made to refuse one session alone.
    monkeypatch.setattr(world.sessions, "update", busy)
    answer = world.call(admin, RESET, path={"nodeId": NODE})
    assert (answer.members["Terminated"], answer.members["Failed"]) == (1, 1)
    assert world.session(other.session_id).status is Status.TERMINATED


def test_reset_needs_its_own_permission(world: World) -> None:
    starter = world.user("john", allow("ssm:StartSession"))
    assert world.call(starter, RESET, path={"nodeId": DARK}).denied
    node = world.nodes.get(DARK)
    assert node is not None
    assert node.enrolment
    assert world.presence.disconnected == []


def test_a_reset_that_always_loses_the_race_is_a_conflict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(read: Node, changed: Node) -> Node:
        raise Stale()

    # A patch, since the twin cannot be made to lose every race.
    monkeypatch.setattr(world.nodes, "update", lose)
    answer = world.call(world.user("admin", EVERYTHING), RESET, path={"nodeId": DARK})
    assert (answer.status, answer.code) == (409, "ConflictException")
    assert world.presence.disconnected == []


# --- node roles -----------------------------------------------------------------------------------


def test_a_role_is_allowed_listed_and_removed(world: World) -> None:
    admin = world.user("admin", EVERYTHING)
    world.roles.add(ROLE, ROLE_ID)
    shown = {"RoleId": ROLE_ID, "RoleArn": ROLE}
    assert world.call(admin, f"POST {ROLES}", body={"RoleArn": ROLE}).members == shown
    assert world.call(admin, f"POST {ROLES}", body={"RoleArn": ROLE}).members == shown
    assert world.call(admin, f"GET {ROLES}").members == {"NodeRoles": [shown]}
    gone = world.call(admin, REMOVE, path={"roleId": ROLE_ID})
    assert gone.members == {"RoleId": ROLE_ID}
    assert world.call(admin, REMOVE, path={"roleId": ROLE_ID}).status == 200
    assert world.call(admin, f"GET {ROLES}").members == {"NodeRoles": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"RoleArn": "Web"},
        {"RoleArn": ROLE.replace(ACCOUNT, "999999999999")},
        {"RoleArn": ROLE + "Unknown"},
        {"RoleArn": ROLE.replace(":role/", ":user/")},
    ],
)
def test_a_role_that_cannot_be_allowed(world: World, body: dict[str, str]) -> None:
    admin = world.user("admin", EVERYTHING)
    world.roles.add(ROLE, ROLE_ID)
    world.roles.add(ROLE.replace(ACCOUNT, "999999999999"), ROLE_ID)
    answer = world.call(admin, f"POST {ROLES}", body=body)
    assert (answer.status, answer.code) == (400, "ValidationException")
    assert world.nodes.roles() == ()


def test_a_role_that_others_may_assume_is_refused(world: World) -> None:
    trust = '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}]}'
    world.roles.add(ROLE, ROLE_ID, trust)
    answer = world.call(world.user("a", EVERYTHING), f"POST {ROLES}", body={"RoleArn": ROLE})
    assert answer.code == "ValidationException"


def test_the_channel_role_is_no_instance_role(world: World) -> None:
    world.roles.add(ROLE, CHANNEL_ROLE)
    answer = world.call(world.user("a", EVERYTHING), f"POST {ROLES}", body={"RoleArn": ROLE})
    assert answer.code == "ValidationException"


def test_node_roles_are_for_those_who_may_create_activations(world: World) -> None:
    world.roles.add(ROLE, ROLE_ID)
    world.nodes.put_role(NodeRole(role_id=ROLE_ID, role_arn=ROLE))
    starter = world.user("john", allow("ssm:StartSession", "ssm:Describe*"))
    assert world.call(starter, f"GET {ROLES}").denied
    assert world.call(starter, f"POST {ROLES}", body={"RoleArn": ROLE}).denied
    assert world.call(starter, REMOVE, path={"roleId": ROLE_ID}).denied
    assert world.nodes.role(ROLE_ID) is not None


@pytest.mark.parametrize("role_id", ["AROA", "AIDAWEBROLEEXAMPLE", "aroawebroleexample", ""])
def test_a_role_id_that_is_none(world: World, role_id: str) -> None:
    answer = world.call(world.user("a", EVERYTHING), REMOVE, path={"roleId": role_id})
    assert (answer.status, answer.code) == (400, "ValidationException")
