"""Documents and their versions: who may do what, what is refused, and what sessions then get."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hatchway.core import api
from hatchway.core.documents.floor import Floor
from hatchway.core.errors import ThrottlingException
from lambdas.documents import writing
from tests.unit.documents.world import SHELL, Documents, arn, shell
from tests.unit.sessions.world import EVERYTHING, Answer, Person, allow

DEFAULT = "SSM-SessionManagerRunShell"
YAML = "schemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: 5\n"


@pytest.fixture
def documents() -> Documents:
    return Documents()


@pytest.fixture
def ann(documents: Documents) -> Person:
    return documents.world.user("ann", EVERYTHING)


def described(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.members["Document"]
    return found


# --- versions -------------------------------------------------------------------------------------


def test_a_document_has_versions_and_one_of_them_is_the_default(
    documents: Documents, ann: Person
) -> None:
    made = described(documents.create(ann, "Team", json.dumps(SHELL)))
    assert (made["DocumentVersion"], made["DefaultVersion"], made["LatestVersion"]) == ("1",) * 3
    assert (made["Owner"], made["Author"]) == ("123456789012", ann.arn)
    assert (made["Description"], made["HashType"]) == ("Of the team", "Sha256")
    added = described(documents.update(ann, "Team", YAML, DocumentFormat="YAML"))
    assert (added["DocumentVersion"], added["DefaultVersion"]) == ("2", "1")
    chosen = described(documents.set_default(ann, "Team", "2"))
    assert (chosen["DocumentVersion"], chosen["DefaultVersion"]) == ("2", "2")
    assert described(documents.describe(ann, "Team", DocumentVersion="1"))["Hash"] == made["Hash"]
    latest = described(documents.describe(ann, "Team", DocumentVersion="$LATEST"))
    assert latest["DocumentVersion"] == "2"


def test_content_comes_back_as_it_was_written_or_as_json(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", YAML, "YAML")
    found = documents.get(ann, "Team").members
    assert (found["Content"], found["DocumentFormat"]) == (YAML, "YAML")
    converted = documents.get(ann, "Team", DocumentFormat="JSON").members
    assert json.loads(converted["Content"])["inputs"] == {"idleSessionTimeout": 5}


def test_versions_are_listed_newest_first_in_pages(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell())
    for minutes in (1, 2, 3):
        documents.update(ann, "Team", shell(idleSessionTimeout=minutes))
    first = documents.versions(ann, "Team", MaxResults="3").members
    assert [each["DocumentVersion"] for each in first["DocumentVersions"]] == ["4", "3", "2"]
    second = documents.versions(ann, "Team", NextToken=first["NextToken"]).members
    assert [each["IsDefaultVersion"] for each in second["DocumentVersions"]] == [True]
    assert "NextToken" not in second
    assert documents.versions(ann, "Team", NextToken="x").code == "InvalidNextToken"


def test_a_version_that_is_neither_default_nor_newest_may_be_removed(
    documents: Documents, ann: Person
) -> None:
    documents.create(ann, "Team", shell())
    for minutes in (1, 2):
        documents.update(ann, "Team", shell(idleSessionTimeout=minutes))
    for number in ("1", "3"):
        refused = documents.delete(ann, "Team", DocumentVersion=number)
        assert refused.code == "InvalidDocumentOperation"
    assert documents.delete(ann, "Team", DocumentVersion="2").status == 200
    assert documents.get(ann, "Team", DocumentVersion="2").code == "InvalidDocumentVersion"
    assert documents.delete(ann, "Team", DocumentVersion="2").code == "InvalidDocumentVersion"
    added = described(documents.update(ann, "Team", shell(idleSessionTimeout=9)))
    assert added["DocumentVersion"] == "4"


def test_a_document_is_removed_whole(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell())
    assert documents.delete(ann, "Team").members == {"Name": "Team"}
    for answer in (
        documents.describe(ann, "Team"),
        documents.get(ann, "Team"),
        documents.versions(ann, "Team"),
        documents.update(ann, "Team", shell()),
        documents.delete(ann, "Team"),
    ):
        assert (answer.status, answer.code) == (400, "InvalidDocument")


def test_of_two_who_change_a_document_one_is_told(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell())
    documents.update(ann, "Team", shell(idleSessionTimeout=1))
    late = documents.update(ann, "Team", shell(idleSessionTimeout=2), DocumentVersion="1")
    assert (late.status, late.code) == (409, "ConflictException")
    never = documents.update(ann, "Team", shell(idleSessionTimeout=2), DocumentVersion="7")
    assert never.code == "InvalidDocumentVersion"
    known = documents.update(ann, "Team", shell(idleSessionTimeout=2), DocumentVersion="$LATEST")
    assert known.status == 200


def test_the_same_content_again_is_no_new_version(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell())
    assert documents.update(ann, "Team", shell()).code == "DuplicateDocumentContent"


def test_there_are_only_so_many_versions_and_documents(
    documents: Documents, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MAX_VERSIONS", 2)  # named limits, lowered to be reached
    monkeypatch.setattr(writing, "MAX_DOCUMENTS", 2)
    documents.create(ann, "Team", shell())
    assert documents.update(ann, "Team", shell(idleSessionTimeout=1)).status == 200
    over = documents.update(ann, "Team", shell(idleSessionTimeout=2))
    assert over.code == "DocumentVersionLimitExceeded"
    assert documents.create(ann, "Team2", shell()).status == 200
    assert documents.create(ann, "Team3", shell()).code == "DocumentLimitExceeded"


# --- names and kinds ------------------------------------------------------------------------------


def test_the_preferences_and_the_documents_of_aws_are_there_from_the_beginning(
    documents: Documents, ann: Person
) -> None:
    documents.create(ann, "Team", shell())
    listed = documents.list(ann).members["DocumentIdentifiers"]
    assert [(each["Name"], each["Owner"]) for each in listed] == [
        (DEFAULT, "123456789012"),
        ("AWS-StartInteractiveCommand", "Amazon"),
        ("AWS-StartNonInteractiveCommand", "Amazon"),
        ("Team", "123456789012"),
    ]
    content = json.loads(documents.get(ann, DEFAULT).members["Content"])
    assert content["inputs"]["idleSessionTimeout"] == "20"


def test_the_preferences_stand_as_soon_as_they_are_updated(
    documents: Documents, ann: Person
) -> None:
    assert documents.create(ann, DEFAULT, shell()).code == "DocumentAlreadyExists"
    assert documents.delete(ann, DEFAULT).code == "InvalidDocumentOperation"
    updated = described(documents.update(ann, DEFAULT, shell(idleSessionTimeout=3)))
    assert (updated["DocumentVersion"], updated["DefaultVersion"]) == ("2", "2")
    names = [each["Name"] for each in documents.list(ann).members["DocumentIdentifiers"]]
    assert names.count(DEFAULT) == 1
    assert "20" in documents.get(ann, DEFAULT, DocumentVersion="1").members["Content"]
    assert described(documents.set_default(ann, DEFAULT, "1"))["DefaultVersion"] == "1"
    documents.delete(ann, DEFAULT)
    assert described(documents.describe(ann, DEFAULT))["LatestVersion"] == "1"


def test_what_is_the_default_already_is_not_written(documents: Documents, ann: Person) -> None:
    assert described(documents.set_default(ann, DEFAULT, "1"))["DefaultVersion"] == "1"
    assert documents.store.record(DEFAULT) is None
    assert documents.set_default(ann, DEFAULT, "2").code == "InvalidDocumentVersion"


@pytest.mark.parametrize("name", ["AWS-Mine", "amazon-x", "Hatchway-Mine"])
def test_reserved_names_are_nobodys(documents: Documents, ann: Person, name: str) -> None:
    assert documents.create(ann, name, shell()).code == "InvalidDocumentOperation"


def test_documents_of_aws_are_read_and_never_changed(documents: Documents, ann: Person) -> None:
    name = "AWS-StartInteractiveCommand"
    assert described(documents.describe(ann, name))["Owner"] == "Amazon"
    for answer in (
        documents.update(ann, name, shell()),
        documents.set_default(ann, name, "1"),
        documents.delete(ann, name),
    ):
        assert answer.code == "InvalidDocumentOperation"


def test_a_name_is_used_once(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell())
    assert documents.create(ann, "Team", shell(idleSessionTimeout=1)).code == (
        "DocumentAlreadyExists"
    )


def test_the_name_says_what_a_document_is_for(documents: Documents, ann: Person) -> None:
    body = {"Name": "Team", "Content": shell(), "DocumentType": "PreferenceRules"}
    assert documents.call(ann, "POST /documents", body=body).code == "ValidationException"


def test_what_is_wrong_in_a_document_is_named_by_its_path(
    documents: Documents, ann: Person
) -> None:
    answer = documents.create(ann, "Team", shell(idleSessionTimeout="61"))
    assert answer.code == "InvalidDocumentContent"
    assert answer.message == "inputs.idleSessionTimeout is not a number from 1 to 60."
    assert documents.create(ann, "Team", "{").code == "InvalidDocumentContent"
    other = json.dumps({**SHELL, "schemaVersion": "2.2"})
    assert documents.create(ann, "Team", other).code == "InvalidDocumentSchemaVersion"


# --- rules ----------------------------------------------------------------------------------------


def rules(*said: dict[str, object]) -> str:
    return json.dumps({"schemaVersion": "1.0", "rules": list(said)})


def test_rules_name_documents_that_there_are(documents: Documents, ann: Person) -> None:
    name = "Hatchway-PreferenceRules"
    missing = documents.create(ann, name, rules({"document": "Team"}))
    assert missing.code == "InvalidDocumentContent"
    assert missing.message == "rules[0].document: There is no session document Team."
    documents.create(ann, "Team", shell())
    old = documents.create(ann, name, rules({"document": DEFAULT}, {"document": "Team:2"}))
    assert old.message.startswith("rules[1].document: Team has no version 2")
    made = described(documents.create(ann, name, rules({"document": "Team:1"})))
    assert made["DocumentType"] == "PreferenceRules"
    again = described(documents.update(ann, name, rules()))
    assert again["DefaultVersion"] == "2"


# --- the floor ------------------------------------------------------------------------------------


def test_no_document_is_written_that_is_below_the_floor() -> None:
    documents = Documents(Floor(max_session_duration=60))
    ann = documents.world.user("ann", EVERYTHING)
    low = documents.create(ann, "Team", shell())
    assert (low.status, low.code) == (400, "BelowAccountFloor")
    assert low.message.startswith("inputs.maxSessionDuration")
    assert documents.create(ann, "Team", shell(maxSessionDuration=60)).status == 200
    assert documents.update(ann, "Team", shell(maxSessionDuration=61)).code == "BelowAccountFloor"


def test_no_version_becomes_the_default_that_is_below_a_floor_of_today() -> None:
    before = Documents()
    before.create(before.world.user("ann", EVERYTHING), "Team", shell())
    record, version = before.store.record("Team"), before.store.version("Team", 1)
    assert record is not None
    assert version is not None
    today = Documents(Floor(run_as_required=True))
    today.store.create(record, [version])
    refused = today.set_default(today.world.user("bob", EVERYTHING), "Team", "1")
    assert refused.code == "BelowAccountFloor"


# --- who may --------------------------------------------------------------------------------------

OPERATIONS = [each for each in api.DOCUMENT_OPERATIONS if each.resource != "*"]


def ask(documents: Documents, person: Person, operation: str) -> Answer:
    calls = {
        "CreateDocument": lambda: documents.create(person, "New", shell()),
        "UpdateDocument": lambda: documents.update(person, "Team", shell(idleSessionTimeout=1)),
        "UpdateDocumentDefaultVersion": lambda: documents.set_default(person, "Team", "1"),
        "DescribeDocument": lambda: documents.describe(person, "Team"),
        "GetDocument": lambda: documents.get(person, "Team"),
        "ListDocumentVersions": lambda: documents.versions(person, "Team"),
        "DeleteDocument": lambda: documents.delete(person, "Team"),
        "ListDocuments": lambda: documents.list(person),
    }
    return calls[operation]()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_each_operation_is_an_action_on_the_document(
    documents: Documents, ann: Person, operation: Any
) -> None:
    documents.create(ann, "Team", shell())
    name = "New" if operation.name == "CreateDocument" else "Team"
    nobody = documents.world.user("nobody")
    refused = ask(documents, nobody, operation.name)
    assert refused.denied
    assert f"{operation.action} on resource: {arn(name)}" in refused.message
    other = documents.world.user("other", allow("ssm:*", on=arn("Other")))
    assert ask(documents, other, operation.name).denied
    exact = documents.world.user("exact", allow(operation.action, on=arn(name)))
    assert ask(documents, exact, operation.name).status == 200


def test_the_list_is_one_permission_for_all(documents: Documents) -> None:
    nobody = documents.world.user("nobody", allow("ssm:ListDocuments", on=arn("Team")))
    assert ask(documents, nobody, "ListDocuments").denied
    lister = documents.world.user("lister", allow("ssm:ListDocuments"))
    assert ask(documents, lister, "ListDocuments").status == 200


def test_whoever_may_not_learns_nothing_of_a_document(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell())
    nobody = documents.world.user("nobody")
    there, missing = documents.describe(nobody, "Team"), documents.describe(nobody, "Teen")
    assert there.denied
    assert missing.message == there.message.replace("Team", "Teen")


def test_an_unknown_route_is_refused(documents: Documents, ann: Person) -> None:
    assert documents.call(ann, "PATCH /documents").code == "ValidationException"


# --- reviews --------------------------------------------------------------------------------------


def test_a_change_has_all_permissions_looked_at_at_once(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell())
    documents.describe(ann, "Team")
    assert documents.reviews.asked == []
    documents.update(ann, "Team", shell(idleSessionTimeout=1))
    documents.set_default(ann, "Team", "2")
    documents.delete(ann, "Team")
    assert documents.reviews.asked == ["documents"] * 3


def test_a_change_stands_where_no_review_can_be_asked_for(
    documents: Documents, ann: Person
) -> None:
    documents.create(ann, "Team", shell())
    documents.reviews.failure = ThrottlingException()
    assert documents.update(ann, "Team", shell(idleSessionTimeout=1)).status == 200
    level, fields = documents.world.lines.written[-1]
    assert (level, fields["unasked"]) == ("WARNING", "ThrottlingException")


def test_no_content_of_a_document_meets_the_log(documents: Documents, ann: Person) -> None:
    documents.create(ann, "Team", shell(shellProfile={"linux": "export HUSH=hushhush"}))
    documents.get(ann, "Team")
    assert "hushhush" not in repr(documents.world.lines.written)
