"""AWS Organizations: the service control policies above the account, where they can be read.

Only the management account and its delegated administrators may read them, so a deployment asks
for it. Then it fails closed: what cannot be read whole is an error, never an empty list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hatchway.core.errors import AccessDeniedException, HatchwayError
from lambdas.adapters import aws
from lambdas.adapters.cache import Cache
from lambdas.environment import EnvironmentIncomplete
from lambdas.ports import Clock, Guardrails, PolicyDocument, Unreadable

if TYPE_CHECKING:
    from mypy_boto3_organizations.client import OrganizationsClient

PATIENCE = aws.Patience(connect=1.0, read=3.0, attempts=3)
#: Seconds for which an account's policies are kept: Organizations answers few calls a second.
CACHE = 60.0
MAX_ACCOUNTS = 16
#: Levels from an account up to the root (an organisation has seven at most), pages of one list,
#: and policies of one level (five may be attached).
MAX_LEVELS = 10
MAX_PAGES = 10
MAX_POLICIES = 50

_SCP = "SERVICE_CONTROL_POLICY"
_SOURCE = "organization"


class _None(HatchwayError):
    """The account is in no organisation."""


def guardrails(environ: Mapping[str, str], life: float = CACHE) -> Guardrails | None:
    """SERVICE_CONTROL_POLICIES: `read`, or absent for not at all."""
    wanted = environ.get("SERVICE_CONTROL_POLICIES", "")
    if wanted not in ("", "read"):
        raise EnvironmentIncomplete("SERVICE_CONTROL_POLICIES is neither absent nor read.")
    return OrganizationsGuardrails(life=life) if wanted else None


class OrganizationsGuardrails:
    """The port Guardrails; `life` is how many seconds an answer is kept."""

    def __init__(
        self,
        clock: Clock = time.monotonic,
        client: OrganizationsClient | None = None,
        life: float = CACHE,
    ) -> None:
        self._client: OrganizationsClient = client or aws.client("organizations", PATIENCE)
        self._accounts: Cache[str, Sequence[Sequence[PolicyDocument]]] = Cache(
            MAX_ACCOUNTS, life, clock
        )

    def of(self, account: str) -> Sequence[Sequence[PolicyDocument]]:
        return self._accounts.get(account, lambda: self._gather(account))

    def _gather(self, account: str) -> Sequence[Sequence[PolicyDocument]]:
        try:
            organisation = _call(self._client.describe_organization)["Organization"]
        except _None:
            return ()
        # Service control policies do not hold for the management account, nor where they are off.
        if organisation["MasterAccountId"] == account or not self._switched_on():
            return ()
        return [self._level(target) for target in self._targets(account)]

    def _switched_on(self) -> bool:
        roots = self._list(self._client.list_roots, "Roots")
        types = [kind for root in roots for kind in root.get("PolicyTypes", ())]
        return any(kind["Type"] == _SCP and kind["Status"] != "PENDING_DISABLE" for kind in types)

    def _targets(self, account: str) -> list[str]:
        """The root, the units below it, and the account itself: in this order."""
        found = [account]
        for _ in range(MAX_LEVELS):
            parents = self._list(self._client.list_parents, "Parents", ChildId=found[0])
            if len(parents) != 1:
                break
            found.insert(0, parents[0]["Id"])
            if parents[0]["Type"] == "ROOT":
                return found
        raise Unreadable("The account's place in its organisation cannot be read.")

    def _level(self, target: str) -> list[PolicyDocument]:
        listed = self._list(
            self._client.list_policies_for_target, "Policies", TargetId=target, Filter=_SCP
        )
        if len(listed) > MAX_POLICIES:
            raise AccessDeniedException("There are more service control policies than are read.")
        return [self._policy(target, one["Id"]) for one in listed]

    def _policy(self, target: str, policy: str) -> PolicyDocument:
        found = _call(self._client.describe_policy, PolicyId=policy)["Policy"]
        name = found["PolicySummary"].get("Arn") or policy
        return PolicyDocument(source=f"{_SOURCE} {target}", name=name, text=found["Content"])

    def _list(self, method: Callable[..., Any], member: str, **arguments: str) -> list[Any]:
        found: list[Any] = []
        for _ in range(MAX_PAGES):
            answer = _call(method, **arguments)
            found += answer[member]
            if not answer.get("NextToken"):
                return found
            arguments["NextToken"] = answer["NextToken"]
        raise AccessDeniedException("There are more service control policies than are read.")


def _call(method: Callable[..., Any], **arguments: str) -> dict[str, Any]:
    """One call; Unreadable where Organizations does not answer, or refuses."""
    try:
        with aws.calling("Organizations", {"AWSOrganizationsNotInUseException": _None}):
            answer: dict[str, Any] = method(**arguments)
    except _None:
        raise
    except HatchwayError as error:
        raise Unreadable(
            "Service control policies cannot be read; try again later, or have the deployment's "
            "account delegated to read them."
        ) from error
    return answer
