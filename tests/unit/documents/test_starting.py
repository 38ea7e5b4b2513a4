"""What documents make of StartSession: which one it is, what is kept of it, what it demands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core import documents as core
from hatchway.core.documents import Platform
from hatchway.core.documents.floor import Floor
from lambdas.ports import InstanceFacts, PrincipalPolicies, Session
from lambdas.sessions.handler import make_handler
from tests.unit.documents.world import Documents, arn, shell
from tests.unit.sessions.world import (
    EVERYTHING,
    NODE,
    Document,
    Person,
    World,
    allow,
    deny,
)

INSTANCES = "arn:aws:ec2:*:*:instance/*"
RULES = "Hatchway-PreferenceRules"
COMMAND: dict[str, Any] = {
    "schemaVersion": "1.0",
    "sessionType": "InteractiveCommands",
    "parameters": {"path": {"type": "String", "allowedPattern": "[a-z/ ]+", "default": "/tmp"}},
    "properties": {"linux": {"commands": "ls {{ path }}"}},
}


@pytest.fixture
def documents() -> Documents:
    return Documents()


@pytest.fixture
def ann(documents: Documents) -> Person:
    return documents.world.user("ann", EVERYTHING)


@pytest.fixture
def world(documents: Documents) -> World:
    return documents.world


def rules(*said: dict[str, object]) -> str:
    return json.dumps({"schemaVersion": "1.0", "rules": list(said)})


def command(session: Session) -> str:
    found = core.read(session.document).properties.of(Platform.LINUX)
    assert found is not None
    return found.commands


# --- which one ------------------------------------------------------------------------------------


def test_a_session_keeps_the_version_that_was_the_default_at_its_start(
    documents: Documents, world: World, ann: Person
) -> None:
    documents.create(ann, "Team", shell(idleSessionTimeout=1))
    first = world.started(ann, {"DocumentName": "Team"})
    documents.update(ann, "Team", shell(idleSessionTimeout=2))
    second = world.started(ann, {"DocumentName": "Team"})
    documents.set_default(ann, "Team", "2")
    third = world.started(ann, {"DocumentName": arn("Team")})
    pinned = world.started(ann, {"DocumentName": "Team:1"})
    documents.delete(ann, "Team")
    found = [world.session(each.session_id) for each in (first, second, third, pinned)]
    assert [each.document_version for each in found] == ["1", "1", "2", "1"]
    assert [core.read(each.document).inputs.idle_session_timeout for each in found] == [1, 1, 2, 1]
    assert {each.document_name for each in found} == {"Team"}


def test_there_is_no_session_of_a_version_or_document_that_is_not_there(
    documents: Documents, world: World, ann: Person
) -> None:
    documents.create(ann, "Team", shell())
    assert world.start(ann, body={"DocumentName": "Team:2"}).code == "InvalidDocumentVersion"
    assert world.start(ann, body={"DocumentName": "Teem"}).code == "InvalidDocument"
    documents.create(ann, RULES, rules())
    assert world.start(ann, body={"DocumentName": RULES}).code == "InvalidDocument"


def test_the_preferences_are_what_sessions_without_a_document_get(
    documents: Documents, world: World, ann: Person
) -> None:
    assert core.read(world.started(ann).document).inputs.hatchway.banner
    documents.update(ann, "SSM-SessionManagerRunShell", shell(maxSessionDuration=7))
    session = world.started(ann)
    assert (session.document_name, session.document_version) == ("SSM-SessionManagerRunShell", "2")
    assert core.max_session_duration(session.document) == "7"
    assert not session.document_named


def test_access_is_checked_on_the_document_without_its_version(
    documents: Documents, world: World, ann: Person
) -> None:
    documents.create(ann, "Team", shell())
    bob = world.user("bob", allow("ssm:StartSession", on=[INSTANCES, arn("Team")]))
    assert world.start(bob, body={"DocumentName": "Team:1"}).status == 200
    kim = world.user("kim", allow("ssm:StartSession", on=[INSTANCES, arn("Other")]))
    assert arn("Team") in world.start(kim, body={"DocumentName": "Team:1"}).message


# --- parameters -----------------------------------------------------------------------------------


def test_parameters_are_filled_in_quoted(documents: Documents, world: World, ann: Person) -> None:
    documents.create(ann, "List", json.dumps(COMMAND))
    assert command(world.started(ann, {"DocumentName": "List"})) == "ls '/tmp'"
    asked = {"DocumentName": "List", "Parameters": {"path": ["/a b"]}}
    assert command(world.started(ann, asked)) == "ls '/a b'"


@pytest.mark.parametrize("values", [["/a; id"], ["a", "b"], []])
def test_values_that_the_document_does_not_take_start_nothing(
    documents: Documents, world: World, ann: Person, values: list[str]
) -> None:
    documents.create(ann, "List", json.dumps(COMMAND))
    asked = {"DocumentName": "List", "Parameters": {"path": values}}
    assert world.start(ann, body=asked).code == "InvalidParameters"
    assert not world.sessions.changes


def test_a_command_of_ones_own_goes_through_the_document_of_aws(world: World, ann: Person) -> None:
    asked = {
        "DocumentName": "AWS-StartNonInteractiveCommand",
        "Parameters": {"command": ["uptime; id"]},
    }
    assert command(world.started(ann, asked)) == "uptime; id"
    only_own = world.user("kim", allow("ssm:StartSession", on=[INSTANCES, arn("List")]))
    assert world.start(only_own, body=asked).denied


# --- reasons --------------------------------------------------------------------------------------


def test_a_reason_may_be_demanded_and_of_a_form(
    documents: Documents, world: World, ann: Person
) -> None:
    wanted = {"requireReason": True, "reasonPattern": "(INC|CHG)-[0-9]+( .*)?"}
    documents.update(ann, "SSM-SessionManagerRunShell", shell(hatchway=wanted))
    for reason in (None, "because", "INC-x", "see INC-1"):
        refused = world.start(ann, body={"Reason": reason} if reason else None)
        assert (refused.status, refused.code) == (400, "ReasonRequired")
        assert "(INC|CHG)-[0-9]+" in refused.message
    assert world.start(ann, body={"Reason": "INC-1 disk is full"}).status == 200


def test_a_reason_that_is_not_demanded_has_its_form_all_the_same(
    documents: Documents, world: World, ann: Person
) -> None:
    wanted = {"reasonPattern": "INC-[0-9]+"}
    documents.update(ann, "SSM-SessionManagerRunShell", shell(hatchway=wanted))
    assert world.start(ann).status == 200
    assert world.start(ann, body={"Reason": "x"}).code == "ReasonRequired"


def test_what_a_document_demands_is_told_to_those_alone_who_may_use_it(
    documents: Documents, world: World, ann: Person
) -> None:
    documents.update(ann, "SSM-SessionManagerRunShell", shell(hatchway={"requireReason": True}))
    assert world.start(world.user("nobody")).denied


# --- run as ---------------------------------------------------------------------------------------


def run_as(documents: Documents, ann: Person, **inputs: Any) -> None:
    content = shell(runAsEnabled=True, **inputs)
    assert documents.update(ann, "SSM-SessionManagerRunShell", content).status == 200


def tagged_role(world: World, tags: dict[str, str] | None) -> Person:
    """A role session; `tags` are the role's where nobody may tag its sessions."""
    person = world.role("Ops", "ann", EVERYTHING)
    found = world.policies.of(person.arn, person.userid)
    assert isinstance(found, PrincipalPolicies)
    world.policies.add(person.arn, person.userid, replace(found, role_tags=tags))
    return person


def test_a_session_runs_as_the_tag_of_the_user_says(
    documents: Documents, world: World, ann: Person
) -> None:
    run_as(documents, ann, runAsDefaultUser="app")
    tagged = world.user("kim", EVERYTHING, tags={"SSMSessionRunAs": "kim"})
    assert world.started(tagged).run_as == "kim"
    assert world.started(ann).run_as == "app"


def test_without_a_user_nothing_starts(documents: Documents, world: World, ann: Person) -> None:
    run_as(documents, ann)
    refused = world.start(ann)
    assert (refused.status, refused.code) == (403, "RunAsRefused")
    assert "SSMSessionRunAs" in refused.message
    assert not world.sessions.changes


def test_a_role_session_whose_tags_cannot_be_known_is_refused_rather_than_defaulted(
    documents: Documents, world: World, ann: Person
) -> None:
    run_as(documents, ann, runAsDefaultUser="app")
    refused = world.start(tagged_role(world, None))
    assert refused.code == "RunAsRefused"
    assert "sts:TagSession" in refused.message


def test_a_role_that_nobody_may_tag_sessions_of_has_its_own_tags(
    documents: Documents, world: World, ann: Person
) -> None:
    run_as(documents, ann, runAsDefaultUser="app")
    assert world.started(tagged_role(world, {"SSMSessionRunAs": "ops"})).run_as == "ops"
    assert world.started(tagged_role(world, {})).run_as == "app"


def test_nobody_runs_as_root_unless_the_document_says_so(
    documents: Documents, world: World, ann: Person
) -> None:
    run_as(documents, ann)
    rooted = world.user("kim", EVERYTHING, tags={"SSMSessionRunAs": "root"})
    assert world.start(rooted).code == "RunAsRefused"
    run_as(documents, ann, hatchway={"runAsRootAllowed": True})
    assert world.started(rooted).run_as == "root"


# --- rules ----------------------------------------------------------------------------------------


@pytest.fixture
def teams(documents: Documents, ann: Person) -> Documents:
    for name in ("Strict", "Lax"):
        assert documents.create(ann, name, shell()).status == 200
    said = rules(
        {"document": "Strict", "principalTags": {"team": ["payments"]}},
        {"document": "Lax", "nodeTags": {"team": ["web"]}, "principals": ["*:user/kim*"]},
    )
    assert documents.create(ann, RULES, said).status == 200
    return documents


def test_a_rule_chooses_by_the_tag_of_the_caller_and_of_the_node(
    teams: Documents, world: World, ann: Person
) -> None:
    payer = world.user("pat", EVERYTHING, tags={"team": "payments"})
    assert world.started(payer).document_name == "Strict"
    kim = world.user("kim", EVERYTHING)
    assert world.started(kim).document_name == "Lax"
    assert world.started(ann).document_name == "SSM-SessionManagerRunShell"
    world.instances.instances[NODE] = InstanceFacts(
        node_id=NODE, running=True, profile_arn="", tags={}
    )
    assert world.started(kim).document_name == "SSM-SessionManagerRunShell"


def test_whoever_names_a_document_gets_it_if_it_is_allowed(teams: Documents, world: World) -> None:
    pat = world.user("pat", EVERYTHING, tags={"team": "payments"})
    assert world.started(pat, {"DocumentName": "Lax"}).document_name == "Lax"
    held = world.user(
        "sam",
        EVERYTHING,
        deny("ssm:StartSession", on=[arn("Lax"), arn("SSM-SessionManagerRunShell")]),
        tags={"team": "payments"},
    )
    for name in ("Lax", "SSM-SessionManagerRunShell"):
        assert world.start(held, body={"DocumentName": name}).denied
    assert world.started(held).document_name == "Strict"


def test_a_document_that_a_rule_chose_must_be_allowed_as_if_it_were_named(
    teams: Documents, world: World
) -> None:
    """The default document alone needs no grant of its own."""
    node_only = allow("ssm:StartSession", on=INSTANCES)
    pat = world.user("pat", node_only, tags={"team": "payments"})
    refused = world.start(pat)
    assert refused.denied
    assert arn("Strict") in refused.message
    granted = allow("ssm:StartSession", on=[INSTANCES, arn("Strict")])
    allowed = world.user("pam", granted, tags={"team": "payments"})
    assert world.started(allowed).document_named
    assert world.start(world.user("kit", node_only)).status == 200


def test_no_preferences_are_guessed_for_a_role_whose_tags_cannot_be_known(
    teams: Documents, world: World
) -> None:
    unknown = tagged_role(world, None)
    refused = world.start(unknown)
    assert (refused.status, refused.code) == (400, "InvalidDocument")
    assert "cannot be known" in refused.message
    assert world.start(world.role("Other", "bob")).denied
    assert world.started(unknown, {"DocumentName": "Lax"}).document_name == "Lax"
    known = tagged_role(world, {"team": "payments"})
    assert world.started(known).document_name == "Strict"


def explained(world: World, person: Person, **members: object) -> Any:
    body = {"PrincipalArn": person.arn, "Target": NODE, **members}
    answer = world.call(
        world.user("boss", EVERYTHING, allow("iam:*")), "POST /access/explain", body=body
    )
    assert answer.status == 200, answer
    return answer.members


def test_explanations_go_by_the_rules(teams: Documents, world: World) -> None:
    invoke: Document = allow("execute-api:Invoke")
    node_only = allow("ssm:StartSession", on=INSTANCES)
    pat = world.user("pat", node_only, invoke, tags={"team": "payments"})
    found = explained(world, pat)
    assert "Denied" in found["Decision"]
    assert found["Checks"][-1]["Resource"] == arn("Strict")
    assert "Denied" not in explained(world, world.user("kit", node_only, invoke))["Decision"]
    ops = world.role("Ops", "ann", EVERYTHING, invoke)
    assert explained(world, ops)["Decision"] == "ExplicitlyDenied"
    assert any("cannot be known" in each for each in explained(world, ops)["Remarks"])
    assert explained(world, ops, DocumentName="Lax")["Decision"] != "ExplicitlyDenied"


# --- the floor ------------------------------------------------------------------------------------


def test_sessions_are_raised_to_the_floor_whatever_their_document_says(
    documents: Documents, world: World, ann: Person
) -> None:
    documents.create(ann, "Team", shell(maxSessionDuration=600))
    floor = Floor(max_session_duration=60, recording_required=True, log_buckets=("ours",))
    world.handler = make_handler(replace(world.service, floor=floor), world.lines)
    for name in ("Team", "SSM-SessionManagerRunShell"):
        inputs = core.read(world.started(ann, {"DocumentName": name}).document).inputs
        assert inputs.max_session_duration == 60
        assert inputs.hatchway.recording_required


def test_nothing_starts_whose_log_would_go_where_it_may_not(
    documents: Documents, world: World, ann: Person
) -> None:
    documents.create(ann, "Team", shell(s3BucketName="theirs"))
    floor = Floor(log_buckets=("ours",), run_as_required=True)
    world.handler = make_handler(replace(world.service, floor=floor), world.lines)
    assert world.start(ann, body={"DocumentName": "Team"}).code == "BelowAccountFloor"
    assert world.start(ann).code == "RunAsRefused"


def test_a_session_keeps_the_name_of_its_node(world: World, ann: Person) -> None:
    assert world.started(ann).node_name == "web-1"
