"""Which document stands, what no document can lower, and whom a session runs as."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hatchway.core import documents
from hatchway.core.documents import Document, Place, floor, naming, rules
from hatchway.core.documents.floor import NO_FLOOR, Floor
from hatchway.core.documents.rules import Subject
from hatchway.core.documents.run_as import run_as
from hatchway.core.errors import (
    BelowAccountFloor,
    InvalidDocument,
    InvalidDocumentContent,
    InvalidDocumentSchemaVersion,
    RunAsRefused,
)

HERE = Place("aws", "eu-west-1", "123456789012")
ROLE = "arn:aws:iam::123456789012:role/ops/OnCall"
ANN = Subject(
    arns=["arn:aws:sts::123456789012:assumed-role/OnCall/ann", ROLE],
    principal_tags={"team": "payments"},
    node_tags={"env": "prod", "tier": "db"},
)


def of(*said: dict[str, Any]) -> tuple[rules.Rule, ...]:
    return rules.parse({"schemaVersion": "1.0", "rules": list(said)})


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Team", ("Team", "")),
        ("Team:3", ("Team", "3")),
        ("arn:aws:ssm:eu-west-1:123456789012:document/Team", ("Team", "")),
        ("arn:aws:ssm:eu-west-1:123456789012:document/Team:12", ("Team", "12")),
    ],
)
def test_a_document_may_be_named_with_its_version(text: str, found: tuple[str, str]) -> None:
    assert documents.pinned(text, HERE) == found


@pytest.mark.parametrize(
    "text", ["Team:0", "Team:", "Team:01", "Team:x", "Team:123456789", ":3", "Team:3:3"]
)
def test_what_is_no_version_is_no_document(text: str) -> None:
    with pytest.raises(InvalidDocument):
        documents.pinned(text, HERE)


@pytest.mark.parametrize("name", ["AWS-x", "awsome", "Amazon-x", "amzn", "Hatchway-Mine"])
def test_some_names_are_reserved(name: str) -> None:
    assert naming.reserved(name)
    assert not naming.reserved(f"my-{name}")


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({}, True),
        ({"principals": ["*"]}, True),
        ({"principals": [ROLE]}, True),
        ({"principals": ["arn:aws:sts::*:assumed-role/OnCall/*"]}, True),
        ({"principals": ["arn:aws:iam::*:role/ops/On?all", "x"]}, True),
        ({"principals": ["arn:aws:iam::*:user/*"]}, False),
        ({"principalTags": {"team": ["web", "pay*"]}}, True),
        ({"principalTags": {"team": ["web"]}}, False),
        ({"principalTags": {"other": ["*"]}}, False),
        ({"nodeTags": {"env": ["prod"], "tier": ["db"]}}, True),
        ({"nodeTags": {"env": ["prod"], "tier": ["web"]}}, False),
        ({"nodeTags": {"env": ["prod"]}, "principals": ["x"]}, False),
    ],
)
def test_a_rule_matches_where_all_of_its_conditions_hold(
    rule: dict[str, Any], matches: bool
) -> None:
    assert rules.chosen(of({"document": "Team:2", **rule}), ANN) == ("Team:2" if matches else "")


def test_the_first_rule_that_matches_wins() -> None:
    found = of(
        {"document": "Not", "nodeTags": {"env": ["dev"]}},
        {"document": "First", "nodeTags": {"env": ["prod"]}},
        {"document": "Second"},
    )
    assert rules.chosen(found, ANN) == "First"
    assert rules.chosen((), ANN) == ""


def test_no_rule_is_passed_over_on_a_guess_about_tags_that_cannot_be_known() -> None:
    stranger = replace(ANN, principal_tags=None)
    found = of(
        {"document": "Strict", "principalTags": {"team": ["payments"]}, "principals": [ROLE]},
        {"document": "Lax"},
    )
    with pytest.raises(InvalidDocument, match="cannot be known"):
        rules.chosen(found, stranger)
    elsewhere = replace(stranger, arns=["arn:aws:iam::123456789012:user/ann"])
    assert rules.chosen(found, elsewhere) == "Lax"


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"schemaVersion": "1.0"}, "rules is not a list"),
        ({"schemaVersion": "1.0", "rules": [{}] * 101}, "rules is not a list"),
        ({"schemaVersion": "1.0", "rules": ["x"]}, "rules[0] is not an object"),
        ({"schemaVersion": "1.0", "rules": [{}]}, "rules[0].document"),
        ({"schemaVersion": "1.0", "rules": [{"document": rules.RULES}]}, "rules[0].document"),
        ({"schemaVersion": "1.0", "rules": [{"document": "a b"}]}, "rules[0].document"),
        ({"schemaVersion": "1.0", "rules": [{"document": "Team", "x": 1}]}, "rules[0].x"),
        (
            {"schemaVersion": "1.0", "rules": [{"document": "Team", "nodeTags": {"e": []}}]},
            "rules[0].nodeTags.e",
        ),
        (
            {
                "schemaVersion": "1.0",
                "rules": [{"document": "Team", "nodeTags": {f"t{n}": ["x"] for n in range(11)}}],
            },
            "rules[0].nodeTags",
        ),
        ({"schemaVersion": "1.0", "rules": [], "more": 1}, "more"),
    ],
)
def test_what_is_wrong_with_rules_is_named_by_its_path(said: Any, path: str) -> None:
    with pytest.raises(InvalidDocumentContent) as refused:
        rules.parse(said)
    assert refused.value.message.startswith(path)


def test_rules_have_the_schema_1_0_and_come_back_as_they_were_stored() -> None:
    with pytest.raises(InvalidDocumentSchemaVersion):
        rules.parse({"rules": []})
    text = '{"schemaVersion":"1.0","description":"d","rules":[{"document":"Team"}]}'
    assert [rule.document for rule in rules.read(text)] == ["Team"]


# --- the floor ------------------------------------------------------------------------------------


def document(**inputs: Any) -> Document:
    said = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}
    return documents.parse(said)


FLOOR = Floor(
    recording_required=True,
    run_as_required=True,
    max_session_duration=60,
    log_buckets=("ours",),
    log_groups=("/ours", "/theirs"),
    kms_keys=("alias/ours",),
)
ENOUGH: dict[str, Any] = {
    "runAsEnabled": True,
    "maxSessionDuration": "60",
    "s3BucketName": "ours",
    "cloudWatchLogGroupName": "/theirs",
    "kmsKeyId": "alias/ours",
    "hatchway": {"recordingRequired": True},
}


def test_a_document_that_asks_for_enough_stands() -> None:
    FLOOR.check(document(**ENOUGH))
    assert FLOOR.raised(document(**ENOUGH)) == document(**ENOUGH)


@pytest.mark.parametrize(
    ("less", "path"),
    [
        ({"runAsEnabled": False}, "inputs.runAsEnabled"),
        ({"maxSessionDuration": "61"}, "inputs.maxSessionDuration"),
        ({"maxSessionDuration": ""}, "inputs.maxSessionDuration"),
        ({"hatchway": {}}, "inputs.hatchway.recordingRequired"),
        ({"s3BucketName": "theirs"}, "inputs.s3BucketName"),
        ({"cloudWatchLogGroupName": "/x"}, "inputs.cloudWatchLogGroupName"),
        ({"kmsKeyId": "alias/x"}, "inputs.kmsKeyId"),
    ],
)
def test_a_document_that_asks_for_less_is_refused_when_written(
    less: dict[str, Any], path: str
) -> None:
    with pytest.raises(BelowAccountFloor, match=path):
        FLOOR.check(document(**{**ENOUGH, **less}))


def test_what_was_written_before_is_raised_to_the_floor() -> None:
    raised = FLOOR.raised(document(maxSessionDuration="600")).inputs
    assert raised.run_as_enabled
    assert raised.hatchway.recording_required
    assert raised.max_session_duration == 60
    assert FLOOR.raised(document(maxSessionDuration="5")).inputs.max_session_duration == 5


def test_logs_never_go_elsewhere_than_they_may() -> None:
    with pytest.raises(BelowAccountFloor):
        FLOOR.raised(document(s3BucketName="theirs"))


def test_without_a_floor_every_document_stands_as_it_is() -> None:
    free = document(maxSessionDuration="", s3BucketName="any-bucket")
    NO_FLOOR.check(free)
    assert NO_FLOOR.raised(free) == free


def test_a_floor_is_read_as_it_was_written() -> None:
    for each in (FLOOR, NO_FLOOR):
        assert floor.read(floor.written(each)) == each
    assert floor.read("") == NO_FLOOR
    with pytest.raises(InvalidDocumentContent):
        floor.read('{"maxSessionDuration":"x"}')


# --- run as ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "default", "user"),
    [
        ({"SSMSessionRunAs": "ann"}, "", "ann"),
        ({"SSMSessionRunAs": "ann"}, "app", "ann"),
        ({"SSMSessionRunAs": ""}, "app", "app"),
        ({"other": "ann"}, "app", "app"),
        ({}, "app", "app"),
    ],
)
def test_the_tag_names_the_user_and_then_the_document(
    tags: dict[str, str], default: str, user: str
) -> None:
    inputs = document(runAsEnabled=True, runAsDefaultUser=default).inputs
    assert run_as(inputs, tags) == user


@pytest.mark.parametrize(
    ("tags", "default", "why"),
    [
        ({}, "", "no user is named"),
        (None, "app", "cannot be known"),
        ({"SSMSessionRunAs": "root"}, "app", "runAsRootAllowed"),
        ({"SSMSessionRunAs": "-x"}, "app", "not the name of a user"),
        ({"SSMSessionRunAs": "0"}, "app", "not the name of a user"),
        ({"SSMSessionRunAs": "a\n"}, "app", "not the name of a user"),
        ({"SSMSessionRunAs": "../x"}, "app", "not the name of a user"),
    ],
)
def test_without_a_user_it_is_refused_and_says_what_to_do(
    tags: dict[str, str] | None, default: str, why: str
) -> None:
    with pytest.raises(RunAsRefused, match=why):
        run_as(document(runAsEnabled=True, runAsDefaultUser=default).inputs, tags)


def test_root_runs_where_the_document_allows_it_and_nobody_where_it_asks_for_nobody() -> None:
    rooted = document(runAsEnabled=True, hatchway={"runAsRootAllowed": True}).inputs
    assert run_as(rooted, {"SSMSessionRunAs": "root"}) == "root"
    assert run_as(document(runAsDefaultUser="app").inputs, None) == ""
