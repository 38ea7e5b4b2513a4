"""LookupEvents: who asks must be allowed, what is found is what was meant, pages go on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hatchway.core.audit import AuditRecord, Caller, Source, written
from lambdas.ports import Kept
from lambdas.request import Request
from lambdas.sessions.lookup import _meant, _names
from tests.unit.sessions.world import Answer, Person, World, allow

USER = Caller(
    arn="arn:aws:iam::123456789012:user/team/john",
    principal_id="AIDAJOHN",
    account="123456789012",
)
ROLE = Caller(
    arn="arn:aws:sts::123456789012:assumed-role/ops/alice",
    principal_id="AROAOPS:alice",
    account="123456789012",
)
RECORD = AuditRecord(
    source=Source.PEOPLE,
    name="StartSession",
    time=1_800_000_000.0,
    caller=USER,
    request_id="r-1",
    read_only=False,
    request={"Target": "i-0123456789abcdef0"},
)


def meant(record: AuditRecord, **asked: str) -> bool:
    return _meant(json.loads(written(record.members())), Request(asked))


@pytest.mark.parametrize(
    ("caller", "name"),
    [
        (USER, "john"),
        (USER, "AIDAJOHN"),
        (USER, USER.arn),
        (ROLE, "alice"),
        (ROLE, "ops/alice"),
        (ROLE, ROLE.arn),
        (ROLE, "AROAOPS:alice"),
    ],
)
def test_somebody_is_found_by_any_of_their_names(caller: Caller, name: str) -> None:
    assert meant(replace(RECORD, caller=caller), User=name)
    assert not meant(replace(RECORD, caller=caller), User=name[:-1])


def test_nobody_is_found_by_the_empty_name_or_by_a_part_of_one() -> None:
    assert "" not in _names({})
    assert not meant(RECORD, User="joh")
    assert not meant(RECORD, User="team")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, True),
        ({"Target": "i-0123456789abcdef0"}, True),
        ({"Target": "i-0123456789abcdef1"}, False),
        ({"EventName": "StartSession"}, True),
        ({"EventName": "Start"}, False),
        ({"User": "john", "Target": "i-0123456789abcdef1"}, False),
    ],
)
def test_all_that_is_asked_for_must_hold(asked: dict[str, str], found: bool) -> None:
    assert meant(RECORD, **asked) is found


def test_what_a_node_was_asked_about_is_found_by_the_node() -> None:
    agents = replace(RECORD, source=Source.AGENTS, request={"NodeId": "i-0123456789abcdef0"})
    assert meant(agents, Target="i-0123456789abcdef0")


LOOK_UP = allow("cloudtrail:LookupEvents")


@pytest.fixture
def world() -> World:
    return World()


def ask(world: World, person: Person, **query: str) -> Answer:
    return world.call(person, "GET /audit/events", query={k: [v] for k, v in query.items()})


def keep(world: World, number: int, age: float = 60.0) -> None:
    time = world.clock() - age
    record = replace(RECORD, request_id=f"r-{number}", time=time)
    world.trail.append([Kept(text=written(record.members()), time=int(time * 1000))])


def found(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.message
    return [json.loads(each["Record"])["requestID"] for each in answer.members["Events"]]


def test_whoever_may_look_calls_up_sees_those_of_the_last_hour(world: World) -> None:
    keep(world, 1, age=4000)
    keep(world, 2)
    assert found(ask(world, world.user("ann", LOOK_UP))) == ["r-2"]
    since = str(int(world.clock()) - 5000)
    assert found(ask(world, world.user("ben", LOOK_UP), StartTime=since)) == ["r-1", "r-2"]


def test_whoever_may_not_is_refused(world: World) -> None:
    assert ask(world, world.user("ann", allow("ssm:*"))).denied


def test_a_record_that_was_kept_twice_is_one_call(world: World) -> None:
    keep(world, 1)
    keep(world, 1)
    assert found(ask(world, world.user("ann", LOOK_UP))) == ["r-1"]


def test_pages_go_on_where_they_ended(world: World) -> None:
    for number in range(5):
        keep(world, number, age=100 - number)
    ann = world.user("ann", LOOK_UP)
    first = ask(world, ann)
    second = ask(world, ann, NextToken=first.members["NextToken"])
    assert found(first) + found(second) == [f"r-{number}" for number in range(5)]
    assert "NextToken" not in second.members


@pytest.mark.parametrize("token", ["x", "1", ":", "1:", "x:3", "1:x"])
def test_a_token_that_was_not_given_out_is_refused(world: World, token: str) -> None:
    assert ask(world, world.user("ann", LOOK_UP), NextToken=token).code == "InvalidNextToken"


def test_a_time_that_runs_backwards_is_refused(world: World) -> None:
    answer = ask(world, world.user("ann", LOOK_UP), StartTime="20", EndTime="10")
    assert answer.code == "ValidationException"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"eventTime":"x"}', "START"])
def test_what_is_no_record_is_left_out(world: World, text: str) -> None:
    world.trail.append([Kept(text=text, time=int(world.clock() * 1000))])
    assert found(ask(world, world.user("ann", LOOK_UP))) == []
