"""Who is let in at all: people of this account, by names that agree with one another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lambdas.ports import NodeRole
from tests.unit.sessions.world import (
    ACCOUNT,
    CHANNEL_ROLE,
    EVERYTHING,
    NODE,
    Person,
    World,
)

USERID = "AIDAUSEREXAMPLE"


def refused(world: World, person: Person) -> bool:
    answer = world.call(person, "GET /nodes")
    return (answer.status, answer.code) == (403, "AccessDeniedException") and not answer.denied


@pytest.mark.parametrize(
    ("arn", "userid"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", f"{ACCOUNT}:bob"),
        (f"arn:aws:iam::{ACCOUNT}:role/Ops", "AROAROLEEXAMPLE"),
        ("", ""),
        ("anonymous", "anonymous"),
        (f"arn:aws:iam::{ACCOUNT}:user/john", ""),
        (f"arn:aws:iam::{ACCOUNT}:user/john", f"{USERID}:john"),
        (f"arn:aws:iam::{ACCOUNT}:user/", USERID),
        (f"arn:aws:iam::{ACCOUNT}:user/jo hn", USERID),
        (f"arn:aws:iam::{ACCOUNT}:user/john\n", USERID),
        ("arn:aws:iam::999999999999:user/john", USERID),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/jane", "AROAROLEEXAMPLE:john"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/jane", "AROAROLEEXAMPLE"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/jane", ":jane"),
    ],
)
def test_names_that_are_no_persons_or_disagree_are_refused(
    world: World, arn: str, userid: str
) -> None:
    assert refused(world, Person(arn, userid))


def test_a_caller_of_another_account_is_refused(world: World) -> None:
    stranger = Person("arn:aws:iam::999999999999:user/john", USERID, account="999999999999")
    assert refused(world, stranger)


def test_a_person_of_the_account_is_let_in_by_its_policies_alone(world: World) -> None:
    assert world.call(world.user("john", EVERYTHING), "GET /nodes").status == 200
    assert world.call(world.role("Ops", "jane", EVERYTHING), "GET /nodes").status == 200
    assert world.call(world.user("mary"), "GET /nodes").denied


def test_a_user_with_a_path_is_named_by_its_last_part(world: World) -> None:
    john = world.user("john", EVERYTHING)
    arn = f"arn:aws:iam::{ACCOUNT}:user/teams/web/john"
    world.policies.add(arn, john.userid, world.policies.of(john.arn, john.userid))
    session = world.started(replace(john, arn=arn))
    assert session.session_id.startswith("john-")


def test_the_role_of_nodes_is_refused_whatever_its_policies_allow(world: World) -> None:
    node = world.role("Web", NODE, EVERYTHING)
    assert world.call(node, "GET /nodes").status == 200
    role_id = node.userid.partition(":")[0]
    world.nodes.put_role(NodeRole(role_id=role_id, role_arn="arn:aws:iam::1:role/Web"))
    assert refused(world, node)


def test_the_channel_role_is_refused_whatever_its_policies_allow(world: World) -> None:
    agent = Person(f"arn:aws:sts::{ACCOUNT}:assumed-role/Channel/{NODE}", f"{CHANNEL_ROLE}:{NODE}")
    assert refused(world, agent)
