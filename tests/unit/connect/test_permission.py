"""The owner's permission at the door: the policies of now, for this session, from this address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hatchway.core.errors import AccessDeniedException
from lambdas.connect.permission import Asking, permission
from lambdas.environment import EnvironmentIncomplete
from lambdas.ports import Circumstances, NodeRole, Session
from tests.unit.sessions.world import (
    CHANNEL_ROLE,
    EVERYTHING,
    REGION,
    World,
    allow,
    deny,
)

ABOUT = Circumstances(source_ip="192.0.2.7", user_agent="hatchway/1")
ENVIRONMENT = {"AWS_REGION": "us-east-1", "CHANNEL_ROLE_ID": CHANNEL_ROLE}


@pytest.fixture
def world() -> World:
    return World()


def ask(world: World, session: Session, about: Circumstances = ABOUT) -> None:
    Asking(
        nodes=world.nodes,
        policies=world.policies,
        clock=world.clock,
        region=REGION,
        channel_role_id=CHANNEL_ROLE,
    ).demand(session, about)


def test_an_owner_who_may_resume_is_let_in(world: World) -> None:
    ask(world, world.connected(world.user("john", EVERYTHING)))


@pytest.mark.parametrize(
    "taken",
    [
        (allow("ssm:StartSession"),),
        (EVERYTHING, deny("ssm:ResumeSession")),
        (EVERYTHING, deny("ssm:ResumeSession", on="arn:*:ssm:*:*:session/john-*")),
    ],
)
def test_what_was_taken_away_since_the_token_was_given_out_is_gone(
    world: World, taken: tuple[Mapping[str, Any], ...]
) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    world.user("john", *taken)
    with pytest.raises(AccessDeniedException, match="ssm:ResumeSession"):
        ask(world, session)


def test_an_owner_who_is_gone_is_refused(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.connected(john)
    world.policies.remove(john.arn)
    with pytest.raises(AccessDeniedException):
        ask(world, session)


def test_a_role_that_became_a_node_s_is_refused(world: World) -> None:
    ops = world.role("ops", "ann", EVERYTHING)
    session = world.connected(ops)
    ask(world, session)
    role_id = ops.userid.partition(":")[0]
    world.nodes.put_role(NodeRole(role_id=role_id, role_arn="arn:aws:iam::123456789012:role/ops"))
    with pytest.raises(AccessDeniedException, match="Roles of nodes"):
        ask(world, session)


@pytest.mark.parametrize(("address", "passes"), [("192.0.2.7", True), ("198.51.100.1", False)])
def test_the_address_is_the_one_that_the_token_is_shown_from(
    world: World, address: str, passes: bool
) -> None:
    condition = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    near = allow("ssm:ResumeSession", Condition=condition)
    session = world.connected(world.user("john", allow("ssm:StartSession"), near))
    about = Circumstances(source_ip=address)
    if passes:
        ask(world, session, about)
    else:
        with pytest.raises(AccessDeniedException):
            ask(world, session, about)


def test_mfa_is_unknown_at_the_door(world: World) -> None:
    with_mfa = allow(
        "ssm:ResumeSession", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    )
    session = world.connected(world.user("john", allow("ssm:StartSession"), with_mfa))
    with pytest.raises(AccessDeniedException):
        ask(world, session)


@pytest.mark.parametrize("missing", list(ENVIRONMENT))
def test_a_variable_that_is_missing_is_noticed_before_anybody_connects(
    world: World, missing: str
) -> None:
    rest = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    with pytest.raises(EnvironmentIncomplete, match=missing):
        permission(rest, world.nodes, world.clock)
