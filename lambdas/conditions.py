"""The condition keys of a request, as IAM would see them: known, absent, or unknown.

Unknown is what this service cannot see (MFA, session tags, …); evaluation then denies on doubt.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from hatchway.core.policy import UNKNOWN, ContextValue
from lambdas.ports import Circumstances, PolicyDocument, PrincipalPolicies
from lambdas.principal import Principal

Context = dict[str, ContextValue]

# Never there on a call of ours: no service calls in between, no tags are set, and a regional API
# is not reached through an endpoint.
_ABSENT = frozenset(
    {
        "aws:calledvia",
        "aws:calledviafirst",
        "aws:calledvialast",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:referer",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourcevpc",
        "aws:sourcevpcarn",
        "aws:sourcevpce",
        "aws:tagkeys",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:vpcsourceip",
    }
)
_ABSENT_PREFIXES = ("aws:requesttag/", "aws:resourcetag/")
# Properties of a session: certainly absent only where a user's own access key signed.
_OF_SESSION = frozenset(
    {
        "aws:assumedroot",
        "aws:chatbotsourcearn",
        "aws:ec2instancesourceprivateipv4",
        "aws:ec2instancesourcevpc",
        "aws:federatedprovider",
        "aws:multifactorauthage",
        "aws:multifactorauthpresent",
        "aws:signinsessionarn",
        "aws:sourceidentity",
        "aws:tokenissuetime",
        "ec2:roledelivery",
        "ec2:sourceinstancearn",
        "lambda:sourcefunctionarn",
        "ssm:sourceinstancearn",
    }
)
# Prefixes of what identity providers put into a session; web providers are named by their host.
_SESSION_PREFIXES = ("saml:", "sts:", "glue:", "codebuild:", "identitystore:")
_VARIABLE = re.compile(r"\$\{\s*([^},'\"]+?)\s*[,}]")


def context_of(
    principal: Principal,
    about: Circumstances,
    policies: PrincipalPolicies,
    *,
    region: str,
    now: float,
) -> Context:
    """All keys of a request but those of its resource."""
    context = _of_principal(principal, policies) | _of_request(principal, about, region, now)
    if about.source_ip:
        context["aws:SourceIp"] = about.source_ip
    if about.user_agent:
        context["aws:UserAgent"] = about.user_agent
    if about.organisation:
        context |= {
            "aws:PrincipalOrgID": about.organisation,
            "aws:ResourceOrgID": about.organisation,
        }
    return context | _unknown(context, policies, about)


def tag_context(tags: Mapping[str, str]) -> Context:
    """A resource's tags under both names that policies know them by."""
    pairs = [(prefix + key, value) for key, value in tags.items() for prefix in _TAG_PREFIXES]
    return dict(pairs)


_TAG_PREFIXES = ("ssm:resourceTag/", "aws:ResourceTag/")


def unknown_tags(policies: PrincipalPolicies) -> Context:
    """The resource tags that these policies ask about, of a resource whose tags nobody knows."""
    prefixes = tuple(prefix.lower() for prefix in _TAG_PREFIXES)
    return {
        key: UNKNOWN
        for document in policies.documents
        for key in _mentioned(document)
        if key.startswith(prefixes) and "aws:ssmmessages:" not in key
    }


def _of_principal(principal: Principal, policies: PrincipalPolicies) -> Context:
    context: Context = {
        "aws:PrincipalAccount": principal.owner.account,
        "aws:PrincipalType": "User" if principal.is_user else "AssumedRole",
        "aws:PrincipalIsAWSService": "false",
        "aws:userid": principal.owner.userid,
    }
    if principal.is_user:
        context |= {"aws:username": principal.name, "aws:PrincipalArn": principal.arn}
    elif policies.role_arn:
        context["aws:PrincipalArn"] = policies.role_arn
    for key, value in (policies.tags or {}).items():
        context[f"aws:PrincipalTag/{key}"] = value
    return context


def _of_request(principal: Principal, about: Circumstances, region: str, now: float) -> Context:
    moment = datetime.fromtimestamp(int(now), UTC)
    return {
        "aws:CurrentTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(now)),
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": region,
        "aws:ResourceAccount": principal.owner.account,
        "aws:ViaAWSService": "false",
    }


# --- what is not known --------------------------------------------------------------------------


def _unknown(context: Context, policies: PrincipalPolicies, about: Circumstances) -> Context:
    """Those keys that the policies ask for and that may or may not be there."""
    known = {key.lower() for key in context}
    return {
        key: UNKNOWN
        for document in policies.documents
        for key in _mentioned(document)
        if key not in known and not _certainly_absent(key, policies, about)
    }


def _certainly_absent(key: str, policies: PrincipalPolicies, about: Circumstances) -> bool:
    if key.startswith("aws:principaltag/"):
        return policies.tags is not None
    if of_session(key):
        return about.long_term
    if key == "aws:username":
        return True  # known for users; a role session has none
    if key.startswith("aws:"):
        return key in _ABSENT or key.startswith(_ABSENT_PREFIXES)
    return True  # a key of some service, which its resource has or has not


def of_session(key: str) -> bool:
    """Whether only the credentials of a session have this key (lower case)."""
    return key in _OF_SESSION or key.startswith(_SESSION_PREFIXES) or _is_web_identity(key)


def _is_web_identity(key: str) -> bool:
    return "." in key.partition(":")[0]


def _mentioned(document: PolicyDocument) -> frozenset[str]:
    """The condition keys and policy variables in a policy, lower case."""
    try:
        return frozenset(_keys(json.loads(document.text)))
    except (ValueError, RecursionError):
        return frozenset()  # such a policy denies everything anyway


def _keys(value: object) -> Iterator[str]:
    match value:
        case str():
            yield from (name.lower() for name in _VARIABLE.findall(value))
        case list():
            for one in value:
                yield from _keys(one)
        case dict():
            # Operators and elements are no condition keys, but contain no colon either.
            yield from (name.lower() for name in value if ":" in name)
            for one in value.values():
                yield from _keys(one)
