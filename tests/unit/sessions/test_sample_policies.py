"""docs/policies: each sample does what its page says, by the evaluator and the sessions family."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hatchway.core.policy import (
    UNKNOWN,
    AccessRequest,
    ContextValue,
    Outcome,
    PolicySet,
    decide,
    parse,
)
from lambdas.ports import InstanceFacts, Node
from tests.unit.sessions.world import ACCOUNT, NODE, REGION, Answer, Document, Person, World

FOLDER = Path(__file__).parents[3] / "docs" / "policies"
SAMPLES = sorted(path.stem for path in FOLDER.glob("*.json"))
PAYMENTS = "i-0aaaaaaaaaaaaaaa1"  # a node with another tag
ALLOWED, SILENT, DENIED = Outcome.ALLOWED, Outcome.IMPLICITLY_DENIED, Outcome.EXPLICITLY_DENIED

START, RESUME, TERMINATE = "ssm:StartSession", "ssm:ResumeSession", "ssm:TerminateSession"
INVOKE = "execute-api:Invoke"
INSTANCE = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{NODE}"
DOCUMENTS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document"
OWN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/john-0123456789abcdef0"
API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5/prod"

USER: Mapping[str, ContextValue] = {"aws:username": "john", "aws:userid": "AIDAJOHN"}
ROLE: Mapping[str, ContextValue] = {"aws:userid": "AROAOPS:john"}
CHECK = "ssm:SessionDocumentAccessCheck"
TEAM, DATA = "ssm:resourceTag/team", "ssm:resourceTag/data"
OWNER = "ssm:resourceTag/aws:ssmmessages:session-id"
MFA, ADDRESS = "aws:MultiFactorAuthPresent", "aws:SourceIp"
ISSUED, NOW, MY_TEAM = "aws:TokenIssueTime", "aws:CurrentTime", "aws:PrincipalTag/team"


def sample(name: str) -> Document:
    """The file with this account, Region, API and stage filled in, as its page says."""
    text = (FOLDER / f"{name}.json").read_text()
    for placeholder, value in {
        "111122223333": ACCOUNT,
        "PEOPLE_API_ID": "a1b2c3d4e5",
        "STAGE": "prod",
    }.items():
        text = text.replace(placeholder, value)
    found: Document = json.loads(text)
    return found


def statements(name: str) -> list[dict[str, Any]]:
    found = sample(name)["Statement"]
    assert isinstance(found, list)
    return found


# --- by the evaluator: action, resource, context → outcome --------------------------------------


@pytest.mark.parametrize(
    ("name", "action", "resource", "context", "outcome"),
    [
        ("end-user", START, INSTANCE, {CHECK: "true"}, ALLOWED),
        ("end-user", START, INSTANCE, {CHECK: "false"}, SILENT),
        ("end-user", START, f"{DOCUMENTS}/SSM-SessionManagerRunShell", {CHECK: "true"}, ALLOWED),
        ("end-user", START, f"{DOCUMENTS}/Other", {CHECK: "true"}, SILENT),
        ("end-user", TERMINATE, OWN, {**USER, OWNER: "AIDAJOHN"}, ALLOWED),
        ("end-user", TERMINATE, OWN, {**ROLE, OWNER: "AROAOPS:john"}, ALLOWED),
        ("end-user", TERMINATE, OWN, {**USER, OWNER: "AIDAMARY"}, SILENT),
        ("end-user", "ssm:DescribeSessions", "*", {}, ALLOWED),
        ("end-user", "ssm:DeregisterManagedInstance", INSTANCE, {}, SILENT),
        ("administrator", START, INSTANCE, {CHECK: "false"}, ALLOWED),
        ("administrator", TERMINATE, OWN, {OWNER: "AIDAMARY"}, ALLOWED),
        ("administrator", "ssm:CreateActivation", "*", {}, ALLOWED),
        ("administrator", "iam:SimulatePrincipalPolicy", "*", {}, ALLOWED),
        ("administrator", "ssm:SendCommand", INSTANCE, {}, SILENT),
        ("by-tag", START, INSTANCE, {TEAM: "web"}, ALLOWED),
        ("by-tag", START, INSTANCE, {TEAM: "db"}, SILENT),
        ("by-tag", START, INSTANCE, {}, SILENT),
        ("by-own-team", START, INSTANCE, {TEAM: "web", MY_TEAM: "web"}, ALLOWED),
        ("by-own-team", START, INSTANCE, {TEAM: "web", MY_TEAM: "db"}, SILENT),
        ("by-own-team", START, INSTANCE, {TEAM: "web"}, SILENT),
        ("by-own-team", START, INSTANCE, {TEAM: "web", MY_TEAM: UNKNOWN}, SILENT),
        ("by-document", START, INSTANCE, {CHECK: "true"}, ALLOWED),
        ("by-document", START, f"{DOCUMENTS}/Support-Logs", {CHECK: "true"}, ALLOWED),
        ("by-document", START, f"{DOCUMENTS}/SSM-SessionManagerRunShell", {CHECK: "true"}, SILENT),
        ("own-sessions", RESUME, OWN, {**USER, OWNER: "AIDAJOHN"}, ALLOWED),
        ("own-sessions", RESUME, OWN, {**ROLE, OWNER: "AROAOPS:john"}, ALLOWED),
        ("own-sessions", RESUME, OWN, {**ROLE, OWNER: "AIDAJOHN"}, SILENT),
        ("own-sessions", START, INSTANCE, USER, SILENT),
        ("on-call", START, INSTANCE, {NOW: "2026-11-25T00:00:00Z"}, ALLOWED),
        ("on-call", START, INSTANCE, {NOW: "2026-11-23T08:59:59Z"}, SILENT),
        ("on-call", START, INSTANCE, {NOW: "2026-11-30T09:00:00Z"}, SILENT),
        (
            "mfa-and-address",
            INVOKE,
            f"{API}/POST/nodes/{NODE}/sessions",
            {MFA: "true", ADDRESS: "192.0.2.7"},
            ALLOWED,
        ),
        (
            "mfa-and-address",
            INVOKE,
            f"{API}/POST/nodes/{NODE}/sessions",
            {ADDRESS: "192.0.2.7"},
            SILENT,
        ),
        (
            "mfa-and-address",
            INVOKE,
            f"{API}/POST/nodes/{NODE}/sessions",
            {MFA: "true", ADDRESS: "198.51.100.7"},
            SILENT,
        ),
        ("mfa-and-address", INVOKE, f"{API}/DELETE/sessions/john-0", {}, ALLOWED),
        ("mfa-and-address", INVOKE, f"{API}/POST/nodes/{NODE}/reset", {MFA: "true"}, SILENT),
        (
            "mfa-and-address",
            "execute-api:ManageConnections",
            f"{API}/POST/@connections/x",
            {MFA: "true", ADDRESS: "192.0.2.7"},
            SILENT,
        ),
        (
            "revoke-older-sessions",
            INVOKE,
            f"{API}/GET/nodes",
            {ISSUED: "2026-11-22T11:59:59Z"},
            DENIED,
        ),
        (
            "revoke-older-sessions",
            INVOKE,
            f"{API}/GET/nodes",
            {ISSUED: "2026-11-22T12:00:00Z"},
            SILENT,
        ),
        ("revoke-older-sessions", INVOKE, f"{API}/GET/nodes", {}, SILENT),
        ("deny-overrides", START, INSTANCE, {DATA: "public"}, ALLOWED),
        ("deny-overrides", START, INSTANCE, {}, ALLOWED),
        ("deny-overrides", START, INSTANCE, {DATA: "payments"}, DENIED),
    ],
)
def test_the_evaluator_answers_as_the_page_says(
    name: str, action: str, resource: str, context: Mapping[str, ContextValue], outcome: Outcome
) -> None:
    policy = parse(json.dumps(sample(name)), source="sample", name=name)
    request = AccessRequest("arn:aws:iam::1:user/john", action, resource, context)
    assert decide(PolicySet((policy,)), request).outcome is outcome


# --- by the sessions family: the same for a user and for a role session -------------------------


@pytest.fixture
def world(world: World) -> World:
    """With one more node that is connected, which holds payment data."""
    world.instances.instances[PAYMENTS] = InstanceFacts(
        node_id=PAYMENTS, running=True, profile_arn="", tags={"team": "pay", "data": "payments"}
    )
    world.nodes.create(Node(node_id=PAYMENTS, online=True))
    return world


Call = Callable[[World, Person], Answer]


def start(node: str = NODE, **body: object) -> Call:
    return lambda world, person: world.start(person, node, body)


def see(world: World, person: Person) -> Answer:
    return world.call(person, "GET /nodes")


def reset(world: World, person: Person) -> Answer:
    return world.call(person, "POST /nodes/{nodeId}/reset", path={"nodeId": NODE})


def _own(world: World, person: Person) -> str:
    """A session of the person's, opened by another policy that is gone again."""
    found = world.policies.of(person.arn, person.userid)
    granted = parse_free(found.identity[0])
    world.policies.add(person.arn, person.userid, replace(found, identity=(granted,)))
    session_id = world.started(person).session_id
    world.policies.add(person.arn, person.userid, found)
    return session_id


def parse_free(document: Any) -> Any:
    text = '{"Statement": {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}}'
    return replace(document, text=text)


def end_own(world: World, person: Person) -> Answer:
    return world.terminate(person, _own(world, person))


def resume_own(world: World, person: Person) -> Answer:
    return world.resume(person, _own(world, person))


def end_others(world: World, person: Person) -> Answer:
    other = world.user("mary", {"Statement": statements("administrator")})
    return world.terminate(person, world.started(other).session_id)


def at(moment: str, call: Call) -> Call:
    def later(world: World, person: Person) -> Answer:
        world.clock.advance(
            datetime.fromisoformat(moment).astimezone(UTC).timestamp() - world.clock()
        )
        return call(world, person)

    return later


YES, NO = True, False


@pytest.mark.parametrize(
    ("name", "call", "user", "role"),
    [
        ("end-user", start(), YES, YES),
        ("end-user", start(DocumentName="SSM-SessionManagerRunShell"), YES, YES),
        ("end-user", start(DocumentName="Other"), NO, NO),
        ("end-user", end_own, YES, YES),
        ("end-user", resume_own, YES, YES),
        ("end-user", end_others, NO, NO),
        ("end-user", see, YES, YES),
        ("end-user", reset, NO, NO),
        ("administrator", start(), YES, YES),
        ("administrator", end_others, YES, YES),
        ("administrator", reset, YES, YES),
        ("by-tag", start(), YES, YES),
        ("by-tag", start(PAYMENTS), NO, NO),
        # A role's tags say nothing about its session's: unknown, and so denied.
        ("by-own-team", start(), YES, NO),
        ("by-own-team", start(PAYMENTS), NO, NO),
        ("by-document", start(), NO, NO),
        ("own-sessions", end_own, YES, YES),
        ("own-sessions", resume_own, YES, YES),
        ("own-sessions", end_others, NO, NO),
        ("own-sessions", start(), NO, NO),
        ("on-call", at("2026-11-25T00:00:00+00:00", start()), YES, YES),
        ("on-call", at("2026-11-30T09:00:01+00:00", start()), NO, NO),
        # Nothing of ssm is allowed by them: API Gateway enforces them.
        ("mfa-and-address", start(), NO, NO),
        ("revoke-older-sessions", start(), NO, NO),
        ("deny-overrides", start(), YES, YES),
        ("deny-overrides", start(PAYMENTS), NO, NO),
    ],
)
@pytest.mark.parametrize("kind", ["user", "role"])
def test_the_sessions_family_answers_as_the_page_says(
    world: World, name: str, call: Call, user: bool, role: bool, kind: str
) -> None:
    if kind == "user":
        person = world.user("john", sample(name), tags={"team": "web"})
    else:
        person = world.role("Ops", "john", sample(name))
    answer = call(world, person)
    expected = user if kind == "user" else role
    assert answer.denied is not expected, answer
    if expected:
        assert answer.status == 200


def test_a_document_that_the_sample_names_is_let_through_to_the_documents(world: World) -> None:
    """Permission first; that there is no such document is told to those alone who may use it."""
    john = world.user("john", sample("by-document"))
    assert world.start(john, body={"DocumentName": "Support-Logs"}).code == "InvalidDocument"
    assert world.start(john, body={"DocumentName": "SSM-SessionManagerRunShell"}).denied


def test_on_call_ends_for_everyone_in_the_group_at_once(world: World) -> None:
    """The same policy, attached once to a group, reaches each of its users."""
    for name in ("john", "mary"):
        person = world.user(name, sample("on-call"))
        inside = at("2026-11-25T00:00:00+00:00", start())
        assert inside(world, person).status == 200
    for name in ("john", "mary"):
        person = world.user(name, sample("on-call"))
        assert at("2026-12-01T00:00:00+00:00", start())(world, person).denied


# --- the page -----------------------------------------------------------------------------------


def test_every_sample_has_its_entry_and_says_what_happens_for_role_sessions() -> None:
    page = (FOLDER / "README.md").read_text()
    entries = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    described = {
        name: entry
        for entry in entries
        for name in re.findall(r"\[`([a-z-]+)\.json`\]\(\1\.json\)", entry.splitlines()[0])
    }
    assert sorted(described) == SAMPLES
    for entry in described.values():
        assert "**Role sessions:**" in entry


@pytest.mark.parametrize("name", SAMPLES)
def test_no_sample_opens_more_of_the_api_than_invoke(name: str) -> None:
    """`execute-api:*` would include ManageConnections, which writes into any live terminal."""
    for statement in statements(name):
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert not action.startswith("execute-api:") or action == INVOKE
            assert "*" not in action
        assert statement["Sid"].isalnum()
