"""IAM in memory: roles for the allow list, and the policies of callers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from hatchway.core.errors import AccessDeniedException, HatchwayError, ValidationException
from lambdas.adapters import paging
from lambdas.adapters.trust import only_ec2
from lambdas.ports import (
    KnownPrincipal,
    NodeRole,
    PolicyDocument,
    PrincipalPage,
    PrincipalPolicies,
    Unreadable,
)

EC2_TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ec2.amazonaws.com"}}]}'
)


class MemoryRoles:
    """The port Roles. `add` makes a role with its trust policy, EC2's own unless given."""

    def __init__(self) -> None:
        self._roles: dict[str, tuple[str, str]] = {}

    def add(self, role_arn: str, role_id: str, trust: str = EC2_TRUST) -> NodeRole:
        self._roles[role_arn] = (role_id, trust)
        return NodeRole(role_id=role_id, role_arn=role_arn)

    def ec2_only(self, role_arn: str) -> NodeRole:
        role_id, trust = self._roles.get(role_arn, ("", ""))
        if not role_id:
            raise ValidationException("There is no such role in this account.")
        if not only_ec2(trust):
            raise ValidationException("Others than ec2.amazonaws.com may assume the role.")
        return NodeRole(role_id=role_id, role_arn=role_arn)


class MemoryDirectory:
    """The port Directory."""

    def __init__(self) -> None:
        self.failure: HatchwayError | None = None
        self._known: dict[str, KnownPrincipal] = {}

    def add(self, known: KnownPrincipal) -> None:
        self._known[known.arn] = known

    def remove(self, arn: str) -> None:
        self._known.pop(arn, None)

    def find(self, arn: str) -> KnownPrincipal | None:
        if self.failure is not None:
            raise self.failure
        if ":assumed-role/" not in arn:
            return self._known.get(arn)
        _, name, session = arn.split("/")
        account = arn.split(":")[4]
        for known in self._known.values():
            if known.role_id and (known.name, known.account) == (name, account):
                return replace(known, session=session)
        return None

    def list(self, max_results: int, next_token: str = "") -> PrincipalPage:
        if self.failure is not None:
            raise self.failure
        paging.check_size(max_results)
        after = paging.place(next_token, "principals")
        # Users before roles, as IAM's two lists are read.
        order = sorted(self._known, key=lambda arn: (bool(self._known[arn].role_id), arn))
        rest = order[order.index(after) + 1 :] if after in order else order
        found = tuple(self._known[arn] for arn in rest[:max_results])
        more = len(rest) > max_results
        token = paging.issue("principals", found[-1].arn) if more else ""
        return PrincipalPage(principals=found, next_token=token)


class MemoryPolicies:
    """The port Policies. `add` names a principal as it calls, with its `aws:userid`."""

    def __init__(self) -> None:
        self.failure: HatchwayError | None = None
        self._principals: dict[str, tuple[str, PrincipalPolicies]] = {}
        self._roles: dict[str, PrincipalPolicies] = {}
        self.unreadable: set[str] = set()

    def add_role(self, role: KnownPrincipal, policies: PrincipalPolicies) -> None:
        """For sessions of the role under any name."""
        self._roles[f"{role.name}/{role.role_id}"] = policies

    def add(self, principal_arn: str, userid: str, policies: PrincipalPolicies) -> None:
        self._principals[principal_arn] = (userid, policies)

    def remove(self, principal_arn: str) -> None:
        self._principals.pop(principal_arn, None)

    def of(self, principal_arn: str, userid: str) -> PrincipalPolicies:
        if self.failure is not None:
            raise self.failure
        if principal_arn in self.unreadable:
            raise Unreadable("IAM does not answer; try again later.")
        role = principal_arn.split("/")[1] if ":assumed-role/" in principal_arn else ""
        if principal_arn not in self._principals and role:
            found = self._roles.get(f"{role}/{userid.partition(':')[0]}")
            if found is not None:
                return found
        known, policies = self._principals.get(principal_arn, ("", PrincipalPolicies(identity=())))
        if not known or known != userid:
            raise AccessDeniedException()
        return policies


def principal(
    *identity: Mapping[str, object], tags: Mapping[str, str] | None = None
) -> PrincipalPolicies:
    """Policies of a user from documents written as Python, for tests of handlers."""
    return PrincipalPolicies(
        identity=tuple(
            PolicyDocument(source="user", name=f"policy-{n}", text=json.dumps(document))
            for n, document in enumerate(identity)
        ),
        tags=tags,
    )
