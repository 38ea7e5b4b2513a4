"""The people API's client: signed, typed, paged, and its errors ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatchway.client import Hatchway
from hatchway.client.records import Node
from hatchway.client.targets import MAX_LISTED, resolve
from hatchway.core.errors import (
    AccessDeniedException,
    CredentialsInvalid,
    DoesNotExistException,
    HatchwayError,
    InternalServerError,
    ServiceUnreachable,
    TargetAmbiguous,
    TargetNotConnected,
    TargetUnknown,
    ThrottlingException,
    UnsupportedNodeType,
    ValidationException,
)
from hatchway.net.settings import Settings
from tests.unit.client.world import NODE, SESSION, World

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with World(tmp_path) as world:
        yield world


def node(name: str, number: int = 0, **tags: str) -> Node:
    return Node(
        node_id=f"i-{number:017x}",
        name=name,
        ping_status="Online",
        agent_version="1",
        last_ping=None,
        tags=tags,
    )


def test_starting_signs_for_execute_api_and_sends_what_was_asked(world: World) -> None:
    started = Hatchway(world.settings).start(
        NODE, document="My-Document", reason="why", parameters={"a": ("b", "c")}
    )
    asked = world.asked[0]
    assert (asked.method, asked.path) == ("POST", f"/nodes/{NODE}/sessions")
    assert "/us-east-1/execute-api/aws4_request" in asked.authorization
    assert len(str(asked.body.pop("ClientRequestToken"))) == 36
    assert asked.body == {
        "DocumentName": "My-Document",
        "Reason": "why",
        "Parameters": {"a": ["b", "c"]},
    }
    assert started.session_id == SESSION
    assert started.token not in repr(started)


def test_a_session_id_with_every_character_reaches_the_service_whole(world: World) -> None:
    session = "a+b=c,d.e@f-0123456789abcdef0"
    Hatchway(world.settings).terminate(session)
    assert world.asked[0].path == f"/sessions/{session}"


def test_lists_are_read_to_their_last_page(world: World) -> None:
    hatchway = Hatchway(world.settings)
    pages = iter(
        [
            (200, {"Sessions": [{"SessionId": "a", "StartDate": 1.0}], "NextToken": "more"}),
            (200, {"Sessions": [{"SessionId": "b", "ExitCode": 3}]}),
        ]
    )
    world.answer = lambda asked: (world.asked.append(asked), next(pages))[1]  # type: ignore
    first, second = hatchway.sessions("History", {"Owner": "me"})
    assert (first.session_id, second.session_id) == ("a", "b")
    assert first.start_date == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert first.members()["StartDate"] == "1970-01-01T00:00:01+00:00"
    assert second.exit_code == 3
    assert world.asked[0].query == "State=History&Filter=Owner=me"
    assert "NextToken=more" in world.asked[1].query


def test_all_sessions_are_ended_to_the_last_page(world: World) -> None:
    pages = iter(
        [
            (200, {"Terminated": 50, "Refused": 1, "Failed": 0, "NextToken": "more"}),
            (200, {"Terminated": 3, "Refused": 0, "Failed": 2}),
        ]
    )
    world.answer = lambda asked: (world.asked.append(asked), next(pages))[1]  # type: ignore
    ended = Hatchway(world.settings).terminate_sessions(every=True)
    assert (ended.terminated, ended.refused, ended.failed) == (53, 1, 2)
    assert [asked.body for asked in world.asked] == [
        {"All": True},
        {"All": True, "NextToken": "more"},
    ]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDeniedException", AccessDeniedException),
        (409, "TargetNotConnected", TargetNotConnected),
        (403, "InvalidSignatureException", CredentialsInvalid),
        (403, "MissingAuthenticationTokenException", CredentialsInvalid),
        (403, "ForbiddenException", AccessDeniedException),
        (403, "SomethingNew", AccessDeniedException),
        (404, "SomethingNew", DoesNotExistException),
        (418, "SomethingNew", ValidationException),
    ],
)
def test_errors_are_typed_and_keep_awss_request_id(
    status: int, code: str, kind: type[HatchwayError], world: World
) -> None:
    world.answers[f"DELETE /sessions/{SESSION}"] = (status, {"__type": code, "message": "said"})
    with pytest.raises(kind, match="said") as caught:
        Hatchway(world.settings).terminate(SESSION)
    assert caught.value.request_id == "request-1"


@pytest.mark.parametrize(
    ("status", "kind"), [(429, ThrottlingException), (500, InternalServerError)]
)
def test_what_may_pass_is_tried_again_and_then_an_error(
    status: int, kind: type[HatchwayError], world: World
) -> None:
    world.answers["GET /node-roles"] = (status, {"__type": kind.code, "message": "busy"})
    with pytest.raises(kind):
        Hatchway(world.settings).node_roles()
    assert len(world.asked) == 3


def test_a_request_that_cannot_be_right_is_refused_here(world: World) -> None:
    with pytest.raises(ValidationException, match="Parameters"):
        Hatchway(world.settings).start(NODE, parameters={"a": [1]})  # type: ignore[list-item]
    assert world.asked == []


def test_an_answer_without_its_members_is_the_services_fault(world: World) -> None:
    world.answers[f"POST /nodes/{NODE}/sessions"] = (200, {"SessionId": SESSION})
    with pytest.raises(InternalServerError, match="StreamUrl"):
        Hatchway(world.settings).start(NODE)


def test_no_credentials_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsInvalid):
        Hatchway(world.settings).terminate(SESSION)
    with pytest.raises(CredentialsInvalid, match="nobody"):
        Hatchway(world.settings, profile="nobody")


def test_a_service_that_is_not_there_is_said(world: World) -> None:
    settings = Settings(api_url="https://127.0.0.1:1/local", region="us-east-1")
    with pytest.raises(ServiceUnreachable):
        Hatchway(settings).terminate(SESSION)


def test_nodes_and_roles(world: World) -> None:
    world.answers["GET /nodes"] = (200, {"Nodes": [{"NodeId": NODE, "Tags": {"team": "web"}}]})
    world.answers[f"GET /nodes/{NODE}/connection"] = (200, {"Status": "connected"})
    world.answers[f"POST /nodes/{NODE}/reset"] = (200, {"NodeId": NODE})
    role = {"RoleId": "AROAEXAMPLEEXAMPLE", "RoleArn": "arn:aws:iam::000000000000:role/web"}
    world.answers["POST /node-roles"] = (200, role)
    world.answers["GET /node-roles"] = (200, {"NodeRoles": [role]})
    hatchway = Hatchway(world.settings)
    assert hatchway.resolve("tag:team=web") == NODE
    assert hatchway.connected(NODE)
    done = hatchway.reset_node(NODE, "0" * 64)
    assert (done.node_id, done.closed, done.failed) == (NODE, True, 0)
    assert world.asked[-1].body == {"EnrolmentDigest": "0" * 64}
    assert hatchway.allow_node_role(role["RoleArn"]) == hatchway.node_roles()[0]
    hatchway.remove_node_role(role["RoleId"])
    assert world.asked[-1].path == f"/node-roles/{role['RoleId']}"


def test_without_a_target_the_configured_node_is_meant(world: World) -> None:
    with pytest.raises(ValidationException, match="No target"):
        Hatchway(world.settings).resolve(None)


# --- targets ------------------------------------------------------------------------------------


def test_an_id_is_taken_without_a_look_at_the_nodes() -> None:
    assert resolve(NODE, lambda: pytest.fail("looked")) == NODE
    with pytest.raises(UnsupportedNodeType):
        resolve("mi-0123456789abcdef0", lambda: pytest.fail("looked"))


def test_a_name_or_a_tag_means_the_one_node_that_has_it() -> None:
    nodes = [node("web-1", 1, team="web"), node("db-1", 2, team="db", odd="a=b")]
    assert resolve("web-1", lambda: nodes) == nodes[0].node_id
    assert resolve("tag:team=db", lambda: nodes) == nodes[1].node_id
    assert resolve("tag:odd=a=b", lambda: nodes) == nodes[1].node_id


def test_several_matches_are_an_error_that_lists_them() -> None:
    nodes = [node("web\x1b[2J", number) for number in range(MAX_LISTED + 1)]
    with pytest.raises(TargetAmbiguous) as caught:
        resolve("web\x1b[2J", lambda: nodes)
    for found in nodes[:MAX_LISTED]:
        assert found.node_id in caught.value.message
    assert nodes[-1].node_id not in caught.value.message
    assert "1 more" in caught.value.message
    assert "\x1b" not in caught.value.message


def test_no_match_is_an_error_that_says_so() -> None:
    with pytest.raises(TargetUnknown, match="nowhere"):
        resolve("nowhere", list)
    with pytest.raises(TargetUnknown, match="team=web"):
        resolve("tag:team=web", list)
