"""ExplainAccess, WhoCan, WhatCan: the same decision as StartSession's, with its reasons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core import api
from hatchway.core.errors import ThrottlingException
from lambdas.ports import NodeRole, PolicyDocument
from tests.unit.sessions.world import (
    ACCOUNT,
    DARK,
    EVERYTHING,
    GONE,
    NODE,
    REGION,
    Answer,
    Document,
    Person,
    World,
    allow,
    deny,
)

INVOKE = allow("execute-api:Invoke")
INSTANCES = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"
START = allow("ssm:StartSession")
WEB_ONLY = allow(
    "ssm:StartSession", on=INSTANCES, Condition={"StringEquals": {"ssm:resourceTag/team": "web"}}
)
DB_ONLY = allow(
    "ssm:StartSession", on=INSTANCES, Condition={"StringEquals": {"ssm:resourceTag/team": "db"}}
)
FROM_OFFICE = allow("ssm:StartSession", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
WITH_MFA = allow("ssm:StartSession", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
CHECKED = allow(
    "ssm:StartSession", Condition={"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
)
DOCUMENT = "SSM-SessionManagerRunShell"


@pytest.fixture
def reader(world: World) -> Person:
    return world.user("reader", allow("iam:SimulatePrincipalPolicy"))


def explained(world: World, reader: Person, arn: str, **more: object) -> Answer:
    body = {"PrincipalArn": arn, "Target": NODE, **more}
    return world.call(reader, "POST /access/explain", body=body)


def decision(world: World, reader: Person, person: Person, **more: object) -> str:
    answer = explained(world, reader, person.arn, **more)
    assert answer.status == 200, answer
    return str(answer.members["Decision"])


def statements(answer: Answer, layer: str = "ssm") -> list[dict[str, Any]]:
    """Of the last check of a layer."""
    return list([c for c in answer.members["Checks"] if c["Layer"] == layer][-1]["Statements"])


# --- explain ------------------------------------------------------------------------------------


def test_an_allowed_start_names_the_statement_of_each_layer(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, WEB_ONLY)
    answer = explained(world, reader, john.arn)
    assert answer.members["Decision"] == "Allowed"
    gateway, start = answer.members["Checks"]
    assert (gateway["Layer"], gateway["Action"]) == ("execute-api", "execute-api:Invoke")
    assert gateway["Resource"] == (
        f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5/local/POST/nodes/{NODE}/sessions"
    )
    assert (start["Action"], start["Resource"]) == (
        "ssm:StartSession",
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{NODE}",
    )
    (statement,) = start["Statements"]
    assert (statement["Policy"], statement["Source"]) == ("policy-1", "user")
    assert (statement["Effect"], statement["Result"]) == ("Allow", "Applied")
    assert any("API Gateway's own decision counts" in said for said in answer.members["Remarks"])


def test_a_denial_names_condition_expected_and_actual_value(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, DB_ONLY)
    answer = explained(world, reader, john.arn)
    assert answer.members["Decision"] == "ImplicitlyDenied"
    (statement,) = statements(answer)
    assert statement["Result"] == "NotApplied"
    assert statement["Mismatches"] == [
        {
            "Element": "Condition",
            "Operator": "StringEquals",
            "Key": "ssm:resourceTag/team",
            "Expected": ["db"],
            "Actual": ["web"],
            "Presence": "present",
        }
    ]


def test_an_explicit_deny_comes_first(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, START, deny("ssm:*"))
    answer = explained(world, reader, john.arn)
    assert answer.members["Decision"] == "ExplicitlyDenied"
    denying = [s for s in statements(answer) if s["Effect"] == "Deny"]
    assert [s["Result"] for s in denying] == ["Applied"]


def test_without_invoke_api_gateway_refuses_whatever_ssm_says(world: World, reader: Person) -> None:
    john = world.user("john", START)
    answer = explained(world, reader, john.arn)
    assert answer.members["Decision"] == "ImplicitlyDenied"
    assert [check["Decision"] for check in answer.members["Checks"]] == [
        "ImplicitlyDenied",
        "Allowed",
    ]


def test_an_address_that_only_a_request_has_makes_it_conditional(
    world: World, reader: Person
) -> None:
    john = world.user("john", INVOKE, FROM_OFFICE)
    answer = explained(world, reader, john.arn)
    assert answer.members["Decision"] == "Conditional"
    assert answer.members["Checks"][1]["Unknown"] == ["aws:SourceIp"]
    for address, verdict in (("192.0.2.9", "Allowed"), ("198.51.100.1", "ImplicitlyDenied")):
        assert decision(world, reader, john, Context={"aws:SourceIp": [address]}) == verdict


def test_a_deny_on_an_open_key_is_conditional_too(world: World, reader: Person) -> None:
    elsewhere = deny("ssm:*", Condition={"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    john = world.user("john", INVOKE, START, elsewhere)
    assert decision(world, reader, john) == "Conditional"
    assert decision(world, reader, john, Context={"AWS:sourceip": ["192.0.2.9"]}) == "Allowed"
    assert (
        decision(world, reader, john, Context={"aws:SourceIp": ["198.51.100.1"]})
        == "ExplicitlyDenied"
    )


def test_an_open_key_does_not_hide_a_certain_deny(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, FROM_OFFICE, deny("ssm:*"))
    assert decision(world, reader, john) == "ExplicitlyDenied"


def test_mfa_is_no_condition_that_a_request_could_meet(world: World, reader: Person) -> None:
    """Hatchway never sees it: a role session's is unknown, a user's own key has none."""
    jane, john = world.role("Ops", "jane", INVOKE, WITH_MFA), world.user("john", INVOKE, WITH_MFA)
    assert decision(world, reader, jane) == "ImplicitlyDenied"
    assert decision(world, reader, john) == "ImplicitlyDenied"
    (statement,) = statements(explained(world, reader, jane.arn))
    assert statement["Mismatches"][0]["Presence"] == "unknown"
    assert statement["Mismatches"][0]["Unknown"] == ["aws:MultiFactorAuthPresent"]
    assert world.start(jane).denied
    assert world.start(john).denied


def test_at_api_gateway_mfa_is_a_condition_that_a_request_can_meet(
    world: World, reader: Person
) -> None:
    invoke = allow("execute-api:Invoke", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    jane = world.role("Ops", "jane", invoke, START)
    answer = explained(world, reader, jane.arn)
    assert answer.members["Decision"] == "Conditional"
    assert answer.members["Checks"][0]["Unknown"] == ["aws:MultiFactorAuthPresent"]


def test_a_named_document_is_checked_as_well(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, WEB_ONLY)
    assert decision(world, reader, john) == "Allowed"
    answer = explained(world, reader, john.arn, DocumentName=DOCUMENT)
    assert answer.members["Decision"] == "ImplicitlyDenied"
    assert answer.members["Checks"][-1]["Resource"].endswith(f":document/{DOCUMENT}")
    careful = world.user("careful", INVOKE, CHECKED)
    checks = explained(world, reader, careful.arn).members["Checks"]
    assert [check["Decision"] for check in checks] == ["Allowed"] * len(checks)


def test_a_boundary_is_named_as_the_layer_that_refused(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, START)
    narrow = PolicyDocument(source="boundary", name="b", text=json.dumps(allow("execute-api:*")))
    found = world.policies.of(john.arn, john.userid)
    world.policies.add(john.arn, john.userid, replace(found, boundaries=(narrow,)))
    answer = explained(world, reader, john.arn)
    assert answer.members["Checks"][1]["PolicyLayer"] == "boundary"
    assert answer.members["Decision"] == "ImplicitlyDenied"


def test_a_boundary_that_hangs_on_an_open_key_is_conditional(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, START)
    found = world.policies.of(john.arn, john.userid)
    for documents, verdict in (
        ([INVOKE_AND_OFFICE], "Conditional"),
        ([INVOKE_AND_OFFICE, allow("execute-api:*")], "ImplicitlyDenied"),
    ):
        boundaries = [
            PolicyDocument(source="boundary", name=f"b{n}", text=json.dumps(document))
            for n, document in enumerate(documents)
        ]
        world.policies.add(john.arn, john.userid, replace(found, boundaries=boundaries))
        assert decision(world, reader, john) == verdict


INVOKE_AND_OFFICE: Document = {
    "Version": "2012-10-17",
    "Statement": [*INVOKE["Statement"], *FROM_OFFICE["Statement"]],  # type: ignore[misc]
}


def test_a_change_is_tried_before_it_is_made(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE)
    assert decision(world, reader, john) == "ImplicitlyDenied"
    tried = explained(world, reader, john.arn, WithPolicies=[json.dumps(WEB_ONLY)])
    assert tried.members["Decision"] == "Allowed"
    assert statements(tried)[0]["Policy"] == "tried-1"
    assert world.start(john).denied
    mary = world.user("mary", INVOKE, START)
    assert decision(world, reader, mary, WithoutPolicies=["policy-1"]) == "ImplicitlyDenied"
    assert world.start(mary).status == 200


def test_a_managed_policy_is_left_out_by_its_arn_or_name(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE)
    found = world.policies.of(john.arn, john.userid)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/teams/Shells"
    managed = PolicyDocument(source="user john", name=arn, text=json.dumps(START))
    changed = replace(found, identity=(*found.identity, managed))
    world.policies.add(john.arn, john.userid, changed)
    assert decision(world, reader, john) == "Allowed"
    for name in (arn, "Shells"):
        assert decision(world, reader, john, WithoutPolicies=[name]) == "ImplicitlyDenied"


@pytest.mark.parametrize(
    "trial",
    [
        {"WithPolicies": ["{}x"]},
        {"WithPolicies": ['{"Statement": [{"Effect": "Perhaps"}]}']},
        {"WithPolicies": ["{}"] * 6},
        {"WithPolicies": ["x" * 10_241]},
        {"WithoutPolicies": ["no-such-policy"]},
        {"Context": {"no colon": ["x"]}},
        {"Context": {f"aws:k{n}": ["x"] for n in range(21)}},
    ],
    ids=["no JSON", "no policy", "too many", "too long", "unknown", "no key", "too much context"],
)
def test_a_trial_that_makes_no_sense_is_refused(
    world: World, reader: Person, trial: Mapping[str, object]
) -> None:
    john = world.user("john", INVOKE, START)
    assert explained(world, reader, john.arn, **trial).code == "ValidationException"


def test_a_role_is_explained_for_any_session_of_it(world: World, reader: Person) -> None:
    mine = allow("ssm:StartSession", Condition={"StringLike": {"aws:userid": "*:jane"}})
    jane = world.role("Ops", "jane", INVOKE, mine)
    role = f"arn:aws:iam::{ACCOUNT}:role/ops/Ops"
    answer = explained(world, reader, role)
    assert answer.members["Decision"] == "Conditional"
    assert answer.members["Checks"][1]["Unknown"] == ["aws:userid"]
    assert decision(world, reader, jane) == "Allowed"
    other = explained(world, reader, jane.arn.replace("/jane", "/bob"))
    assert other.members["Decision"] == "ImplicitlyDenied"


def test_a_role_of_nodes_is_refused_whatever_its_policies_say(world: World, reader: Person) -> None:
    web = world.role("Web", "x", INVOKE, EVERYTHING)
    assert decision(world, reader, web) == "Allowed"
    role_id = web.userid.partition(":")[0]
    world.nodes.put_role(NodeRole(role_id=role_id, role_arn="arn:aws:iam::1:role/Web"))
    answer = explained(world, reader, web.arn)
    assert answer.members["Decision"] == "ExplicitlyDenied"
    assert any("role of nodes" in said for said in answer.members["Remarks"])


def test_a_malformed_policy_is_named(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, START)
    found = world.policies.of(john.arn, john.userid)
    broken = PolicyDocument(source="user john", name="broken", text="{")
    changed = replace(found, identity=(*found.identity, broken))
    world.policies.add(john.arn, john.userid, changed)
    answer = explained(world, reader, john.arn)
    assert answer.members["Decision"] == "ExplicitlyDenied"
    assert any("The policy broken is malformed" in said for said in answer.members["Remarks"])


def test_a_node_that_ec2_does_not_know_has_no_tags(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, WEB_ONLY)
    answer = explained(world, reader, john.arn, Target=GONE)
    assert answer.members["Decision"] == "ImplicitlyDenied"
    assert statements(answer)[0]["Mismatches"][0]["Presence"] == "absent"
    assert any("EC2 does not know" in said for said in answer.members["Remarks"])


def test_a_thousand_statements_are_cut_to_the_nearest(world: World, reader: Person) -> None:
    many = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "ssm:*", "Resource": f"arn:aws:ec2:*:*:instance/{n}"}
            for n in range(api.MAX_STATEMENTS + 1)
        ],
    }
    john = world.user("john", INVOKE, many)
    answer = explained(world, reader, john.arn)
    assert len(statements(answer)) == api.MAX_STATEMENTS
    assert any("Only the nearest" in said for said in answer.members["Remarks"])


def test_many_values_are_cut(world: World, reader: Person) -> None:
    values = [str(n) for n in range(api.MAX_VALUES + 1)]
    wide = allow("ssm:StartSession", Condition={"StringEquals": {"aws:userid": values}})
    john = world.user("john", INVOKE, wide)
    expected = statements(explained(world, reader, john.arn))[0]["Mismatches"][0]["Expected"]
    assert expected == values[: api.MAX_VALUES]


# --- who may ask --------------------------------------------------------------------------------


def test_explaining_needs_permission_on_the_principal(world: World) -> None:
    john = world.user("john", INVOKE, START)
    jane = world.role("Ops", "jane", INVOKE, START)
    narrow = world.user("narrow", allow("iam:SimulatePrincipalPolicy", on=john.arn))
    assert explained(world, narrow, john.arn).status == 200
    assert explained(world, narrow, jane.arn).denied
    of_role = allow("iam:SimulatePrincipalPolicy", on=f"arn:aws:iam::{ACCOUNT}:role/ops/Ops")
    assert explained(world, world.user("roles", of_role), jane.arn).status == 200
    assert explained(world, world.user("mary", EVERYTHING), john.arn).denied


def test_whoever_may_not_ask_does_not_learn_whether_there_is_such_a_principal(
    world: World,
) -> None:
    mary, ghost = world.user("mary"), f"arn:aws:iam::{ACCOUNT}:user/ghost"
    john = world.user("john")
    denied = explained(world, mary, ghost)
    assert denied.denied
    assert denied.message.replace("ghost", "john") == explained(world, mary, john.arn).message


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{ACCOUNT}:user/ghost",
        f"arn:aws:iam::{ACCOUNT}:role/ghost",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ghost/x",
        "arn:aws:iam::999999999999:user/john",
    ],
)
def test_who_is_not_there_is_said_to_those_who_may_ask(
    world: World, reader: Person, arn: str
) -> None:
    answer = explained(world, reader, arn)
    assert (answer.status, answer.code) == (404, "DoesNotExistException")


@pytest.mark.parametrize("arn", [f"arn:aws:iam::{ACCOUNT}:root", "john", "arn:aws:iam::1:user/x"])
def test_what_is_no_user_or_role_is_refused(world: World, reader: Person, arn: str) -> None:
    assert explained(world, reader, arn).code == "ValidationException"


# --- who can ------------------------------------------------------------------------------------


def who(world: World, person: Person, **more: Any) -> Answer:
    query = more.pop("query", {})
    body = {"Target": NODE, **more}
    return world.call(person, "POST /access/who-can", body=body, query=query)


def test_who_can_lists_users_and_roles_with_what_it_hangs_on(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, WEB_ONLY)
    world.user("mary", INVOKE, DB_ONLY)
    office = world.user("office", INVOKE, FROM_OFFICE)
    world.role("Ops", "jane", INVOKE, START)
    world.role("Mfa", "jane", INVOKE, WITH_MFA)
    answer = who(world, reader)
    assert answer.members == {
        "Principals": [
            {"PrincipalArn": john.arn, "Decision": "Allowed"},
            {"PrincipalArn": office.arn, "Decision": "Conditional", "Unknown": ["aws:SourceIp"]},
            {"PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/ops/Ops", "Decision": "Allowed"},
        ]
    }


def test_who_can_goes_page_by_page_and_a_page_may_be_empty(world: World, reader: Person) -> None:
    names = {world.user(f"user-{n}", INVOKE, *([START] if n % 2 else [])).arn for n in range(6)}
    found: list[str] = []
    token, pages = "", 0
    while token or not pages:
        query = {"MaxResults": ["1"]} | ({"NextToken": [token]} if token else {})
        members = who(world, reader, query=query).members
        found += [one["PrincipalArn"] for one in members["Principals"]]
        token, pages = members.get("NextToken", ""), pages + 1
    assert found == sorted(arn for arn in names if int(arn[-1]) % 2)
    assert pages == 7


def test_who_can_needs_permission_on_everybody(world: World) -> None:
    john = world.user("john")
    narrow = world.user("narrow", allow("iam:SimulatePrincipalPolicy", on=john.arn))
    assert who(world, narrow).denied


def test_who_can_looks_at_a_bounded_number_and_says_when_iam_does_not_answer(
    world: World, reader: Person
) -> None:
    beyond = {"MaxResults": [str(api.MAX_PRINCIPALS + 1)]}
    assert who(world, reader, query=beyond).code == "ValidationException"
    world.directory.failure = ThrottlingException("IAM does not answer; try again later.")
    assert who(world, reader).code == "ThrottlingException"


def test_a_principal_whose_policies_cannot_be_read_does_not_hide_the_others(
    world: World, reader: Person
) -> None:
    john, odd = world.user("john", INVOKE, START), world.user("odd")
    world.policies.unreadable.add(odd.arn)
    assert who(world, reader).members["Principals"] == [
        {"PrincipalArn": john.arn, "Decision": "Allowed"},
        {"PrincipalArn": odd.arn, "Decision": "Unreadable"},
    ]


def test_a_principal_that_is_deleted_meanwhile_is_left_out(world: World, reader: Person) -> None:
    ghost = world.user("ghost", INVOKE, START)
    world.policies.remove(ghost.arn)
    assert who(world, reader).members == {"Principals": []}


# --- what can -----------------------------------------------------------------------------------


def what(world: World, person: Person, arn: str, **query: Any) -> Answer:
    return world.call(person, "POST /access/what-can", body={"PrincipalArn": arn}, query=query)


def test_what_can_lists_the_nodes_by_their_tags(world: World, reader: Person) -> None:
    john, mary = world.user("john", INVOKE, WEB_ONLY), world.user("mary", INVOKE, DB_ONLY)
    assert what(world, reader, john.arn).members == {
        "Nodes": [
            {"NodeId": NODE, "Name": "web-1", "Decision": "Allowed"},
            {"NodeId": DARK, "Decision": "Allowed"},
        ]
    }
    assert what(world, reader, mary.arn).members == {"Nodes": []}


def test_what_can_goes_page_by_page(world: World, reader: Person) -> None:
    john = world.user("john", INVOKE, START)
    first = what(world, reader, john.arn, MaxResults=["1"]).members
    assert [node["NodeId"] for node in first["Nodes"]] == [NODE]
    rest = what(world, reader, john.arn, NextToken=[first["NextToken"]]).members
    assert [node["NodeId"] for node in rest["Nodes"]] == [DARK]
    assert "NextToken" not in rest


def test_what_can_needs_permission_on_the_principal(world: World) -> None:
    john = world.user("john", INVOKE, START)
    assert what(world, world.user("mary", EVERYTHING), john.arn).denied


# --- the log line -------------------------------------------------------------------------------


def test_a_denial_leaves_the_statement_and_the_failed_value_in_the_log_alone(
    world: World,
) -> None:
    answer = world.start(world.user("john", DB_ONLY))
    line = world.lines.written[-1][1]
    assert {name: line[name] for name in line if name.startswith(("denied", "failed", "near"))} == {
        "deniedAction": "ssm:StartSession",
        "deniedResource": f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{NODE}",
        "deniedKind": "implicit",
        "deniedLayer": "identity",
        "nearMiss": "identity policy-0[0]",
        "failedElement": "Condition",
        "failedOperator": "StringEquals",
        "failedKey": "ssm:resourceTag/team",
        "failedExpected": "db",
        "failedActual": "web",
    }
    assert line["requestId"] == answer.members["RequestId"]
    assert "db" not in answer.message
    assert "policy-0" not in answer.message


def test_an_explicit_denial_names_the_deny_and_what_was_in_doubt(world: World) -> None:
    doubtful = deny("ssm:*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
    world.start(world.role("Ops", "jane", EVERYTHING, doubtful))
    line = world.lines.written[-1][1]
    assert (line["deniedKind"], line["deniedBy"]) == ("explicit", "identity policy-1[0]")
    assert (line["deniedUnknown"], line["failedActual"]) == (
        "aws:MultiFactorAuthPresent",
        "(unknown)",
    )


def test_a_denial_without_a_near_miss_says_which_action(world: World) -> None:
    world.start(world.user("mary"))
    line = world.lines.written[-1][1]
    assert (line["deniedAction"], line["deniedKind"]) == ("ssm:StartSession", "implicit")
    assert "nearMiss" not in line


def test_who_names_nobody_asks_about_themselves(world: World, reader: Person) -> None:
    answer = world.call(reader, "POST /access/explain", body={"Target": NODE})
    assert (answer.status, answer.members["PrincipalArn"]) == (200, reader.arn)
    assert answer.members["Decision"] == "ImplicitlyDenied"
    listed = world.call(reader, "POST /access/what-can", body={})
    assert (listed.status, listed.members["Nodes"]) == (200, [])


def test_asking_about_oneself_takes_the_permission_too(world: World) -> None:
    john = world.user("john", allow("ssm:*"))
    assert world.call(john, "POST /access/explain", body={"Target": NODE}).denied
