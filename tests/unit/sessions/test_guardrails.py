"""Service control policies, where they are read: each level must allow, and a Deny denies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.memory.iam import principal
from lambdas.ports import PolicyDocument
from tests.unit.sessions.world import NODE, Person, World

ALLOW = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DENY = {"Statement": [{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"}]}
WITHOUT_MFA = {
    "Statement": [
        {
            "Effect": "Deny",
            "Action": "ssm:StartSession",
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    ]
}
OTHERS = {"Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}


def level(*documents: object) -> list[PolicyDocument]:
    return [
        PolicyDocument(source="organization r-1", name=f"p-{n}", text=json.dumps(one))
        for n, one in enumerate(documents)
    ]


def below(world: World, person: Person, *levels: list[PolicyDocument]) -> Person:
    """The same person, who may do everything, in an account below these policies."""
    found = replace(principal(ALLOW, tags={}), scps=levels)
    world.policies.add(person.arn, person.userid, found)
    return person


@pytest.mark.parametrize(
    ("levels", "allowed"),
    [
        ([], True),
        ([level(ALLOW), level(ALLOW)], True),
        ([level(ALLOW), level(OTHERS)], False),
        ([level(OTHERS), level(ALLOW)], False),
        ([level(ALLOW, DENY), level(ALLOW)], False),
        ([level(ALLOW), level(ALLOW, DENY)], False),
        ([level(ALLOW), []], False),
    ],
)
def test_each_level_must_allow_and_a_deny_denies(
    world: World, levels: list[list[PolicyDocument]], allowed: bool
) -> None:
    john = below(world, world.user("john"), *levels)
    assert world.start(john).denied is not allowed


def test_what_they_ask_for_and_is_not_known_denies(world: World) -> None:
    session = below(world, world.role("Ops", "mary"), level(ALLOW, WITHOUT_MFA))
    assert world.start(session).denied


def test_the_denial_says_which_of_them_to_those_who_may_read_iam(world: World) -> None:
    john = below(world, world.user("john"), level(ALLOW, DENY))
    admin = world.user("admin", ALLOW)
    answer: Any = world.call(
        admin, "POST /access/explain", body={"PrincipalArn": john.arn, "Target": NODE}
    )
    check = next(c for c in answer.members["Checks"] if c["Action"] == "ssm:StartSession")
    assert answer.members["Decision"] == "ExplicitlyDenied"
    assert [s["PolicyLayer"] for s in check["Statements"] if s["Effect"] == "Deny"] == ["scp"]


def test_a_level_that_could_allow_by_an_open_key_is_conditional(world: World) -> None:
    by_address = {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "*",
                "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
            }
        ]
    }
    john = below(world, world.user("john"), level(ALLOW), level(by_address))
    admin = world.user("admin", ALLOW)
    answer: Any = world.call(
        admin, "POST /access/explain", body={"PrincipalArn": john.arn, "Target": NODE}
    )
    check = next(c for c in answer.members["Checks"] if c["Action"] == "ssm:StartSession")
    assert check["Decision"] == "Conditional"
