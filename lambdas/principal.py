"""Who calls, as far as API Gateway vouches for it: IAM users and role sessions of this account.

Everybody else is refused here: other accounts, the account root, federated users, and the roles
of nodes, which have routes of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.documents import Place
from hatchway.core.errors import AccessDeniedException
from hatchway.core.names import Owner
from lambdas.edge import Caller
from lambdas.ports import Circumstances, NodeStore

_NAME = r"[A-Za-z0-9_+=,.@-]{1,64}"
_USER = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>[0-9]{{12}})"
    rf":user/(?:[!-~]{{1,510}}/)?(?P<name>{_NAME})\Z"
)
_ROLE = re.compile(
    rf"arn:(?P<partition>aws[a-z-]*):sts::(?P<account>[0-9]{{12}})"
    rf":assumed-role/(?P<role>{_NAME})/(?P<name>{_NAME})\Z"
)
_UNIQUE_ID = re.compile(r"[A-Za-z0-9]{8,128}\Z")
# Access keys of users begin with AKIA, those of any kind of session with ASIA.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_LONG_TERM = "AKIA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An IAM user or a role session. `name` is the user's or the role session's."""

    owner: Owner
    arn: str
    name: str
    partition: str
    role_id: str  # "" for a user

    @property
    def is_user(self) -> bool:
        return not self.role_id

    def place(self, region: str) -> Place:
        return Place(self.partition, region, self.owner.account)


def principal_of(caller: Caller) -> Principal:
    """The caller as a principal; AccessDeniedException where its three names do not agree."""
    user, role = _USER.match(caller.arn), _ROLE.match(caller.arn)
    found = user or role
    if found is None or found["account"] != caller.account:
        raise AccessDeniedException("Only IAM users and roles of this account may call.")
    role_id = caller.role_id if role else ""
    agrees = caller.role_session == found["name"] if role else ":" not in caller.userid
    if not agrees or not _UNIQUE_ID.match(role_id or caller.userid):
        raise AccessDeniedException("The caller's user id does not agree with its ARN.")
    return Principal(
        owner=caller.owner,
        arn=caller.arn,
        name=found["name"],
        partition=found["partition"],
        role_id=role_id,
    )


def admit(caller: Caller, account: str, nodes: NodeStore, channel_role_id: str) -> Principal:
    """The caller, if it is a person of `account`: AccessDeniedException for a node's roles."""
    principal = principal_of(caller)
    if principal.owner.account != account:
        raise AccessDeniedException("Only IAM users and roles of this account may call.")
    if principal.role_id and (
        principal.role_id == channel_role_id or nodes.role(principal.role_id) is not None
    ):
        raise AccessDeniedException("Roles of nodes may not use this API.")
    return principal


def circumstances(identity: Mapping[str, object]) -> Circumstances:
    """From `requestContext.identity`; what is not in it stays unknown."""

    def text(name: str) -> str:
        value = identity.get(name)
        return value if isinstance(value, str) else ""

    return Circumstances(
        source_ip=text("sourceIp"),
        user_agent=text("userAgent"),
        organisation=text("principalOrgId"),
        long_term=text("accessKey").startswith(_LONG_TERM),
    )
