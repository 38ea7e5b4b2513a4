"""What has permissions looked at again, and the room that ends and limits have."""

from __future__ import annotations

import json
import re

import pytest

from infra.config import InvalidContext
from infra.context import MAX_LIMIT, read
from infra.packaging import ROOT
from infra.people_api import ENDS
from infra.reviews import IAM_CHANGES
from tests.infra.conftest import Synth
from tests.infra.templates import Stacks, listed, text


def test_the_review_runs_every_minute(default: Stacks) -> None:
    rule = default.service.one("AWS::Events::Rule", Name="hatchway-prod-review")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert text(rule["Targets"][0]["Arn"]).startswith("<Review")


def test_a_change_of_iam_or_of_an_instance_s_tags_asks_for_a_review(default: Stacks) -> None:
    iam = default.service.one("AWS::Events::Rule", Name="hatchway-prod-iam-changes")
    assert iam["EventPattern"] == {
        "source": ["aws.iam"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"eventSource": ["iam.amazonaws.com"], "eventName": list(IAM_CHANGES)},
    }
    tags = default.service.one("AWS::Events::Rule", Name="hatchway-prod-tag-changes")
    assert tags["EventPattern"] == {
        "source": ["aws.tag"],
        "detail-type": ["Tag Change on Resource"],
        "detail": {"service": ["ec2"], "resource-type": ["instance"]},
    }
    for rule in (iam, tags):
        assert "EventBusName" not in rule  # AWS's own events are on the default bus only
        assert text(rule["Targets"][0]["Arn"]).startswith("<ReviewsChanges")
        # What changed is not looked at, so nothing of the event is kept in the queue.
        assert json.loads(rule["Targets"][0]["Input"]).keys() == {"changed"}


def test_every_action_of_iam_that_takes_a_permission_away_is_among_the_changes() -> None:
    """botocore's own description of IAM: whatever changes policies, groups, tags or principals."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("iam")
    subject = r"(User|Group|Role)"
    changing = re.compile(
        rf"((Attach|Detach|Put|Delete){subject}Policy"
        rf"|(Put|Delete){subject}PermissionsBoundary"
        rf"|(Tag|Untag)(User|Role)|Delete(User|Role)|Update(User|Group)"
        rf"|(AddUserTo|RemoveUserFrom)Group|CreatePolicyVersion|SetDefaultPolicyVersion)"
    )
    assert {name for name in model.operation_names if changing.fullmatch(name)} == set(IAM_CHANGES)


def test_many_changes_become_one_review(default: Stacks) -> None:
    (source,) = [
        each
        for each in default.service.properties("AWS::Lambda::EventSourceMapping")
        if text(each["FunctionName"]).startswith("<Review")
    ]
    assert source["BatchSize"] == 10_000
    assert source["MaximumBatchingWindowInSeconds"] == 5
    assert source["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_the_queue_of_changes_is_for_these_two_rules_and_forgets_soon(default: Stacks) -> None:
    queue = default.service.one("AWS::SQS::Queue", QueueName="hatchway-prod-changes")
    function = default.service.one("AWS::Lambda::Function", FunctionName="hatchway-prod-review")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 300
    assert queue["VisibilityTimeout"] >= function["Timeout"]
    (policy,) = [
        each
        for each in default.service.properties("AWS::SQS::QueuePolicy")
        if "ReviewsChanges" in text(each["Queues"][0])
    ]
    sending = [
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    for statement in sending:
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert "aws:SourceArn" in str(statement["Condition"])


def test_the_review_changes_nothing_of_iam_or_ec2(default: Stacks) -> None:
    for statement in default.service.statements_of("ReviewRole"):
        for action in listed(statement["Action"]):
            service, _, name = action.partition(":")
            if service in ("iam", "ec2"):
                assert name.startswith(("Get", "List", "Describe")), action


def test_the_review_asks_for_the_second_opinion_that_the_start_asks_for(
    default: Stacks, synth: Synth
) -> None:
    for stacks, wanted in ((default, None), (synth(accessDecision="both"), "both")):
        function = stacks.service.one("AWS::Lambda::Function", FunctionName="hatchway-prod-review")
        assert function["Environment"]["Variables"].get("ACCESS_DECISION") == wanted
        actions = [
            a for each in stacks.service.statements_of("ReviewRole") for a in listed(each["Action"])
        ]
        assert ("iam:SimulatePrincipalPolicy" in actions) is (wanted is not None)


# --- room for ends ------------------------------------------------------------------------------


def test_whoever_ends_sessions_has_a_throttle_of_their_own(default: Stacks) -> None:
    (stage,) = [
        each
        for each in default.service.properties("AWS::ApiGateway::Stage")
        if text(each["RestApiId"]).startswith("<PeopleApi")
    ]
    own = {
        (setting["HttpMethod"], setting["ResourcePath"].replace("~1", "/")[1:]): setting
        for setting in stage["MethodSettings"]
        if setting["HttpMethod"] != "*"
    }
    assert set(own) == set(ENDS)
    for setting in own.values():
        assert setting["ThrottlingRateLimit"] > 0
        assert setting["ThrottlingBurstLimit"] > 0
        assert setting["LoggingLevel"] == "OFF"
        assert setting["DataTraceEnabled"] is False


def test_ending_everybody_s_sessions_is_in_the_administrators_policy_only(default: Stacks) -> None:
    def routes(name: str) -> set[str]:
        policy = default.service.one("AWS::IAM::ManagedPolicy", ManagedPolicyName=name)
        return {
            text(resource).partition("/")[2]
            for statement in policy["PolicyDocument"]["Statement"]
            for resource in listed(statement["Resource"])
        }

    route = "POST/sessions/terminate"
    assert any(each.endswith(route) for each in routes("HatchwayAdmin-prod"))
    assert not any(each.endswith(route) for each in routes("HatchwayUser-prod"))


# --- limits -------------------------------------------------------------------------------------

LIMITS = {
    "maxSessionsPerUser": "MAX_SESSIONS_PER_USER",
    "maxSessionsPerNode": "MAX_SESSIONS_PER_NODE",
    "maxSessionsPerAccount": "MAX_SESSIONS_PER_ACCOUNT",
    "maxStartsPerMinute": "MAX_STARTS_PER_MINUTE",
    "maxSessionsPerRole": "MAX_SESSIONS_PER_ROLE",
}


def test_limits_reach_the_function_that_starts_sessions(synth: Synth) -> None:
    given = {key: str(n) for n, key in enumerate(LIMITS, start=7)}
    stacks = synth(**given)
    for function in stacks.service.properties("AWS::Lambda::Function"):
        variables = function["Environment"]["Variables"]
        found = {key: variables[name] for key, name in LIMITS.items() if name in variables}
        assert found == (given if function["FunctionName"] == "hatchway-prod-sessions" else {})


def test_the_variables_are_those_that_the_function_reads() -> None:
    from lambdas import quotas

    assert set(quotas.SETTINGS.values()) == set(LIMITS.values())
    assert quotas.MOST == MAX_LIMIT
    page = (ROOT / "docs" / "protocol.md").read_text()
    for key in LIMITS:
        assert f"`{key}`" in page


@pytest.mark.parametrize("key", LIMITS)
@pytest.mark.parametrize("value", ["0", "-1", "x", str(MAX_LIMIT + 1)])
def test_a_limit_that_is_none_is_refused(key: str, value: str) -> None:
    with pytest.raises(InvalidContext, match=key):
        read({key: value})
