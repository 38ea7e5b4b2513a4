"""The second layer: what the caller's own IAM policies say of an action of Systems Manager's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hatchway.core.errors import AccessDeniedException
from hatchway.core.policy import (
    UNKNOWN,
    AccessRequest,
    ContextValue,
    Decision,
    Explanation,
    Layer,
    Outcome,
    Policy,
    PolicyError,
    PolicySet,
    decide,
    explain,
    parse,
)
from lambdas.conditions import Context, context_of
from lambdas.evidence import evidence
from lambdas.opinion import SecondOpinion
from lambdas.ports import (
    Circumstances,
    Clock,
    Policies,
    PolicyDocument,
    PrincipalPolicies,
)
from lambdas.principal import Principal

_LAYERS = {Layer.BOUNDARY: "permissions boundary", Layer.SCP: "service control policy"}


class Grounds(Protocol):
    """What a decision is made from, as far as the family has it."""

    @property
    def policies(self) -> Policies: ...

    @property
    def region(self) -> str: ...

    @property
    def clock(self) -> Clock: ...


class Denied(AccessDeniedException):
    """The caller's policies do not allow the request."""

    def __init__(self, message: str, explanation: Explanation) -> None:
        super().__init__(message)
        self.explanation = explanation


@dataclass(frozen=True, slots=True)
class Access:
    """A caller's policies and the conditions of this request, ready to be asked."""

    principal: Principal
    policies: PolicySet
    context: Context
    about: Circumstances
    second: SecondOpinion | None = None
    found: PrincipalPolicies | None = None

    @property
    def tags(self) -> Mapping[str, str] | None:
        """The caller's tags for what is no decision of IAM's: a user's, or those of a role that
        nobody may tag sessions of; None where they cannot be known."""
        if self.found is None:
            return None
        return self.found.tags if self.principal.is_user else self.found.role_tags

    @property
    def arns(self) -> tuple[str, ...]:
        """The caller's ARN, and its role's."""
        role = self.found.role_arn if self.found is not None else ""
        return (self.principal.arn, role) if role else (self.principal.arn,)

    def decide(
        self,
        action: str,
        resource: str,
        extra: Mapping[str, ContextValue] | None = None,
        *,
        foreign: bool = False,
    ) -> Decision:
        """IAM's decision; `extra` are the resource's own keys, `foreign` says that the resource is
        somebody else's."""
        request = self.request(action, resource, extra, foreign=foreign)
        return self._together(decide(self.policies, request), request)

    def explain(
        self,
        action: str,
        resource: str,
        extra: Mapping[str, ContextValue] | None = None,
        *,
        foreign: bool = False,
    ) -> Explanation:
        """The same decision with its near misses."""
        request = self.request(action, resource, extra, foreign=foreign)
        explanation = explain(self.policies, request)
        return replace(explanation, decision=self._together(explanation.decision, request))

    def _together(self, ours: Decision, request: AccessRequest) -> Decision:
        """With the second opinion, where the deployment asks for one."""
        if self.second is None:
            return ours
        role = self.context.get("aws:PrincipalArn")
        source = self.principal.arn if self.principal.is_user else role
        return self.second.on(ours, request, source if isinstance(source, str) else "")

    def request(
        self,
        action: str,
        resource: str,
        extra: Mapping[str, ContextValue] | None = None,
        *,
        foreign: bool = False,
    ) -> AccessRequest:
        """What IAM is asked.

        Of a `foreign` resource, a name in its ARN that equals or begins with the caller's proves
        nothing, so `${aws:username}` in a Resource is unknown. `session/${aws:username}-*` is
        meant for one's own sessions, and the sessions of `bob-admin` begin with `bob-` too.
        """
        own_names = ("aws:username", "aws:userid") if foreign else ()
        return AccessRequest(
            principal_arn=self.principal.arn,
            action=action,
            resource=resource,
            context=self.context | dict(extra or {}),
            resource_variables=dict.fromkeys(own_names, UNKNOWN),
        )

    def demand(
        self,
        action: str,
        resource: str,
        extra: Mapping[str, ContextValue] | None = None,
        *,
        foreign: bool = False,
    ) -> None:
        """AccessDeniedException unless the caller may."""
        decision = self.decide(action, resource, extra, foreign=foreign)
        if decision.outcome is not Outcome.ALLOWED:
            raise self.denial(
                action, resource, self.explain(action, resource, extra, foreign=foreign)
            )

    def denial(self, action: str, resource: str, explanation: Explanation) -> Denied:
        """The refusal in AWS's words; statement, condition and value are for our log alone."""
        decision = explanation.decision
        kind = _LAYERS.get(decision.reason.layer or Layer.IDENTITY, "identity-based policy")
        start = (
            f"User: {self.principal.arn} is not authorized to perform: {action} "
            f"on resource: {resource}"
        )
        if decision.outcome is Outcome.EXPLICITLY_DENIED:
            article = "an" if kind.startswith("i") else "a"
            said = f"{start} with an explicit deny in {article} {kind}"
        else:
            said = f"{start} because no {kind} allows the {action} action"
        denied = Denied(said, explanation)
        denied.evidence = evidence(action, resource, explanation)
        return denied


@dataclass(frozen=True, slots=True)
class Held:
    """A principal's policies, read and parsed once, to be asked about several requests."""

    principal: Principal
    found: PrincipalPolicies
    policies: PolicySet
    region: str

    def at(self, about: Circumstances, now: float) -> Access:
        """What they say of a request that is made like `about` at `now`."""
        context = context_of(self.principal, about, self.found, region=self.region, now=now)
        return Access(self.principal, self.policies, context, about, found=self.found)


def held_by(grounds: Grounds, principal: Principal) -> Held:
    """Reads the principal's policies; AccessDeniedException where one of them is malformed."""
    found = grounds.policies.of(principal.arn, principal.owner.userid)
    policies = PolicySet(
        identity=_parsed(found.identity),
        boundaries=_parsed(found.boundaries),
        scps=tuple(_parsed(level) for level in found.scps),
    )
    return Held(principal, found, policies, grounds.region)


def access_of(
    grounds: Grounds,
    principal: Principal,
    about: Circumstances,
    second: SecondOpinion | None = None,
) -> Access:
    """The principal's policies and the conditions of a request that is made now."""
    return replace(held_by(grounds, principal).at(about, grounds.clock()), second=second)


def _parsed(documents: Sequence[PolicyDocument]) -> tuple[Policy, ...]:
    try:
        return tuple(parse(d.text, source=d.source, name=d.name) for d in documents)
    except PolicyError:
        raise AccessDeniedException("A policy of the caller is malformed.") from None
