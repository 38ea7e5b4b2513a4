"""The setting accessDecision: IAM's simulator is asked, and may be, only where it is wanted."""

from __future__ import annotations

import pytest

from infra.config import InvalidContext
from infra.context import read
from tests.infra.conftest import Synth
from tests.infra.templates import Stacks, listed, text

SIMULATE = "iam:SimulatePrincipalPolicy"


def simulated(stacks: Stacks) -> list[str]:
    """The resources on which the sessions function may simulate."""
    return [
        text(resource)
        for statement in stacks.service.statements_of("SessionsRole")
        if SIMULATE in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def variables(stacks: Stacks) -> dict[str, object]:
    function = stacks.service.one("AWS::Lambda::Function", FunctionName="hatchway-prod-sessions")
    found: dict[str, object] = function["Environment"]["Variables"]
    return found


def test_the_evaluator_decides_alone_unless_told_otherwise(default: Stacks) -> None:
    assert simulated(default) == []
    assert "ACCESS_DECISION" not in variables(default)


def test_with_a_second_opinion_users_and_roles_may_be_simulated(synth: Synth) -> None:
    both = synth(accessDecision="both")
    assert variables(both)["ACCESS_DECISION"] == "both"
    kinds = sorted(arn.rpartition(":")[2] for arn in simulated(both))
    assert kinds == ["role/*", "user/*"]


def test_another_word_is_refused() -> None:
    with pytest.raises(InvalidContext):
        read({"accessDecision": "perhaps"})


ORGANISATION = "organizations:ListPoliciesForTarget"


def readers(stacks: Stacks) -> list[str]:
    """The policies that let a function read the organisation's."""
    return sorted(
        where
        for where, statement in stacks.service.all_statements()
        if ORGANISATION in listed(statement.get("Action", []))
    )


def test_service_control_policies_are_read_only_where_the_deployment_says_it_may(
    default: Stacks, synth: Synth
) -> None:
    assert readers(default) == []
    assert "SERVICE_CONTROL_POLICIES" not in variables(default)
    reading = synth(serviceControlPolicies="true")
    assert variables(reading)["SERVICE_CONTROL_POLICIES"] == "read"
    assert {where.partition("Role")[0] for where in readers(reading)} == {
        "Sessions",
        "Connect",
        "Review",
        "Documents",
        "Recordings",
    }
