"""IAM's simulator: what it is told, what its answer comes to, and when it does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from hatchway.core.errors import AccessDeniedException, ThrottlingException
from hatchway.core.policy import UNKNOWN, AccessRequest, ContextValue, Outcome
from lambdas.adapters import simulator
from lambdas.adapters.simulator import IamSimulator
from lambdas.memory.clock import ManualClock

JOHN = "arn:aws:iam::123456789012:user/john"
INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"
CONTEXT: dict[str, ContextValue] = {
    "aws:username": "john",
    "aws:CurrentTime": "2026-11-22T12:00:00Z",
    "aws:SourceIp": "192.0.2.7",
    "ssm:SessionDocumentAccessCheck": "false",
    "x:many": ("a", "b"),
    "aws:multifactorauthpresent": UNKNOWN,
}


@pytest.fixture
def iam() -> Iterator[tuple[Any, Stubber]]:
    session = botocore.session.Session()
    session.set_credentials("AKIAEXAMPLE", "not a secret")
    client = session.create_client("iam", region_name="us-east-1")
    with Stubber(client) as stub:
        yield client, stub


def request(**more: ContextValue) -> AccessRequest:
    return AccessRequest(JOHN, "ssm:StartSession", INSTANCE, CONTEXT | more)


def result(decision: str, **more: object) -> dict[str, Any]:
    one = {"EvalActionName": "ssm:StartSession", "EvalDecision": decision, **more}
    return {"EvaluationResults": [one], "IsTruncated": False}


def entry(name: str, kind: str, *values: str) -> dict[str, object]:
    return {"ContextKeyName": name, "ContextKeyValues": list(values), "ContextKeyType": kind}


def test_everything_known_is_told_with_its_type_and_nothing_else(iam: tuple[Any, Stubber]) -> None:
    client, stub = iam
    expected = {
        "PolicySourceArn": JOHN,
        "ActionNames": ["ssm:StartSession"],
        "ResourceArns": [INSTANCE],
        "ContextEntries": [
            entry("aws:username", "string", "john"),
            entry("aws:CurrentTime", "date", "2026-11-22T12:00:00Z"),
            entry("aws:SourceIp", "ip", "192.0.2.7"),
            entry("ssm:SessionDocumentAccessCheck", "boolean", "false"),
            entry("x:many", "stringList", "a", "b"),
        ],
    }
    stub.add_response("simulate_principal_policy", result("allowed"), expected)
    made = IamSimulator(ManualClock(), client)
    assert made.simulate(JOHN, request()) is Outcome.ALLOWED
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (result("allowed"), Outcome.ALLOWED),
        (result("explicitDeny"), Outcome.EXPLICITLY_DENIED),
        (result("implicitDeny"), Outcome.IMPLICITLY_DENIED),
        (result("allowed", MissingContextValues=["aws:TokenIssueTime"]), Outcome.ALLOWED),
        # Missed by IAM, and to us not absent but unknown: no.
        (
            result("allowed", MissingContextValues=["aws:MultiFactorAuthPresent"]),
            Outcome.IMPLICITLY_DENIED,
        ),
        (
            result("allowed", OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
            Outcome.IMPLICITLY_DENIED,
        ),
        (
            result(
                "allowed",
                PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False},
            ),
            Outcome.IMPLICITLY_DENIED,
        ),
    ],
)
def test_what_is_not_plainly_a_yes_is_a_no(
    iam: tuple[Any, Stubber], answer: dict[str, Any], outcome: Outcome
) -> None:
    client, stub = iam
    stub.add_response("simulate_principal_policy", answer)
    assert IamSimulator(ManualClock(), client).simulate(JOHN, request()) is outcome


@pytest.mark.parametrize(
    "answer", [{"EvaluationResults": []}, result("allowed") | {"IsTruncated": True, "Marker": "m"}]
)
def test_an_answer_that_is_none_is_no_yes(iam: tuple[Any, Stubber], answer: dict[str, Any]) -> None:
    client, stub = iam
    stub.add_response("simulate_principal_policy", answer)
    with pytest.raises(ThrottlingException):
        IamSimulator(ManualClock(), client).simulate(JOHN, request())


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Throttling", 400, ThrottlingException),
        ("ServiceFailure", 500, ThrottlingException),
        ("AccessDenied", 403, ThrottlingException),
        ("PolicyEvaluation", 500, ThrottlingException),
        ("NoSuchEntity", 404, AccessDeniedException),
    ],
)
def test_iam_that_does_not_answer_allows_nothing_and_is_not_remembered(
    iam: tuple[Any, Stubber], code: str, status: int, kind: type[Exception]
) -> None:
    client, stub = iam
    stub.add_client_error("simulate_principal_policy", code, "secret text", status)
    stub.add_response("simulate_principal_policy", result("allowed"))
    made = IamSimulator(ManualClock(), client)
    with pytest.raises(kind):
        made.simulate(JOHN, request())
    assert made.simulate(JOHN, request()) is Outcome.ALLOWED


def test_answers_are_kept_for_seconds_whatever_the_time_of_day(iam: tuple[Any, Stubber]) -> None:
    client, stub = iam
    clock = ManualClock()
    made = IamSimulator(clock, client)
    stub.add_response("simulate_principal_policy", result("allowed"))
    made.simulate(JOHN, request())
    assert made.simulate(JOHN, request(**{"aws:CurrentTime": "2026-11-22T12:00:01Z"})).value
    stub.add_response("simulate_principal_policy", result("implicitDeny"))
    other = made.simulate(JOHN, request(**{"aws:SourceIp": "198.51.100.1"}))
    assert other is Outcome.IMPLICITLY_DENIED
    clock.advance(simulator.CACHE)
    stub.add_response("simulate_principal_policy", result("explicitDeny"))
    assert made.simulate(JOHN, request()) is Outcome.EXPLICITLY_DENIED
    stub.assert_no_pending_responses()
