"""StartSession: who may, where, with which document, and what a repeat gives."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from hatchway.core.tokens import TOKEN_SECONDS, is_token
from tests.unit.sessions.world import (
    ACCOUNT,
    DARK,
    EVERYTHING,
    GONE,
    NODE,
    REGION,
    STREAM,
    World,
    allow,
    deny,
)

INSTANCES = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"
DEFAULT = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/SSM-SessionManagerRunShell"
WEB_ONLY = allow(
    "ssm:StartSession", on=INSTANCES, Condition={"StringEquals": {"ssm:resourceTag/team": "web"}}
)


def test_a_session_is_stored_its_agent_hinted_and_its_token_told_once(world: World) -> None:
    john = world.user("john", WEB_ONLY)
    answer = world.start(john, body={"Reason": "ticket 7", "Target": NODE})
    assert answer.status == 200
    session = world.session(answer.members["SessionId"])
    assert session.session_id.startswith("john-")
    assert (session.status, session.target, session.reason) == (Status.CONNECTING, NODE, "ticket 7")
    assert (session.owner, session.owner_arn) == (john.owner, john.arn)
    assert session.started == session.status_since == session.activity == world.clock()
    assert session.document_name == "SSM-SessionManagerRunShell"
    assert json.loads(session.document)["sessionType"] == "Standard_Stream"
    assert answer.members["StreamUrl"] == STREAM
    assert is_token(answer.members["TokenValue"])
    assert world.downlink.hints == [(NODE, session.session_id)]
    assert world.token_opens(answer.members["TokenValue"]) == session.session_id


def test_a_token_lives_for_sixty_seconds(world: World) -> None:
    token = world.start(world.user("john", EVERYTHING)).members["TokenValue"]
    world.clock.advance(TOKEN_SECONDS)
    assert world.token_opens(token) == ""


def test_neither_the_token_nor_the_reason_meets_the_log(world: World) -> None:
    answer = world.start(world.user("john", EVERYTHING), body={"Reason": "my secret reason"})
    (line,) = world.lines.written
    assert answer.members["TokenValue"] not in str(line)
    assert "my secret reason" not in str(line)
    assert line[1]["operation"] == "StartSession"
    assert line[1]["SessionId"] == answer.members["SessionId"]


@pytest.mark.parametrize("name", ["a+b=c,d.e@f", "n" * 64, "-", "x-0123456789abcdef0"])
def test_any_user_name_makes_a_session_id_of_it(world: World, name: str) -> None:
    person = world.user(name, EVERYTHING)
    session = world.started(person)
    assert session.session_id[:-18] == name
    assert world.terminate(person, quote(session.session_id, safe="")).status == 200


def test_a_role_session_names_its_sessions_by_its_session_name(world: World) -> None:
    person = world.role("Ops", "jane@example.com", EVERYTHING)
    session = world.started(person)
    assert session.session_id.startswith("jane@example.com-")
    assert session.owner == person.owner


# --- permission -----------------------------------------------------------------------------------


def test_nothing_is_allowed_by_default(world: World) -> None:
    mary = world.user("mary")
    answer = world.start(mary)
    assert (answer.status, answer.code) == (403, "AccessDeniedException")
    assert answer.message == (
        f"User: {mary.arn} is not authorized to perform: ssm:StartSession on resource: "
        f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{NODE} because no identity-based policy "
        "allows the ssm:StartSession action"
    )
    assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"
    assert world.downlink.hints == []


def test_an_explicit_deny_wins_and_says_so(world: World) -> None:
    mary = world.user("mary", EVERYTHING, deny("ssm:StartSession", on=INSTANCES))
    answer = world.start(mary)
    assert answer.status == 403
    assert answer.message.endswith("with an explicit deny in an identity-based policy")


def test_a_tag_of_another_value_is_not_enough(world: World) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/team": "db"}}
    mary = world.user("mary", allow("ssm:StartSession", on=INSTANCES, Condition=condition))
    assert world.start(mary).denied


def test_both_spellings_of_a_node_tag_are_known(world: World) -> None:
    for spelling in ("ssm:resourceTag/team", "aws:ResourceTag/team"):
        condition = {"StringEquals": {spelling: "web"}}
        john = world.user("john", allow("ssm:StartSession", on=INSTANCES, Condition=condition))
        assert world.start(john).status == 200


def test_tags_of_the_caller_are_compared_with_those_of_the_node(world: World) -> None:
    condition = {"StringEquals": {"ssm:resourceTag/team": "${aws:PrincipalTag/team}"}}
    document = allow("ssm:StartSession", on=INSTANCES, Condition=condition)
    assert world.start(world.user("john", document, tags={"team": "web"})).status == 200
    assert world.start(world.user("mary", document, tags={"team": "db"})).denied
    assert world.start(world.user("carl", document)).denied


def test_tags_of_a_role_session_are_unknown_and_deny_on_doubt(world: World) -> None:
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "web"}}
    untagged = {"StringNotEquals": {"aws:PrincipalTag/team": "web"}}
    for documents in (
        [allow("ssm:StartSession", Condition=tagged)],
        [allow("ssm:StartSession", Condition=untagged)],
        [EVERYTHING, deny("ssm:StartSession", Condition=tagged)],
        [EVERYTHING, deny("ssm:StartSession", Condition=untagged)],
    ):
        assert world.start(world.role("Ops", "jane", *documents)).denied


def test_an_unknown_node_looks_like_a_denied_one_where_tags_are_needed(world: World) -> None:
    john = world.user("john", WEB_ONLY)
    unknown, known = world.start(john, GONE), world.start(world.user("mary"), NODE)
    assert unknown.denied
    assert known.denied
    assert unknown.message.replace(GONE, NODE).replace("john", "mary") == known.message


def test_only_those_who_may_learn_that_a_node_is_not_connected(world: World) -> None:
    for node in (GONE, DARK):
        answer = world.start(world.user("root-like", EVERYTHING), node)
        assert (answer.status, answer.code) == (409, "TargetNotConnected")
        assert world.start(world.user("mary"), node).denied
    assert world.sessions.changes == []


def test_a_malformed_policy_denies(world: World) -> None:
    broken = world.user("mary", EVERYTHING, {"Statement": "what"})
    assert world.start(broken).code == "AccessDeniedException"


def test_an_iam_that_does_not_answer_is_throttling(world: World) -> None:
    john = world.user("john", EVERYTHING)
    world.policies.failure = ThrottlingException()
    answer = world.start(john)
    assert (answer.status, answer.code) == (429, "ThrottlingException")
    assert answer.headers["Retry-After"] == "2"


# --- documents ------------------------------------------------------------------------------------


def test_a_named_document_needs_permission_on_both(world: World) -> None:
    named = {"DocumentName": "SSM-SessionManagerRunShell"}
    assert world.start(world.user("a", WEB_ONLY), body=named).denied
    document_only = allow("ssm:StartSession", on=DEFAULT)
    assert world.start(world.user("b", document_only), body=named).denied
    both = world.user("c", WEB_ONLY, document_only)
    assert world.start(both, body=named).status == 200
    assert world.start(both, body={"DocumentName": DEFAULT}).status == 200


def test_a_denial_of_the_document_names_the_document(world: World) -> None:
    answer = world.start(
        world.user("a", WEB_ONLY), body={"DocumentName": "SSM-SessionManagerRunShell"}
    )
    assert f"on resource: {DEFAULT} because" in answer.message


@pytest.mark.parametrize("operator", ["BoolIfExists", "Bool"])
def test_a_policy_may_ask_for_the_document_even_where_none_is_named(
    world: World, operator: str
) -> None:
    """The example of Systems Manager's own documentation."""
    check = {operator: {"ssm:SessionDocumentAccessCheck": "true"}}
    without = world.user("a", allow("ssm:StartSession", on=INSTANCES, Condition=check))
    assert world.start(without).denied
    granted = world.user("b", allow("ssm:StartSession", on=[INSTANCES, DEFAULT], Condition=check))
    assert world.start(granted).status == 200
    other = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/Other"
    restricted = world.user("c", allow("ssm:StartSession", on=[INSTANCES, other], Condition=check))
    assert world.start(restricted).denied


def test_without_the_check_the_default_document_needs_no_grant(world: World) -> None:
    assert world.start(world.user("a", allow("ssm:StartSession", on=INSTANCES))).status == 200


@pytest.mark.parametrize(
    "name",
    [
        "AWS-StartPortForwardingSession",
        "My-Document",
        "arn:aws:ssm:eu-west-1:999999999999:document/SSM-SessionManagerRunShell",
        "arn:aws:ssm:us-east-1:123456789012:document/SSM-SessionManagerRunShell",
        "a/b",
    ],
)
def test_other_documents_do_not_exist_yet(world: World, name: str) -> None:
    answer = world.start(world.user("john", EVERYTHING), body={"DocumentName": name})
    assert (answer.status, answer.code) == (400, "InvalidDocument")


def test_a_parameter_that_the_document_lacks_is_refused(world: World) -> None:
    body = {"Parameters": {"portNumber": ["22"]}}
    assert world.start(world.user("john", EVERYTHING), body=body).code == "InvalidParameters"
    assert world.start(world.user("john", EVERYTHING), body={"Parameters": {}}).status == 200


# --- idempotency ----------------------------------------------------------------------------------


def test_a_repeat_gives_the_same_session_and_a_fresh_token(world: World) -> None:
    john = world.user("john", EVERYTHING)
    body = {"ClientRequestToken": "request-1", "Reason": "r"}
    first, second = world.start(john, body=body), world.start(john, body=body)
    assert first.members["SessionId"] == second.members["SessionId"]
    assert first.members["TokenValue"] != second.members["TokenValue"]
    assert len(world.sessions.changes) == 1
    for answer in (first, second):
        token = answer.members["TokenValue"]
        assert world.token_opens(token) == first.members["SessionId"]


@pytest.mark.parametrize(
    ("node", "changed"), [(NODE, {"Reason": "other"}), (NODE, {}), (DARK, {"Reason": "r"})]
)
def test_a_repeat_with_other_parameters_is_refused(
    world: World, node: str, changed: dict[str, str]
) -> None:
    john = world.user("john", EVERYTHING)
    dark = world.nodes.get(DARK)
    assert dark is not None
    world.nodes.update(dark, replace(dark, online=True))
    world.start(john, body={"ClientRequestToken": "t", "Reason": "r"})
    answer = world.start(john, node, body={"ClientRequestToken": "t", **changed})
    assert (answer.status, answer.code) == (400, "IdempotentParameterMismatch")


def test_a_request_token_belongs_to_its_owner(world: World) -> None:
    body = {"ClientRequestToken": "t"}
    john = world.start(world.user("john", EVERYTHING), body=body)
    mary = world.start(world.user("mary", EVERYTHING), body=body)
    assert john.members["SessionId"] != mary.members["SessionId"]


def test_a_repeat_for_a_session_that_ended_is_a_conflict(world: World) -> None:
    john = world.user("john", EVERYTHING)
    session = world.started(john, {"ClientRequestToken": "t"})
    world.terminate(john, session.session_id)
    answer = world.start(john, body={"ClientRequestToken": "t"})
    assert (answer.status, answer.code) == (409, "ConflictException")


def test_a_repeat_is_permitted_anew(world: World) -> None:
    john = world.user("john", EVERYTHING)
    world.start(john, body={"ClientRequestToken": "t"})
    world.user("john", deny("*"))
    assert world.start(john, body={"ClientRequestToken": "t"}).denied
