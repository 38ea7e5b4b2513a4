"""The port Guardrails over Organizations: moto's and the embedded AWS's."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.adapters.organizations import OrganizationsGuardrails
from lambdas.memory.clock import ManualClock
from lambdas.ports import PolicyDocument
from tests.contract.cloud import Cloud

DENY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"}],
    }
)
SCP = "SERVICE_CONTROL_POLICY"


class Organisation:
    """An organisation with one unit and one account in it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        with contextlib.suppress(ClientError):  # the embedded AWS has one from the beginning
            client.create_organization(FeatureSet="ALL")
        self.root = client.list_roots()["Roots"][0]["Id"]
        self.management = client.describe_organization()["Organization"]["MasterAccountId"]
        if not client.list_roots()["Roots"][0]["PolicyTypes"]:
            client.enable_policy_type(RootId=self.root, PolicyType=SCP)
        name = uuid.uuid4().hex[:12]
        self.unit = client.create_organizational_unit(ParentId=self.root, Name=name)[
            "OrganizationalUnit"
        ]["Id"]
        made = client.create_account(Email=f"{name}@example.com", AccountName=name)
        self.account = made["CreateAccountStatus"]["AccountId"]
        client.move_account(
            AccountId=self.account, SourceParentId=self.root, DestinationParentId=self.unit
        )

    def attach(self, target: str) -> str:
        """A Deny of StartSession on `target`; the policy's ARN."""
        summary = self.client.create_policy(
            Content=DENY, Description="", Name=uuid.uuid4().hex, Type=SCP
        )["Policy"]["PolicySummary"]
        self.client.attach_policy(PolicyId=summary["Id"], TargetId=target)
        return str(summary["Arn"])


@pytest.fixture
def organisation(cloud: Cloud | None) -> Organisation:
    if cloud is None:
        pytest.skip("the memory twin is handed its policies")
    return Organisation(cloud.client("organizations"))


def _denied(levels: Sequence[Sequence[PolicyDocument]]) -> list[list[str]]:
    """The names of the policies of each level that deny."""
    return [[one.name for one in level if '"Deny"' in one.text] for level in levels]


def test_policies_are_read_by_level_the_root_first(organisation: Organisation) -> None:
    above, here = organisation.attach(organisation.unit), organisation.attach(organisation.account)
    found = OrganizationsGuardrails(client=organisation.client).of(organisation.account)
    assert _denied(found) == [[], [above], [here]]


def test_every_level_has_what_allows_it(cloud: Cloud, organisation: Organisation) -> None:
    if cloud.endpoint:
        pytest.skip("the embedded AWS attaches FullAWSAccess to nothing")
    found = OrganizationsGuardrails(client=organisation.client).of(organisation.account)
    for level in found:
        assert any('"Allow"' in one.text for one in level)


def test_none_hold_for_the_management_account(organisation: Organisation) -> None:
    found = OrganizationsGuardrails(client=organisation.client).of(organisation.management)
    assert list(found) == []


def test_what_was_read_is_kept_for_a_minute(organisation: Organisation, clock: ManualClock) -> None:
    guardrails = OrganizationsGuardrails(clock, organisation.client)
    before = _denied(guardrails.of(organisation.account))
    name = organisation.attach(organisation.account)
    clock.advance(59)
    assert _denied(guardrails.of(organisation.account)) == before
    clock.advance(2)
    assert _denied(guardrails.of(organisation.account))[-1] == [name]
