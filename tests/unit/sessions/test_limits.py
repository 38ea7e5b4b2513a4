"""Limits of StartSession: how many sessions there may be, and how fast they may be started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.memory.ec2 import MemoryInstances
from lambdas.ports import InstanceFacts, Limits, Node
from lambdas.sessions import rates
from lambdas.sessions.handler import make_handler
from lambdas.sessions.rates import ROLE_SHARE
from tests.unit.sessions.world import EVERYTHING, GONE, NODE, Person, World, allow, deny

ROOM = Limits(per_user=9, per_node=9, per_account=9, starts_a_minute=99)
THIRD = "i-00000000000000003"


def limit(world: World, **changes: int) -> None:
    world.service = replace(world.service, limits=replace(ROOM, **changes))
    world.handler = make_handler(world.service, world.lines)
    world.nodes.create(Node(node_id=THIRD, online=True))
    world.instances.instances[THIRD] = InstanceFacts(
        node_id=THIRD, running=True, profile_arn="", tags={}
    )


@pytest.mark.parametrize(
    ("setting", "person", "node", "said"),
    [
        ("per_user", "john", THIRD, "There are 2 sessions of this caller already"),
        ("per_node", "mary", NODE, "There are 2 sessions on this node already"),
        ("per_account", "mary", THIRD, "There are 2 sessions in this account already"),
    ],
)
def test_a_limit_says_which_it_is_and_how_many(
    world: World, setting: str, person: str, node: str, said: str
) -> None:
    limit(world, **{setting: 2})
    people = {name: world.user(name, EVERYTHING) for name in ("john", "mary")}
    first = world.started(people["john"])
    world.started(people["john"])
    refused = world.start(people[person], node)
    assert (refused.code, refused.status) == ("LimitExceededException", 409)
    assert refused.message.startswith(said)
    world.terminate(people["john"], first.session_id)
    assert world.start(people[person], node).status == 200


@pytest.mark.parametrize(("setting", "node"), [("per_user", THIRD), ("per_node", NODE)])
def test_one_caller_s_or_node_s_limit_is_no_other_s(world: World, setting: str, node: str) -> None:
    limit(world, **{setting: 1})
    john, mary = world.user("john", EVERYTHING), world.user("mary", EVERYTHING)
    world.started(john)
    assert world.start(mary, THIRD).status == 200
    assert world.start(john, node).code == "LimitExceededException"


def test_the_same_request_again_is_answered_at_the_limit(world: World) -> None:
    limit(world, per_user=1)
    john = world.user("john", EVERYTHING)
    body = {"ClientRequestToken": "again"}
    first = world.start(john, body=body)
    assert world.start(john, body=body).members["SessionId"] == first.members["SessionId"]


def test_sessions_of_one_role_count_each_for_themselves(world: World) -> None:
    limit(world, per_user=1)
    bob, admin = world.role("Ops", "bob", EVERYTHING), world.role("Ops", "bob-admin", EVERYTHING)
    world.started(bob)
    assert world.start(admin).status == 200
    assert world.start(bob).code == "LimitExceededException"


def test_a_caller_starts_only_so_many_sessions_in_a_minute(world: World) -> None:
    limit(world, starts_a_minute=2)
    john, mary = world.user("john", EVERYTHING), world.user("mary", EVERYTHING)
    world.started(john)
    world.started(john)
    refused = world.start(john)
    assert (refused.code, refused.status) == ("ThrottlingException", 429)
    assert refused.headers["Retry-After"]
    assert world.start(mary).status == 200
    world.clock.advance(60)
    assert world.start(john).status == 200


class Counted(MemoryInstances):
    """EC2, with a count of what it is asked."""

    asked = 0

    def facts(self, node_id: str) -> InstanceFacts | None:
        self.asked += 1
        return super().facts(node_id)


def counting(world: World) -> Counted:
    instances = Counted(*world.instances.instances.values())
    world.service = replace(world.service, instances=instances)
    world.handler = make_handler(world.service, world.lines)
    return instances


def test_whoever_may_not_start_uses_up_no_more_of_ec2_than_others(world: World) -> None:
    limit(world, starts_a_minute=2)
    instances = counting(world)
    john: Person = world.user("john")
    assert [world.start(john).status for _ in range(4)] == [403, 403, 429, 429]
    assert instances.asked == 2


def test_ec2_is_not_asked_about_a_node_that_is_not_known(world: World) -> None:
    instances = counting(world)
    condition = {"StringEquals": {"ssm:resourceTag/team": "web"}}
    john = world.user("john", allow("ssm:*", Condition=condition))
    assert world.start(john, GONE).denied
    path = {"nodeId": GONE}
    assert world.call(john, "GET /nodes/{nodeId}/connection", path=path).denied
    assert instances.asked == 0


def test_a_role_s_sessions_start_at_a_common_rate_whatever_they_are_called(world: World) -> None:
    limit(world, starts_a_minute=1)
    people = [world.role("Ops", f"p{n}", deny("ssm:*")) for n in range(ROLE_SHARE + 1)]
    assert {world.start(person).status for person in people[:-1]} == {403}
    assert world.start(people[-1]).status == 429
    assert world.start(world.role("Dev", "p0", deny("ssm:*"))).status == 403


def test_requests_that_have_aws_asked_have_a_rate_and_a_role_s_sessions_share_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MAX_QUESTIONS", 2)  # the real one takes a while
    route, path = "POST /nodes/{nodeId}/reset", {"nodeId": NODE}
    people = [world.role("Ops", name, EVERYTHING) for name in ("ann", "bob", "cid")]
    found = [world.call(person, route, path=path) for person in people]
    assert [answer.status for answer in found] == [200, 200, 429]
    assert world.call(world.user("john", EVERYTHING), route, path=path).status == 200
    assert world.call(people[0], "GET /nodes").status == 200
    world.clock.advance(60)
    assert world.call(people[2], route, path=path).status == 200


def test_what_the_request_was_like_is_recorded(world: World) -> None:
    john = world.user("john", EVERYTHING)
    unnamed = world.started(john)
    named = world.started(john, {"DocumentName": "SSM-SessionManagerRunShell"})
    assert unnamed.about is not None
    assert (unnamed.about.source_ip, unnamed.about.long_term) == ("192.0.2.7", True)
    assert (unnamed.document_named, named.document_named) == (False, True)
