"""Somebody whose access is explained: their policies, as they are or as tried, and what is open.

Some keys only a request has, such as its address. Here they are unknown and *open*: a decision
that hangs on nothing else is Conditional. Keys that Hatchway never sees, such as a role session's
MFA, are not open: they deny, as they would at the request itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hatchway.core.errors import ValidationException
from hatchway.core.names import Owner
from hatchway.core.policy import UNKNOWN, ContextValue, Policy, PolicyError, PolicySet, parse
from lambdas.access import Access
from lambdas.conditions import context_of
from lambdas.ports import Circumstances, KnownPrincipal, PolicyDocument, PrincipalPolicies
from lambdas.principal import Principal
from lambdas.sessions.service import Service

#: Stands for whatever a session of a role may be named.
ANY_SESSION = "any"
_OF_REQUEST = frozenset({"aws:sourceip", "aws:useragent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A change to try, and values to assume for condition keys."""

    with_policies: Sequence[str] = ()
    without_policies: Sequence[str] = ()
    context: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose access it is. `open` are the unknown keys (lower case) that a request would have;
    `malformed` names a policy that makes Hatchway refuse everything."""

    known: KnownPrincipal
    access: Access
    open: frozenset[str]
    malformed: str = ""


def subject_of(service: Service, asking: Access, known: KnownPrincipal, trial: Trial) -> Subject:
    """Reads the policies of `known`; ValidationException for a trial that makes no sense."""
    principal = _principal(known, asking.principal.partition)
    found = _tried(service.policies.of(principal.arn, principal.owner.userid), trial)
    about = Circumstances(
        organisation=asking.about.organisation,
        long_term=not known.role_id,  # users sign with keys of their own, unless told otherwise
    )
    context = context_of(principal, about, found, region=service.region, now=service.clock())
    if known.role_id and not known.session:
        context["aws:userid"] = UNKNOWN
    assumed = _assumed(trial.context)
    names = {name.lower() for name in assumed}
    context = {k: v for k, v in context.items() if k.lower() not in names} | assumed
    more = frozenset() if known.session or not known.role_id else frozenset({"aws:userid"})
    policies, malformed = _parsed(found)
    access = Access(principal, policies, context, about, found=found)
    return Subject(known, access, (_OF_REQUEST | more) - names, malformed)


def _principal(known: KnownPrincipal, partition: str) -> Principal:
    """As the API would see it call."""
    if not known.role_id:
        owner = Owner(known.account, known.user_id)
        return Principal(
            owner=owner, arn=known.arn, name=known.name, partition=partition, role_id=""
        )
    session = known.session or ANY_SESSION
    return Principal(
        owner=Owner(known.account, f"{known.role_id}:{session}"),
        arn=f"arn:{partition}:sts::{known.account}:assumed-role/{known.name}/{session}",
        name=session,
        partition=partition,
        role_id=known.role_id,
    )


def _tried(found: PrincipalPolicies, trial: Trial) -> PrincipalPolicies:
    identity = [d for d in found.identity if not _named(d, trial.without_policies)]
    for name in trial.without_policies:
        if not any(_named(document, (name,)) for document in found.identity):
            raise ValidationException(f"The principal has no identity policy {name[:128]!a}.")
    for number, text in enumerate(trial.with_policies, start=1):
        tried = PolicyDocument(source="tried", name=f"tried-{number}", text=text)
        try:
            parse(text, source=tried.source, name=tried.name)
        except PolicyError as error:
            raise ValidationException(f"Policy {number} of WithPolicies: {error}") from None
        identity.append(tried)
    return replace(found, identity=identity)


def _named(document: PolicyDocument, names: Sequence[str]) -> bool:
    """By the whole name, or the ARN, of a managed policy by the last part of it too."""
    return document.name in names or (
        document.name.startswith("arn:") and document.name.rpartition("/")[2] in names
    )


def _assumed(given: Mapping[str, tuple[str, ...]]) -> dict[str, ContextValue]:
    return {key: values[0] if len(values) == 1 else values for key, values in given.items()}


def _parsed(found: PrincipalPolicies) -> tuple[PolicySet, str]:
    """The policies, and the name of one that is malformed."""
    malformed = ""

    def parsed(documents: Sequence[PolicyDocument]) -> tuple[Policy, ...]:
        nonlocal malformed
        good = []
        for document in documents:
            try:
                good.append(parse(document.text, source=document.source, name=document.name))
            except PolicyError:
                malformed = malformed or document.name
        return tuple(good)

    policies = PolicySet(
        identity=parsed(found.identity),
        boundaries=parsed(found.boundaries),
        scps=tuple(parsed(level) for level in found.scps),
    )
    return policies, malformed
