"""Every reason for a denial, with every operation: the same words, and nothing done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from hatchway.core import api
from hatchway.core.errors import ThrottlingException
from hatchway.core.shapes import Many, Member, Operation, Place, Text
from lambdas.ports import NodeRole, PolicyDocument
from lambdas.sessions.people import PERFORMED
from tests.unit.sessions.world import (
    ACCOUNT,
    NODE,
    REGION,
    Answer,
    Document,
    Person,
    World,
    allow,
    deny,
)

ALL = allow("*")
OWN = [operation for operation in api.OPERATIONS if operation.name in PERFORMED]
# One asks for each session, and counts refusals instead of refusing; what API Gateway's permission
# suffices for, the other, has each frame permitted by itself (`test_lifecycle_frames.py`).
APART = {"TerminateSessions", "OpenConnection"}
JUDGED = [operation for operation in OWN if operation.name not in APART]
ROLE_ID, JOHN = "AROA1234567890ABCDEF", f"arn:aws:iam::{ACCOUNT}:user/john"
VALUES: dict[str, str] = {
    "Target": NODE,
    "NodeId": NODE,
    "RoleId": ROLE_ID,
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/Web",
    "PrincipalArn": JOHN,
}


def value(member: Member, session_id: str) -> object:
    if member.name == "SessionId":
        return session_id
    if member.name in VALUES:
        return VALUES[member.name]
    if isinstance(member.type, Text):
        return member.type.choices[0] if member.type.choices else "x" * member.type.least
    return [] if isinstance(member.type, Many) else {}


def call(world: World, operation: Operation, person: Person, session_id: str) -> Answer:
    """The operation with what it needs."""
    needed = [m for m in operation.takes if m.required or m.name == "PrincipalArn"]
    given = {place: {} for place in Place}  # type: dict[Place, dict[str, object]]
    for member in needed:
        given[member.place][member.wire_name] = value(member, session_id)
    return world.call(
        person,
        f"{operation.method} {operation.path}",
        path={k: str(v) for k, v in given[Place.PATH].items()},
        query={k: [str(v)] for k, v in given[Place.QUERY].items()},
        body=given[Place.BODY] or None,
    )


def resource(operation: Operation, session_id: str) -> str:
    return operation.resource.format(
        partition="aws",
        region=REGION,
        account=ACCOUNT,
        nodeId=NODE,
        sessionId=session_id,
        principalArn=JOHN,
    )


def limited(world: World, *boundary: Document) -> Person:
    """Somebody who may do everything, within a boundary."""
    person = world.user("mallory", ALL)
    found = world.policies.of(person.arn, person.userid)
    texts = [
        PolicyDocument(source="boundary", name=f"b{n}", text=json.dumps(document))
        for n, document in enumerate(boundary)
    ]
    world.policies.add(person.arn, person.userid, replace(found, boundaries=texts))
    return person


def below(world: World, *guardrails: Document) -> Person:
    """Somebody who may do everything, in an account below these service control policies."""
    person = world.user("mallory", ALL)
    found = world.policies.of(person.arn, person.userid)
    texts = [
        PolicyDocument(source="organization r-1", name=f"p{n}", text=json.dumps(document))
        for n, document in enumerate(guardrails)
    ]
    world.policies.add(person.arn, person.userid, replace(found, scps=[texts]))
    return person


NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
PAST = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
ELSEWHERE = {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
SILENT = "because no identity-based policy allows the {action} action"
EXPLICIT = "with an explicit deny in an identity-based policy"
REASONS: dict[str, tuple[Callable[[World], Person], str]] = {
    "no policy": (lambda w: w.user("mallory"), SILENT),
    "another action": (lambda w: w.user("mallory", allow("s3:*")), SILENT),
    "another resource": (lambda w: w.user("mallory", allow("*", on="arn:aws:s3:::x")), SILENT),
    "a date that is over": (lambda w: w.user("mallory", allow("*", Condition=PAST)), SILENT),
    "another address": (lambda w: w.user("mallory", allow("*", Condition=ELSEWHERE)), SILENT),
    "MFA, of a user's key": (lambda w: w.user("mallory", allow("*", Condition=WITH_MFA)), SILENT),
    "MFA, unknown": (lambda w: w.role("Ops", "m", allow("*", Condition=WITH_MFA)), SILENT),
    "a Deny": (lambda w: w.user("mallory", ALL, deny("*")), EXPLICIT),
    "a Deny in doubt": (lambda w: w.role("Ops", "m", ALL, deny("*", Condition=NO_MFA)), EXPLICIT),
    "a boundary that is silent": (
        lambda w: limited(w, allow("s3:*")),
        "because no permissions boundary allows the {action} action",
    ),
    "a boundary that denies": (
        lambda w: limited(w, ALL, deny("*")),
        "with an explicit deny in a permissions boundary",
    ),
    "an organisation that is silent": (
        lambda w: below(w, allow("s3:*")),
        "because no service control policy allows the {action} action",
    ),
    "an organisation that denies": (
        lambda w: below(w, ALL, deny("*")),
        "with an explicit deny in a service control policy",
    ),
}


@pytest.fixture
def session_id(world: World) -> str:
    """John's, of which nobody else may have anything."""
    return world.started(world.user("john", ALL)).session_id


@pytest.mark.parametrize("operation", JUDGED, ids=lambda operation: operation.name)
@pytest.mark.parametrize("reason", REASONS)
def test_a_denial_says_action_resource_layer_and_kind(
    world: World, session_id: str, operation: Operation, reason: str
) -> None:
    make, words = REASONS[reason]
    person = make(world)
    before = world.sessions.get(session_id)
    answer = call(world, operation, person, session_id)
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert answer.message == (
        f"User: {person.arn} is not authorized to perform: {operation.action} on resource: "
        f"{resource(operation, session_id)} {words.format(action=operation.action)}"
    )
    assert answer.members["RequestId"] == "request-1"
    line = world.lines.written[-1][1]
    assert (line["deniedAction"], line["requestId"]) == (operation.action, "request-1")
    assert line["deniedKind"] == ("explicit" if "explicit" in words else "implicit")
    assert world.sessions.get(session_id) == before
    assert world.nodes.roles() == ()


def malformed(world: World) -> Person:
    person = world.user("mallory", ALL)
    found = world.policies.of(person.arn, person.userid)
    broken = PolicyDocument(source="user", name="broken", text="{")
    changed = replace(found, identity=(*found.identity, broken))
    world.policies.add(person.arn, person.userid, changed)
    return person


def gone(world: World) -> Person:
    person = world.user("mallory", ALL)
    world.policies.remove(person.arn)
    return person


def made_again(world: World) -> Person:
    return replace(world.user("mallory", ALL), userid="AIDADELETEDMALLORY")


def role_made_again(world: World) -> Person:
    """A session of the deleted role, whose credentials live on for a while."""
    person = world.role("Ops", "mallory", ALL)
    return replace(person, userid="AROADELETEDROLEEXAMPLE:mallory")


def of_a_node(world: World) -> Person:
    person = world.role("Web", NODE, ALL)
    role_id = person.userid.partition(":")[0]
    world.nodes.put_role(NodeRole(role_id=role_id, role_arn="arn:aws:iam::1:role/Web"))
    return person


def elsewhere(world: World) -> Person:
    return Person(JOHN.replace(ACCOUNT, "999999999999"), "AIDAEXAMPLE", account="999999999999")


def root(world: World) -> Person:
    return Person(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)


def unanswered(world: World) -> Person:
    world.policies.failure = ThrottlingException("IAM does not answer; try again later.")
    return world.user("mallory", ALL)


@pytest.mark.parametrize("operation", OWN, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (malformed, "AccessDeniedException", "A policy of the caller is malformed."),
        (gone, "AccessDeniedException", ""),
        (made_again, "AccessDeniedException", ""),
        (role_made_again, "AccessDeniedException", ""),
        (of_a_node, "AccessDeniedException", "Roles of nodes may not use this API."),
        (elsewhere, "AccessDeniedException", "Only IAM users and roles of this account may call."),
        (root, "AccessDeniedException", "Only IAM users and roles of this account may call."),
        (unanswered, "ThrottlingException", "IAM does not answer; try again later."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_who_cannot_be_judged_is_refused_everything(
    world: World,
    session_id: str,
    operation: Operation,
    make: Callable[[World], Person],
    code: str,
    words: str,
) -> None:
    answer = call(world, operation, make(world), session_id)
    assert answer.code == code
    assert words in answer.message


@pytest.mark.parametrize("operation", OWN, ids=lambda operation: operation.name)
def test_whoever_may_do_everything_is_not_denied(
    world: World, session_id: str, operation: Operation
) -> None:
    """The control: the refusals above are the policies' doing."""
    assert not call(world, operation, world.user("admin", ALL), session_id).denied
