"""The function of documents: its floor from context, its queue, and nothing of sessions."""

from __future__ import annotations

from typing import Any

import pytest

from hatchway.core.documents import floor
from hatchway.core.documents.floor import Floor
from infra.config import InvalidContext
from infra.context import read
from infra.people_api import DOCUMENT_ROUTES
from tests.infra.conftest import ELSEWHERE, Synth
from tests.infra.templates import Stacks, listed, text

DEMANDED = {
    "runAsRequired": "true",
    "maxSessionMinutes": "60",
    "allowedLogBuckets": "ours, theirs",
    "allowedLogGroups": "/ours/sessions",
    "allowedKmsKeys": "arn:aws:kms:eu-west-1:123456789012:key/1",
    "recording": "required",
}


def environment(stacks: Stacks, family: str) -> Any:
    function = stacks.service.one("AWS::Lambda::Function", FunctionName=f"hatchway-prod-{family}")
    return function["Environment"]["Variables"]


def test_without_a_floor_the_functions_are_told_of_none(default: Stacks) -> None:
    for family in ("documents", "sessions"):
        assert "SESSION_FLOOR" not in environment(default, family)


def test_the_floor_reaches_who_writes_documents_and_who_starts_sessions(synth: Synth) -> None:
    stacks = synth(**DEMANDED)
    for family in ("documents", "sessions"):
        assert floor.read(environment(stacks, family)["SESSION_FLOOR"]) == Floor(
            recording_required=True,
            run_as_required=True,
            max_session_duration=60,
            log_buckets=("ours", "theirs"),
            log_groups=("/ours/sessions",),
            kms_keys=("arn:aws:kms:eu-west-1:123456789012:key/1",),
        )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("maxSessionMinutes", "0"),
        ("maxSessionMinutes", "1441"),
        ("runAsRequired", "yes"),
        ("allowedLogBuckets", "a b"),
        ("allowedLogGroups", "a,,b"),
        ("allowedKmsKeys", ",".join(f"k{n}" for n in range(101))),
    ],
)
def test_a_floor_that_means_nothing_is_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidContext, match=key):
        read({**ELSEWHERE, key: value})


def test_documents_may_ask_for_reviews_and_reach_nobody_else(default: Stacks) -> None:
    statements = default.service.statements_of("DocumentsRole")
    actions = {action for each in statements for action in listed(each["Action"])}
    (asking,) = [each for each in statements if "sqs:SendMessage" in listed(each["Action"])]
    assert text(asking["Resource"]).startswith("<ReviewsChanges")
    assert text(environment(default, "documents")["CHANGES_QUEUE"]).startswith("<ReviewsChanges")
    services = {action.partition(":")[0] for action in actions}
    assert services == {"dynamodb", "iam", "kms", "logs", "sqs"}


def test_administrators_may_call_the_routes_of_documents_and_users_may_not(
    default: Stacks,
) -> None:
    def routes(who: str) -> set[str]:
        policy = default.service.one(
            "AWS::IAM::ManagedPolicy", ManagedPolicyName=f"Hatchway{who}-prod"
        )
        (statement,) = policy["PolicyDocument"]["Statement"]
        return {text(resource) for resource in listed(statement["Resource"])}

    assert len([each for each in routes("Admin") if "/documents" in each]) == len(DOCUMENT_ROUTES)
    assert not [each for each in routes("User") if "/documents" in each]
