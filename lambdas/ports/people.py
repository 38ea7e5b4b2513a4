"""Callers: IAM's users, roles and policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hatchway.core.errors import ThrottlingException

if TYPE_CHECKING:  # most families decide nothing, and start the faster without it
    from hatchway.core.policy import AccessRequest, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """A policy as IAM has it: where it hangs, its name, its JSON text."""

    source: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalPolicies:
    """All that IAM says of a principal. `tags` is None where unknown (role sessions).

    `scps` are the service control policies by level, the organisation's root first: none where
    they are not read.
    """

    identity: Sequence[PolicyDocument]
    boundaries: Sequence[PolicyDocument] = ()
    scps: Sequence[Sequence[PolicyDocument]] = ()
    tags: Mapping[str, str] | None = None
    #: The role's own, where its trust policy lets nobody tag a session: then they are the session's
    #: as far as run as and preferences go. None where they are not known.
    role_tags: Mapping[str, str] | None = None
    role_arn: str = ""  # of a role session: its role, with the path that the session's ARN lacks

    @property
    def documents(self) -> Sequence[PolicyDocument]:
        """All of them, whatever layer they are of."""
        return (*self.identity, *self.boundaries, *(one for level in self.scps for one in level))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPrincipal:
    """A user or role that IAM knows; `session` names one session of a role, "" any of them."""

    arn: str
    name: str
    user_id: str = ""  # of a user
    role_id: str = ""  # of a role
    session: str = ""

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalPage:
    """A page of users and roles, and where the next one begins ("" at the end)."""

    principals: Sequence[KnownPrincipal]
    next_token: str = ""


class Policies(Protocol):
    """IAM's policies of a caller, cached for seconds."""

    def of(self, principal_arn: str, userid: str) -> PrincipalPolicies:
        """AccessDeniedException where the principal is gone or another than `userid` says;
        ThrottlingException where IAM does not answer."""
        ...


class Guardrails(Protocol):
    """The organisation's service control policies, cached for seconds."""

    def of(self, account: str) -> Sequence[Sequence[PolicyDocument]]:
        """Those that hold for an account, by level, the root first; empty where none do.
        Unreadable where they are not given out: nothing is assumed."""
        ...


class Unreadable(ThrottlingException):
    """IAM has it and did not give it out; it may be that principal alone."""


class Directory(Protocol):
    """IAM's users and roles."""

    def find(self, arn: str) -> KnownPrincipal | None:
        """The user, role or role session of this ARN; None where IAM has none such."""
        ...

    def list(self, max_results: int, next_token: str = "") -> PrincipalPage:
        """Users, then roles; ThrottlingException where IAM does not answer."""
        ...


class Simulator(Protocol):
    """IAM's own evaluation of a user's or role's policies."""

    def simulate(self, source_arn: str, request: AccessRequest) -> Outcome:
        """ThrottlingException where IAM does not answer; cached for seconds."""
        ...
