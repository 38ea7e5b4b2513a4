"""A role's own tags are its sessions' only where its trust policy lets nobody tag them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from lambdas.adapters.iam import IamPolicies
from lambdas.adapters.trust import tags_nobody
from lambdas.memory.clock import ManualClock
from tests.contract.cloud import Cloud

ACCOUNT_ROOT = {"AWS": "arn:aws:iam::123456789012:root"}
PLAIN = {"Effect": "Allow", "Principal": ACCOUNT_ROOT, "Action": "sts:AssumeRole"}


def trust(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": ACCOUNT_ROOT, "Action": action, **more}


@pytest.mark.parametrize(
    "text",
    [
        trust(PLAIN),
        json.dumps({"Statement": PLAIN}),
        trust(allow(["sts:AssumeRole", "STS:SetSourceIdentity"])),
        trust(allow("sts:AssumeRoleWithSAML"), allow("sts:AssumeRoleWithWebIdentity")),
        trust(PLAIN, {**PLAIN, "Effect": "Deny", "Action": "sts:TagSession"}),
    ],
)
def test_sessions_have_the_roles_tags_where_nobody_may_give_others(text: str) -> None:
    assert tags_nobody(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        "{}",
        trust(),
        trust("x"),
        trust(allow("sts:TagSession")),
        trust(PLAIN, allow(["sts:AssumeRole", "sts:TagSession"])),
        trust(PLAIN, allow("sts:*")),
        trust(PLAIN, allow("*")),
        trust(PLAIN, allow("sts:Tag*")),
        trust(PLAIN, allow("sts:?agSession")),
        trust(PLAIN, allow("sts:tagsession", Condition={"Bool": {"aws:x": "true"}})),
        trust(PLAIN, {"Effect": "Allow", "Principal": "*", "NotAction": "sts:AssumeRole"}),
        trust(PLAIN, allow(["sts:AssumeRole", 1])),
        trust(PLAIN, allow(None)),
        trust(PLAIN, {"Effect": "Permit", "Action": "sts:TagSession"}),
        trust(PLAIN) + " " * 9000,
    ],
)
def test_what_could_let_somebody_tag_a_session_does(text: str) -> None:
    assert not tags_nobody(text)


@pytest.mark.parametrize(
    ("statement", "known"), [(PLAIN, True), (allow(["sts:AssumeRole", "sts:TagSession"]), False)]
)
def test_a_roles_tags_are_read_with_its_policies(
    cloud: Cloud | None, statement: dict[str, Any], known: bool
) -> None:
    if cloud is None:
        pytest.skip("the twin is given its policies whole")
    iam = cloud.client("iam")
    role = iam.create_role(
        RoleName=f"r{uuid.uuid4().hex}",
        AssumeRolePolicyDocument=trust(statement),
        Tags=[{"Key": "SSMSessionRunAs", "Value": "ops"}],
    )["Role"]
    account, name = role["Arn"].split(":")[4], role["RoleName"]
    found = IamPolicies(ManualClock(), client=iam).of(
        f"arn:aws:sts::{account}:assumed-role/{name}/ann", f"{role['RoleId']}:ann"
    )
    assert found.tags is None
    assert found.role_tags == ({"SSMSessionRunAs": "ops"} if known else None)
