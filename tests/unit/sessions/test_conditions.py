"""The condition keys of a request: what is known, what is absent, and what nobody here can know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from hatchway.core.policy import UNKNOWN, ContextValue
from lambdas.conditions import context_of, tag_context
from lambdas.edge import Caller
from lambdas.ports import Circumstances, PolicyDocument, PrincipalPolicies
from lambdas.principal import circumstances, principal_of
from tests.unit.sessions.world import ACCOUNT, EVERYTHING, REGION, World, allow, deny

JOHN = principal_of(Caller(ACCOUNT, "AIDAUSEREXAMPLE", f"arn:aws:iam::{ACCOUNT}:user/john"))
JANE = principal_of(
    Caller(ACCOUNT, "AROAROLEEXAMPLE:jane", f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/jane")
)
OWN_KEY = Circumstances(source_ip="192.0.2.7", user_agent="hatchway/1", long_term=True)
SESSION_KEY = replace(OWN_KEY, long_term=False)


def asking(*keys: str, **known: object) -> PrincipalPolicies:
    """Policies whose conditions ask for these keys."""
    document = {"Statement": [{"Condition": {"StringEquals": dict.fromkeys(keys, "x")}}]}
    text = PolicyDocument(source="user", name="p", text=json.dumps(document))
    policies = PrincipalPolicies(identity=(text,), tags={})
    return replace(policies, **known)  # type: ignore[arg-type]


def context(
    policies: PrincipalPolicies, about: Circumstances = OWN_KEY, principal: object = JOHN
) -> Mapping[str, ContextValue]:
    assert principal in (JOHN, JANE)
    who = JOHN if principal is JOHN else JANE
    return context_of(who, about, policies, region=REGION, now=1_800_000_000.9)


def test_a_users_own_names() -> None:
    found = context(asking(tags={"team": "web"}))
    assert found["aws:username"] == "john"
    assert found["aws:userid"] == "AIDAUSEREXAMPLE"
    assert found["aws:PrincipalArn"] == f"arn:aws:iam::{ACCOUNT}:user/john"
    assert found["aws:PrincipalAccount"] == found["aws:ResourceAccount"] == ACCOUNT
    assert found["aws:PrincipalType"] == "User"
    assert found["aws:PrincipalTag/team"] == "web"


def test_a_role_session_has_no_user_name_and_the_arn_of_its_role() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/ops/Ops"
    found = context(asking("aws:username", role_arn=role, tags=None), SESSION_KEY, JANE)
    assert "aws:username" not in found
    assert found["aws:PrincipalArn"] == role
    assert found["aws:PrincipalType"] == "AssumedRole"
    assert found["aws:userid"] == "AROAROLEEXAMPLE:jane"


def test_the_arn_of_a_role_that_is_not_known_is_unknown() -> None:
    found = context(asking("aws:PrincipalArn", tags=None), SESSION_KEY, JANE)
    assert found["aws:principalarn"] is UNKNOWN


def test_the_requests_own_keys() -> None:
    found = context(asking())
    assert found["aws:CurrentTime"] == "2027-01-15T08:00:00Z"
    assert found["aws:EpochTime"] == "1800000000"
    assert found["aws:SourceIp"] == "192.0.2.7"
    assert found["aws:UserAgent"] == "hatchway/1"
    assert found["aws:SecureTransport"] == "true"
    assert found["aws:ViaAWSService"] == found["aws:PrincipalIsAWSService"] == "false"
    assert found["aws:RequestedRegion"] == REGION


@pytest.mark.parametrize(
    "key",
    [
        "aws:MultiFactorAuthPresent",
        "aws:MultiFactorAuthAge",
        "aws:TokenIssueTime",
        "aws:SourceIdentity",
        "aws:FederatedProvider",
        "saml:sub",
        "sts:RoleSessionName",
        "ec2:SourceInstanceARN",
        "ssm:SourceInstanceARN",
        "accounts.google.com:sub",
        "token.actions.githubusercontent.com:sub",
    ],
)
def test_what_a_session_has_is_unknown_unless_a_users_own_key_signed(key: str) -> None:
    assert key.lower() not in context(asking(key))
    assert context(asking(key), SESSION_KEY)[key.lower()] is UNKNOWN


@pytest.mark.parametrize(
    "key", ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:ResourceOrgID", "aws:SomethingNew"]
)
def test_what_cannot_be_seen_is_unknown_to_everybody(key: str) -> None:
    assert context(asking(key))[key.lower()] is UNKNOWN


@pytest.mark.parametrize(
    "key",
    [
        "aws:SourceVpce",
        "aws:CalledVia",
        "aws:RequestTag/team",
        "aws:ResourceTag/team",
        "ssm:resourceTag/team",
        "ssm:AccessRequestId",
        "ec2:Region",
        "aws:PrincipalTag/team",
    ],
)
def test_what_a_call_never_has_is_absent(key: str) -> None:
    assert key.lower() not in context(asking(key))


def test_the_organisation_is_known_where_the_gateway_says_it() -> None:
    about = replace(OWN_KEY, organisation="o-example")
    found = context(asking("aws:PrincipalOrgID"), about)
    assert found["aws:PrincipalOrgID"] == found["aws:ResourceOrgID"] == "o-example"
    assert "aws:principalorgid" not in found


def test_a_source_that_is_not_said_is_unknown() -> None:
    found = context(asking("aws:SourceIp", "aws:UserAgent"), Circumstances())
    assert found["aws:sourceip"] is found["aws:useragent"] is UNKNOWN


def test_variables_count_as_asked_for_wherever_they_stand() -> None:
    statement = {
        "Resource": ["arn:aws:ec2:*:*:instance/${aws:PrincipalTag/node}"],
        "Condition": {"StringLike": {"aws:userid": "${ aws:SourceIdentity , 'nobody' }"}},
    }
    text = PolicyDocument(source="role", name="p", text=json.dumps({"Statement": statement}))
    found = context(PrincipalPolicies(identity=(), boundaries=(text,)), SESSION_KEY, JANE)
    assert found["aws:principaltag/node"] is UNKNOWN
    assert found["aws:sourceidentity"] is UNKNOWN


def test_a_malformed_policy_asks_for_nothing_and_is_refused_elsewhere() -> None:
    text = PolicyDocument(source="role", name="p", text="{")
    assert context(PrincipalPolicies(identity=(text,), tags={}))


def test_tags_have_both_names() -> None:
    assert tag_context({"k": "v"}) == {"ssm:resourceTag/k": "v", "aws:ResourceTag/k": "v"}


def test_an_access_key_of_a_user_is_told_from_that_of_a_session() -> None:
    assert circumstances({"accessKey": "AKIAEXAMPLE"}).long_term
    assert not circumstances({"accessKey": "ASIAEXAMPLE"}).long_term
    assert not circumstances({"accessKey": None}).long_term
    assert not circumstances({}).long_term


def test_a_deny_without_mfa_applies_to_long_term_keys_and_in_doubt(world: World) -> None:
    """The usual `BoolIfExists MFA = false` Deny: on AWS it denies a user's own key as well."""
    demand = deny("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
    assert world.call(world.user("john", EVERYTHING, demand), "GET /nodes").denied
    assert world.call(world.role("Ops", "jane", EVERYTHING, demand), "GET /nodes").denied


def test_an_address_range_admits_and_refuses(world: World) -> None:
    inside = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    john = world.user("john", allow("ssm:*", Condition=inside))
    assert world.call(john, "GET /nodes").status == 200
    assert world.call(replace(john, source_ip="198.51.100.1"), "GET /nodes").denied


def test_a_boundary_limits_what_the_identity_allows(world: World) -> None:
    john = world.user("john", EVERYTHING)
    narrow = PolicyDocument(source="boundary", name="b", text=json.dumps(allow("s3:*")))
    found = world.policies.of(john.arn, john.userid)
    world.policies.add(john.arn, john.userid, replace(found, boundaries=(narrow,)))
    answer = world.call(john, "GET /nodes")
    assert "because no permissions boundary allows" in answer.message
    stop = PolicyDocument(source="boundary", name="b", text=json.dumps(deny("ssm:*")))
    world.policies.add(john.arn, john.userid, replace(found, boundaries=(stop,)))
    answer = world.call(john, "GET /nodes")
    assert answer.message.endswith("with an explicit deny in a permissions boundary")
