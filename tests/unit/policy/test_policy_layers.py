"""How layers combine, and what an explanation says."""

from __future__ import annotations

import itertools

import pytest

from hatchway.core.policy import (
    UNKNOWN,
    ContextValue,
    Decision,
    Element,
    Layer,
    Outcome,
    Policy,
    PolicySet,
    Reason,
    decide,
    explain,
)
from tests.unit.policy.policies import ALLOW_ALL, INSTANCE, policy, request, statement, when

ALLOW = policy(ALLOW_ALL, name="allow")
DENY = policy(statement("Deny"), name="deny")
OTHER = policy(statement(Action="s3:*"), name="other")
EMPTY = policy(name="empty")


def decided(policies: PolicySet, context: dict[str, ContextValue] | None = None) -> Decision:
    return decide(policies, request(context))


def test_without_policies_everything_is_denied_implicitly() -> None:
    found = decided(PolicySet(()))
    assert found == Decision(Outcome.IMPLICITLY_DENIED, (), Reason(Layer.IDENTITY))
    assert not found.allowed


def test_one_allow_among_identity_policies_is_enough() -> None:
    found = decided(PolicySet((EMPTY, OTHER, ALLOW)))
    assert found.allowed
    assert found.reason == Reason()
    assert [str(each) for each in found.matched] == ["identity allow[AllowAll]"]


@pytest.mark.parametrize("order", list(itertools.permutations([ALLOW, DENY, OTHER])))
def test_a_deny_overrides_in_any_order(order: tuple[Policy, ...]) -> None:
    found = decided(PolicySet(order))
    assert found.outcome is Outcome.EXPLICITLY_DENIED
    assert {each.policy for each in found.matched} == {"allow", "deny"}


WITH = {
    Layer.BOUNDARY: lambda found: PolicySet((ALLOW,), boundaries=found),
    Layer.SESSION: lambda found: PolicySet((ALLOW,), session=found),
    Layer.SCP: lambda found: PolicySet((ALLOW,), scps=((ALLOW,), found)),
}


@pytest.mark.parametrize("layer", WITH)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (ALLOW, Outcome.ALLOWED),
        (OTHER, Outcome.IMPLICITLY_DENIED),
        (EMPTY, Outcome.IMPLICITLY_DENIED),
        (DENY, Outcome.EXPLICITLY_DENIED),
    ],
)
def test_each_layer_has_to_allow(layer: Layer, given: Policy, expected: Outcome) -> None:
    found = decided(WITH[layer]((given,)))
    assert found.outcome is expected
    assert found.reason.layer is (None if expected is Outcome.ALLOWED else layer)


def test_a_layer_grants_nothing_by_itself() -> None:
    found = decided(PolicySet((), (ALLOW,), ((ALLOW,),), (ALLOW,)))
    assert found.outcome is Outcome.IMPLICITLY_DENIED
    assert found.reason.layer is Layer.IDENTITY


def test_every_boundary_has_to_allow_but_one_session_policy_is_enough() -> None:
    assert not decided(PolicySet((ALLOW,), boundaries=(ALLOW, OTHER))).allowed
    assert decided(PolicySet((ALLOW,), session=(OTHER, ALLOW))).allowed


def test_every_level_of_scps_has_to_allow() -> None:
    assert decided(PolicySet((ALLOW,), scps=((OTHER, ALLOW), (ALLOW,)))).allowed
    assert not decided(PolicySet((ALLOW,), scps=((ALLOW,), ()))).allowed
    levels = decided(PolicySet((ALLOW,), scps=((ALLOW,), (ALLOW,)))).matched
    assert [each.level for each in levels if each.layer is Layer.SCP] == [0, 1]


def test_an_explicit_deny_is_named_before_a_missing_allow() -> None:
    found = decided(PolicySet((OTHER,), boundaries=(OTHER,), scps=((DENY,),)))
    assert found.outcome is Outcome.EXPLICITLY_DENIED
    assert found.reason.layer is Layer.SCP


def test_the_reason_names_unknown_keys_once_and_sorted() -> None:
    mfa = when("Bool", "aws:MultiFactorAuthPresent", "true")
    late = when("DateGreaterThan", "aws:tokenissuetime", "2026-01-01")
    found = decided(
        PolicySet((policy(late, mfa, mfa),)),
        {"aws:MultiFactorAuthPresent": UNKNOWN, "aws:TokenIssueTime": UNKNOWN},
    )
    assert found.reason == Reason(
        Layer.IDENTITY, ("aws:MultiFactorAuthPresent", "aws:tokenissuetime")
    )


def test_unknown_has_a_name() -> None:
    assert repr(UNKNOWN) == "UNKNOWN"


# --- explanations -------------------------------------------------------------------------------


def test_an_explanation_holds_the_decision_and_the_statements_of_the_action() -> None:
    policies = PolicySet((ALLOW, OTHER))
    found = explain(policies, request())
    assert found.decision == decide(policies, request())
    assert [(report.statement.policy, report.applied) for report in found.statements] == [
        ("allow", True)
    ]
    assert found.near_misses == ()


def test_a_near_miss_names_each_element_that_failed_and_the_value() -> None:
    narrow = statement(
        Sid="Mine",
        Resource=["arn:aws:ec2:*:*:instance/i-other"],
        Condition={
            "StringEquals": {"ssm:resourceTag/team": ["red", "blue"], "aws:username": "alice"},
            "Bool": {"aws:SecureTransport": "true"},
        },
    )
    context = {"SSM:resourceTag/team": "green", "aws:username": "alice"}
    (report,) = explain(PolicySet((policy(narrow),)), request(context)).near_misses
    resource, team, transport = report.mismatches
    assert report.statement.sid == "Mine"
    assert (resource.element, resource.actual) == (Element.RESOURCE, INSTANCE)
    assert resource.expected == ("arn:aws:ec2:*:*:instance/i-other",)
    assert (team.element, team.operator) == (Element.CONDITION, "StringEquals")
    assert (team.key, team.expected, team.actual) == (
        "ssm:resourceTag/team",
        ("red", "blue"),
        "green",
    )
    assert (transport.key, transport.actual, transport.unknown) == ("aws:SecureTransport", None, ())


def test_a_near_miss_names_the_unknown_and_the_absent() -> None:
    one = when("StringEquals", "ssm:resourceTag/team", "${aws:PrincipalTag/team}")
    two = statement(
        NotResource="arn:aws:ec2:*:*:instance/${aws:username}",
        Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    )
    found = explain(
        PolicySet((policy(one, two),)),
        request(
            {
                "ssm:resourceTag/team": "red",
                "aws:MultiFactorAuthPresent": UNKNOWN,
                "aws:username": UNKNOWN,
            }
        ),
    )
    tag, both = found.near_misses
    assert tag.mismatches[0].absent == ("aws:PrincipalTag/team",)
    assert [(each.element, each.unknown) for each in both.mismatches] == [
        (Element.NOT_RESOURCE, ("aws:username",)),
        (Element.CONDITION, ("aws:MultiFactorAuthPresent",)),
    ]
    assert both.mismatches[1].actual is UNKNOWN


def test_a_deny_that_applies_through_an_unknown_key_says_so() -> None:
    deny = when("BoolIfExists", "aws:MultiFactorAuthPresent", "false", "Deny")
    found = explain(
        PolicySet((ALLOW, policy(deny))), request({"aws:MultiFactorAuthPresent": UNKNOWN})
    )
    assert found.near_misses == ()
    by_effect = {report.statement.effect.value: report for report in found.statements}
    assert by_effect["Allow"].mismatches == ()
    assert by_effect["Deny"].mismatches[0].unknown == ("aws:MultiFactorAuthPresent",)


def test_the_nearest_miss_comes_first() -> None:
    far = statement(
        Sid="far", Resource="arn:aws:s3:::b", Condition={"StringEquals": {"a": "1", "b": "2"}}
    )
    near = statement(Sid="near", Condition={"StringEquals": {"a": "1", "b": "2"}})
    found = explain(PolicySet((policy(far, near),)), request({"a": "1"}))
    assert [report.statement.sid for report in found.near_misses] == ["near", "far"]


def test_a_default_is_not_named_as_absent() -> None:
    given = when("StringEquals", "k", "${aws:PrincipalTag/team, 'red'}-${x}")
    (report,) = explain(PolicySet((policy(given),)), request({"k": "v"})).near_misses
    assert report.mismatches[0].absent == ("x",)
