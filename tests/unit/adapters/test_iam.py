"""IAM's adapter: fails closed, reads once for many, stays within its bounds."""

from __future__ import annotations

import json
from threading import Event, Thread
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from hatchway.core.errors import AccessDeniedException, InternalServerError, ThrottlingException
from lambdas.adapters import iam
from lambdas.adapters.iam import IamPolicies
from lambdas.adapters.trust import MAX_TRUST, only_ec2
from lambdas.memory.clock import ManualClock
from tests.unit.adapters.stubs import refused

ARN, USERID = "arn:aws:iam::000000000000:user/john", "AIDAJOHN"
ROLE = "arn:aws:iam::000000000000:role/ops/Web"
ROLE_TAGS = [{"Key": "team", "Value": "web"}]
SESSION = "arn:aws:sts::000000000000:assumed-role/Web/"


class Iam:
    """A user with `inline` policies; `failures` maps a method to what it raises."""

    def __init__(self, inline: int = 1) -> None:
        self.calls: list[str] = []
        self.inline = inline
        self.endless = False
        self.failures: dict[str, Exception] = {}
        self.attached: list[dict[str, str]] = []
        self.trust = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}

    def __getattr__(self, method: str) -> Any:
        def call(**arguments: Any) -> dict[str, Any]:
            self.calls.append(method)
            if method in self.failures:
                raise self.failures[method]
            return self.answer(method)

        return call

    def answer(self, method: str) -> dict[str, Any]:
        if method == "get_user":
            return {"User": {"Arn": ARN, "UserId": USERID}}
        if method == "get_role":
            trusted = {"AssumeRolePolicyDocument": self.trust, "Tags": ROLE_TAGS}
            return {"Role": {"Arn": ROLE, "RoleId": "AROAWEB", **trusted}}
        if method == "list_role_policies":
            return {"PolicyNames": []}
        if method == "list_user_policies":
            names = [f"p{n}" for n in range(self.inline)]
            return {"PolicyNames": names, "IsTruncated": self.endless, "Marker": "m"}
        if method == "get_user_policy":
            return {"PolicyDocument": {"Statement": []}}
        if method == "get_policy":
            return {"Policy": {"PolicyId": "ANPA", "DefaultVersionId": "v1"}}
        if method == "get_policy_version":
            return {"PolicyVersion": {"Document": '{"Statement": []}'}}
        return {"Groups": [], "Tags": [], "AttachedPolicies": self.attached}


def policies(client: Iam, clock: ManualClock | None = None) -> IamPolicies:
    return IamPolicies(clock or ManualClock(), client=client)  # type: ignore[arg-type]


def test_policies_are_kept_for_seconds() -> None:
    client, clock = Iam(), ManualClock()
    made = policies(client, clock)
    first = made.of(ARN, USERID)
    asked = len(client.calls)
    clock.advance(iam.CACHE - 0.1)
    assert made.of(ARN, USERID) is first
    assert len(client.calls) == asked
    clock.advance(0.1)
    made.of(ARN, USERID)
    assert len(client.calls) == 2 * asked


def test_a_kept_answer_is_not_given_to_another_userid() -> None:
    made = policies(Iam())
    made.of(ARN, USERID)
    with pytest.raises(AccessDeniedException):
        made.of(ARN, "AIDAOTHER")


@pytest.mark.parametrize(
    "method",
    [
        "get_user",
        "list_groups_for_user",
        "list_user_tags",
        "list_user_policies",
        "get_user_policy",
        "list_attached_user_policies",
        "get_policy",
        "get_policy_version",
    ],
)
@pytest.mark.parametrize(
    "failure",
    [
        refused("Throttling", 400),
        refused("ServiceFailure", 500),
        refused("AccessDenied", 403),
        ReadTimeoutError(endpoint_url="x"),
    ],
    ids=["throttled", "failing", "refused", "silent"],
)
def test_whatever_cannot_be_read_makes_the_caller_wait(method: str, failure: Exception) -> None:
    client = Iam()
    client.attached = [{"PolicyArn": "arn:aws:iam::aws:policy/X"}]
    client.failures[method] = failure
    made = policies(client)
    with pytest.raises(ThrottlingException):
        made.of(ARN, USERID)
    # and a failure is not kept
    client.failures.clear()
    assert len(made.of(ARN, USERID).identity) == 2


def test_a_policy_that_vanishes_while_it_is_read_makes_the_caller_wait() -> None:
    client = Iam()
    client.failures["get_user_policy"] = refused("NoSuchEntity", 404)
    with pytest.raises(ThrottlingException):
        policies(client).of(ARN, USERID)


def test_a_user_that_is_gone_is_refused() -> None:
    client = Iam()
    client.failures["get_user"] = refused("NoSuchEntity", 404)
    with pytest.raises(AccessDeniedException):
        policies(client).of(ARN, USERID)


def test_a_caller_with_as_many_policies_as_are_read_is_served() -> None:
    client = Iam(inline=iam.MAX_POLICIES)
    assert len(policies(client).of(ARN, USERID).identity) == iam.MAX_POLICIES


def test_a_caller_with_more_policies_is_refused() -> None:
    with pytest.raises(AccessDeniedException):
        policies(Iam(inline=iam.MAX_POLICIES + 1)).of(ARN, USERID)


def test_a_list_without_an_end_is_refused() -> None:
    client = Iam()
    client.endless = True
    with pytest.raises(AccessDeniedException):
        policies(client).of(ARN, USERID)
    assert client.calls.count("list_user_policies") == iam.MAX_PAGES


def test_a_policy_that_is_no_document_is_an_error() -> None:
    client = Iam()
    client.answer = lambda method: (  # type: ignore[method-assign]
        {"PolicyDocument": 1} if method == "get_user_policy" else Iam.answer(client, method)
    )
    with pytest.raises(InternalServerError):
        policies(client).of(ARN, USERID)


def test_the_text_of_a_policy_version_is_read_once() -> None:
    client, clock = Iam(), ManualClock()
    client.attached = [{"PolicyArn": "arn:aws:iam::aws:policy/X"}]
    made = policies(client, clock)
    for _ in range(3):
        made.of(ARN, USERID)
        clock.advance(iam.CACHE)
    assert client.calls.count("get_policy") == 3
    assert client.calls.count("get_policy_version") == 1


def test_callers_who_come_together_cause_one_reading() -> None:
    client, asked, go_on = Iam(), Event(), Event()

    def get_user(**arguments: Any) -> dict[str, Any]:
        client.calls.append("get_user")
        asked.set()
        assert go_on.wait(10)
        return {"User": {"Arn": ARN, "UserId": USERID}}

    client.__dict__["get_user"] = get_user
    made = policies(client)
    threads = [Thread(target=made.of, args=(ARN, USERID)) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert asked.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert client.calls.count("get_user") == 1


def trust(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EC2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    "text",
    [
        trust(EC2),
        trust(EC2, EC2),
        trust({**EC2, "Principal": {"Service": ["ec2.amazonaws.com"]}}),
        trust(EC2, {**EC2, "Effect": "Deny", "Principal": "*"}),
        json.dumps({"Statement": EC2}),
    ],
)
def test_a_trust_in_ec2_alone_is_taken(text: str) -> None:
    assert only_ec2(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[" * 10000,
        trust(),
        trust({**EC2, "Effect": "Deny"}),
        trust({**EC2, "Effect": "allow"}),
        trust({**EC2, "Principal": "*"}),
        trust({**EC2, "Principal": {"AWS": "*"}}),
        trust({**EC2, "Principal": {"Service": "ec2.amazonaws.com", "AWS": "1"}}),
        trust({**EC2, "Principal": {"Service": ["ec2.amazonaws.com", "ssm.amazonaws.com"]}}),
        trust({**EC2, "Principal": {"Service": []}}),
        trust({**EC2, "Principal": {"Service": [["ec2.amazonaws.com"]]}}),
        trust({**EC2, "Principal": {"Service": {}}}),
        trust({**EC2, "NotPrincipal": {"AWS": "1"}}),
        trust({"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "sts:AssumeRole"}),
        trust(EC2, {**EC2, "Principal": {"Federated": "x"}}),
        trust(EC2, "junk"),
        json.dumps({"Statement": "x"}),
        trust(EC2) + " " * MAX_TRUST,
    ],
)
def test_any_other_trust_is_refused(text: str) -> None:
    assert not only_ec2(text)


def test_sessions_of_a_role_are_read_once_whatever_they_are_called() -> None:
    client = Iam()
    made = policies(client)
    for name in ("ann", "bob", "cid"):
        assert made.of(SESSION + name, f"AROAWEB:{name}").role_arn == ROLE
    assert client.calls.count("get_role") == 1


def test_a_role_s_tags_are_those_of_its_sessions_unless_somebody_may_give_them_others() -> None:
    client = Iam()
    assert policies(client).of(SESSION + "ann", "AROAWEB:ann").role_tags == {"team": "web"}
    client.trust = {"Statement": [{"Effect": "Allow", "Action": "sts:TagSession"}]}
    assert policies(client).of(SESSION + "ann", "AROAWEB:ann").role_tags is None


@pytest.mark.parametrize(
    ("name", "userid"), [("ann", "AROAWEB:bob"), ("ann", "AROAOLD:ann"), ("ann", "AROAWEB")]
)
def test_a_kept_role_answers_for_no_other_session(name: str, userid: str) -> None:
    made = policies(Iam())
    made.of(SESSION + "ann", "AROAWEB:ann")
    with pytest.raises(AccessDeniedException):
        made.of(SESSION + name, userid)
