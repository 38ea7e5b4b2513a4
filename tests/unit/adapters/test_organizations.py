"""Organizations' adapter fails closed: what cannot be read whole is never an empty list."""

from __future__ import annotations

from typing import Any

import pytest

from hatchway.core.errors import AccessDeniedException
from lambdas.adapters.organizations import MAX_PAGES, OrganizationsGuardrails, guardrails
from lambdas.environment import EnvironmentIncomplete
from lambdas.ports import Unreadable
from tests.unit.adapters.stubs import refused

ACCOUNT, MANAGEMENT = "111122223333", "999999999999"


class Organisation:
    """An account right below the root; `failures` maps a method to what it raises."""

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}
        self.calls: list[str] = []
        self.answers: dict[str, dict[str, Any]] = {
            "describe_organization": {"Organization": {"MasterAccountId": MANAGEMENT}},
            "list_roots": {
                "Roots": [
                    {
                        "Id": "r-1",
                        "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
                    }
                ]
            },
            "list_parents": {"Parents": [{"Id": "r-1", "Type": "ROOT"}]},
            "list_policies_for_target": {"Policies": [{"Id": "p-1"}]},
            "describe_policy": {"Policy": {"PolicySummary": {"Arn": "arn:p-1"}, "Content": "{}"}},
        }

    def __getattr__(self, method: str) -> Any:
        def call(**_arguments: Any) -> dict[str, Any]:
            self.calls.append(method)
            if method in self.failures:
                raise self.failures[method]
            return self.answers[method]

        return call


@pytest.fixture
def organisation() -> Organisation:
    return Organisation()


def of(organisation: Organisation) -> Any:
    client: Any = organisation
    return OrganizationsGuardrails(client=client).of(ACCOUNT)


def test_root_and_account_are_two_levels(organisation: Organisation) -> None:
    assert [[one.source for one in level] for level in of(organisation)] == [
        ["organization r-1"],
        [f"organization {ACCOUNT}"],
    ]


@pytest.mark.parametrize(
    "method",
    [
        "describe_organization",
        "list_roots",
        "list_parents",
        "list_policies_for_target",
        "describe_policy",
    ],
)
@pytest.mark.parametrize("code", ["AccessDeniedException", "TooManyRequestsException"])
def test_what_is_refused_or_throttled_makes_the_caller_wait(
    organisation: Organisation, method: str, code: str
) -> None:
    organisation.failures[method] = refused(code)
    with pytest.raises(Unreadable):
        of(organisation)


def test_an_account_in_no_organisation_has_none(organisation: Organisation) -> None:
    organisation.failures["describe_organization"] = refused("AWSOrganizationsNotInUseException")
    assert list(of(organisation)) == []


@pytest.mark.parametrize(("status", "levels"), [("ENABLED", 2), ("PENDING_ENABLE", 2)])
def test_policies_that_are_on_or_being_switched_on_count(
    organisation: Organisation, status: str, levels: int
) -> None:
    organisation.answers["list_roots"]["Roots"][0]["PolicyTypes"][0]["Status"] = status
    assert len(of(organisation)) == levels


def test_where_they_are_off_none_hold(organisation: Organisation) -> None:
    organisation.answers["list_roots"]["Roots"][0]["PolicyTypes"] = []
    assert list(of(organisation)) == []


def test_an_account_without_a_place_is_refused(organisation: Organisation) -> None:
    organisation.answers["list_parents"] = {"Parents": []}
    with pytest.raises(Unreadable):
        of(organisation)


def test_units_that_never_reach_a_root_are_refused(organisation: Organisation) -> None:
    organisation.answers["list_parents"] = {
        "Parents": [{"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}]
    }
    with pytest.raises(Unreadable):
        of(organisation)


def test_a_list_without_end_is_refused(organisation: Organisation) -> None:
    organisation.answers["list_policies_for_target"]["NextToken"] = "more"
    with pytest.raises(AccessDeniedException):
        of(organisation)
    assert organisation.calls.count("list_policies_for_target") == MAX_PAGES


def test_the_setting_is_read_or_absent() -> None:
    assert guardrails({}) is None
    with pytest.raises(EnvironmentIncomplete):
        guardrails({"SERVICE_CONTROL_POLICIES": "perhaps"})
