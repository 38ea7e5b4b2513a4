"""The second layer: what the caller's own IAM policies say of an action of Systems Manager's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from lambdas.ports import PolicyDocument
from lambdas.sessions.conditions import Context, context_of
from lambdas.sessions.evidence import evidence
from lambdas.sessions.principal import Circumstances, Principal
from lambdas.sessions.service import Service

_LAYERS = {Layer.BOUNDARY: "permissions boundary"}


@dataclass(frozen=True, slots=True)
class Access:
    """A caller's policies and the conditions of this request, ready to be asked."""

    principal: Principal
    policies: PolicySet
    context: Context
    about: Circumstances

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
        return decide(self.policies, self.request(action, resource, extra, foreign=foreign))

    def explain(
        self,
        action: str,
        resource: str,
        extra: Mapping[str, ContextValue] | None = None,
        *,
        foreign: bool = False,
    ) -> Explanation:
        """The same decision with its near misses."""
        return explain(self.policies, self.request(action, resource, extra, foreign=foreign))

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

    def denial(self, action: str, resource: str, explanation: Explanation) -> AccessDeniedException:
        """The refusal in AWS's words; statement, condition and value are for our log alone."""
        decision = explanation.decision
        kind = _LAYERS.get(decision.reason.layer or Layer.IDENTITY, "identity-based policy")
        start = (
            f"User: {self.principal.arn} is not authorized to perform: {action} "
            f"on resource: {resource}"
        )
        if decision.outcome is Outcome.EXPLICITLY_DENIED:
            article = "an" if kind.startswith("i") else "a"
            denied = AccessDeniedException(f"{start} with an explicit deny in {article} {kind}")
        else:
            denied = AccessDeniedException(f"{start} because no {kind} allows the {action} action")
        denied.evidence = evidence(action, resource, explanation)
        return denied


def access_of(service: Service, principal: Principal, about: Circumstances) -> Access:
    """Reads the principal's policies; AccessDeniedException where one of them is malformed."""
    found = service.policies.of(principal.arn, principal.owner.userid)
    context = context_of(principal, about, found, region=service.region, now=service.clock())
    return Access(
        principal,
        PolicySet(identity=_parsed(found.identity), boundaries=_parsed(found.boundaries)),
        context,
        about,
    )


def _parsed(documents: Sequence[PolicyDocument]) -> tuple[Policy, ...]:
    try:
        return tuple(parse(d.text, source=d.source, name=d.name) for d in documents)
    except PolicyError:
        raise AccessDeniedException("A policy of the caller is malformed.") from None
