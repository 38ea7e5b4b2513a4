"""IAM in memory: roles for the allow list, and the policies of callers."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hatchway.core.errors import AccessDeniedException, HatchwayError, ValidationException
from lambdas.adapters.trust import only_ec2
from lambdas.ports import NodeRole, PolicyDocument, PrincipalPolicies

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


class MemoryPolicies:
    """The port Policies. `add` names a principal as it calls, with its `aws:userid`."""

    def __init__(self) -> None:
        self.failure: HatchwayError | None = None
        self._principals: dict[str, tuple[str, PrincipalPolicies]] = {}

    def add(self, principal_arn: str, userid: str, policies: PrincipalPolicies) -> None:
        self._principals[principal_arn] = (userid, policies)

    def remove(self, principal_arn: str) -> None:
        self._principals.pop(principal_arn, None)

    def of(self, principal_arn: str, userid: str) -> PrincipalPolicies:
        if self.failure is not None:
            raise self.failure
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
