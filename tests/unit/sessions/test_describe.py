"""DescribeSessions and GetSession: what is shown, filtered and paged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hatchway.core.lifecycle import Status
from lambdas.ports import Session
from tests.unit.sessions.world import EVERYTHING, NODE, Answer, Person, World, allow


def listed(world: World, person: Person, state: str = "Active", **query: list[str]) -> Answer:
    answer = world.call(person, "GET /sessions", query={"State": [state], **query})
    assert answer.status == 200, answer
    return answer


def ids(answer: Answer) -> list[str]:
    return [session["SessionId"] for session in answer.members["Sessions"]]


def test_a_session_is_shown_with_the_members_that_have_values(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.started(john, {"Reason": "r"})
    (shown,) = listed(world, john).members["Sessions"]
    assert shown == {
        "SessionId": session.session_id,
        "Target": NODE,
        "Status": "Connecting",
        "StartDate": world.clock(),
        "DocumentName": "SSM-SessionManagerRunShell",
        "Owner": john.arn,
        "Reason": "r",
        "AccessType": "Standard",
    }


def test_an_ended_session_moves_to_the_history_with_its_end(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.started(john)
    world.sessions.update(
        session,
        replace(
            session,
            status=Status.TERMINATED,
            ended=world.clock(),
            end_reason="exited",
            exit_code=0,
            document=session.document.replace(
                '"maxSessionDuration":""', '"maxSessionDuration":"60"'
            ),
        ),
    )
    assert ids(listed(world, john)) == []
    (shown,) = listed(world, john, "History").members["Sessions"]
    assert shown["EndDate"] == world.clock()
    assert (shown["EndReason"], shown["ExitCode"]) == ("exited", 0)
    assert shown["MaxSessionDuration"] == "60"


@pytest.fixture
def two(world: World) -> tuple[Session, Session]:
    """One of john's and, a minute later, one of mary's that is connected."""
    first = world.started(world.user("john", EVERYTHING))
    world.clock.advance(60)
    return first, world.connected(world.user("mary", EVERYTHING))


def test_filters_hold_together(world: World, two: tuple[Session, Session]) -> None:
    john, mary = two
    admin = world.user("admin", EVERYTHING)
    middle = datetime.fromtimestamp(world.clock() - 30, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def found(*filters: str) -> list[str]:
        return ids(listed(world, admin, Filter=list(filters)))

    both = [mary.session_id, john.session_id]
    assert found() == found(f"Target={NODE}") == found("AccessType=Standard") == both
    assert found("AccessType=JustInTime") == []
    assert found("Target=i-00000000000000001") == []
    assert found(f"Owner={john.owner_arn}") == [john.session_id]
    assert found("Status=Connected") == [mary.session_id]
    assert found(f"SessionId={john.session_id}") == [john.session_id]
    assert found(f"InvokedAfter={middle}") == [mary.session_id]
    assert found(f"InvokedBefore={middle}") == found(f"InvokedBefore={middle[:-1]}")
    assert found(f"InvokedBefore={middle}") == [john.session_id]
    assert found(f"Owner={john.owner_arn}", "Status=Connected") == []


def test_an_unknown_filter_key_has_its_own_code(world: World) -> None:
    query = {"State": ["Active"], "Filter": ["Colour=red"]}
    answer = world.call(world.user("john", EVERYTHING), "GET /sessions", query=query)
    assert (answer.status, answer.code) == (400, "InvalidFilterKey")


def test_pages_follow_one_another(world: World, two: tuple[Session, Session]) -> None:
    john, mary = two
    admin = world.user("admin", EVERYTHING)
    first = listed(world, admin, MaxResults=["1"])
    assert ids(first) == [mary.session_id]
    second = listed(world, admin, MaxResults=["1"], NextToken=[first.members["NextToken"]])
    assert ids(second) == [john.session_id]
    assert "NextToken" not in second.members


def test_a_page_token_that_was_not_issued_is_refused(world: World) -> None:
    query = {"State": ["Active"], "NextToken": ["eyJ9"]}
    answer = world.call(world.user("john", EVERYTHING), "GET /sessions", query=query)
    assert (answer.status, answer.code) == (400, "InvalidNextToken")


def test_describing_needs_permission_on_everything(world: World) -> None:
    narrow = world.user("mary", allow("ssm:DescribeSessions", on="arn:aws:ssm:*:*:session/*"))
    assert world.call(narrow, "GET /sessions", query={"State": ["Active"]}).denied
    wide = world.user("john", allow("ssm:DescribeSessions"))
    assert listed(world, wide).status == 200


def test_one_session_is_described_alone(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.started(john)
    route, path = "GET /sessions/{sessionId}", {"sessionId": session.session_id}
    assert world.call(john, route, path=path).members["SessionId"] == session.session_id
    assert world.call(world.user("mary"), route, path=path).denied
    missing = {"sessionId": "john-0123456789abcdef0"}
    answer = world.call(john, route, path=missing)
    assert (answer.status, answer.code) == (404, "DoesNotExistException")
