"""ExplainAccess, WhoCan and WhatCan: the decision about somebody else's StartSession, with reasons.

The checks are StartSession's own, in its order. Of API Gateway's layer only the identity policies
are seen here: its own decision is the one that counts, and it sees every condition key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hatchway.core import api, documents, names
from hatchway.core.documents import rules
from hatchway.core.documents.rules import Rule
from hatchway.core.errors import AccessDeniedException, DoesNotExistException, InvalidDocument
from hatchway.core.policy import ContextValue, Explanation
from lambdas.access import Access
from lambdas.catalogue import Catalogue
from lambdas.conditions import tag_context
from lambdas.ports import InstanceFacts, KnownPrincipal, Node, Unreadable
from lambdas.request import Request
from lambdas.sessions.explained import check_members, remarks
from lambdas.sessions.service import Service
from lambdas.sessions.subject import Subject, Trial, subject_of
from lambdas.starting import instance_arn
from lambdas.verdict import Verdict, together, verdict_of

INVOKE = "execute-api:Invoke"
_START = api.START_SESSION.action
_SIMULATE = api.EXPLAIN_ACCESS.action
_DOCUMENT_CHECK = "ssm:SessionDocumentAccessCheck"
DEFAULT_PAGE = 10


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the policies and its answer."""

    layer: str
    explanation: Explanation
    action: str
    resource: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether a session on `node` may be started; `document` is "" where none is named, and then
    the preference rules may choose one."""

    node: str
    document: str
    tags: Mapping[str, str]
    api: str
    rules: Sequence[Rule]


def explain_access(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    known = _found(service, access, _whom(access, request))
    node = names.node_id(request.text("Target"))
    facts = service.instances.facts(node)
    subject = subject_of(service, access, known, _trial(request))
    asked = _asked(service, access, request, node, facts)
    checks = start_checks(service, subject, asked)
    refused = _refused(service, subject, asked)
    return {
        "PrincipalArn": _whom(access, request),
        "Target": node,
        "Decision": _verdict(service, subject, checks, asked).value,
        "Checks": [check_members(check) for check in checks],
        "Remarks": remarks(subject, checks, refused, node_known=facts is not None),
    }


def who_can(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    access.demand(_SIMULATE, "*")
    node = names.node_id(request.text("Target"))
    facts = service.instances.facts(node)
    asked = _asked(service, access, request, node, facts)
    size = request.number("MaxResults", DEFAULT_PAGE)
    page = service.directory.list(size, request.text("NextToken"))
    found = []
    for known in page.principals:
        members = _who(service, access, known, asked, _trial(request))
        found += [{"PrincipalArn": known.arn, **members}] if members else []
    return _page("Principals", found, page.next_token)


def what_can(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    known = _found(service, access, _whom(access, request))
    subject = subject_of(service, access, known, _trial(request))
    asked = _asked(service, access, request, "", None)
    size = request.number("MaxResults", api.MAX_CAN_NODES)
    page = service.nodes.list(size, request.text("NextToken"))
    facts = service.instances.facts_of([node.node_id for node in page.nodes])
    found = []
    for node in page.nodes:
        tags = facts[node.node_id].tags if node.node_id in facts else {}
        members = _may(service, subject, replace(asked, node=node.node_id, tags=tags))
        found += [{**_node(node), **members}] if members else []
    return _page("Nodes", found, page.next_token)


def _whom(access: Access, request: Request) -> str:
    """The principal that is asked about: oneself where none is named."""
    return request.text("PrincipalArn") or access.principal.arn


def start_checks(service: Service, subject: Subject, asked: Asked) -> list[Check]:
    """API Gateway's check and then those of `starting.permit`, until one of them refuses."""
    access = subject.access
    place = access.principal.place(service.region)
    instance = instance_arn(place, asked.node)

    def start(resource: str, extra: Mapping[str, ContextValue], checked: str) -> Check:
        explanation = access.explain(_START, resource, {**extra, _DOCUMENT_CHECK: checked})
        verdict = verdict_of(explanation, access.policies, lambda key: key in subject.open)
        return Check("ssm", explanation, _START, resource, verdict)

    gateway = _gateway(service, subject, asked)
    named, tags = asked.document or _chosen(subject, asked)[0], tag_context(asked.tags)
    unchecked = start(instance, tags, "false")
    if not named and not unchecked.verdict.denied:
        return [gateway, unchecked]
    checked = start(instance, tags, "true")
    if checked.verdict.denied:
        return [gateway, checked if named else unchecked]
    document = documents.arn(named or documents.DEFAULT, place)
    return [gateway, checked, start(document, {}, "true")]


def _chosen(subject: Subject, asked: Asked) -> tuple[str, str]:
    """The document that a preference rule chooses, "" for none; and why none can be chosen."""
    access = subject.access
    whose = rules.Subject(arns=access.arns, principal_tags=access.tags, node_tags=asked.tags)
    try:
        name = rules.chosen(asked.rules, whose).partition(":")[0]
    except InvalidDocument as why:
        return "", why.message
    return "" if name == documents.DEFAULT else name, ""


def _gateway(service: Service, subject: Subject, asked: Asked) -> Check:
    """As far as identity policies and boundary tell; API Gateway knows the keys that we do not."""
    access = subject.access
    place = access.principal.place(service.region)
    resource = (
        f"arn:{place.partition}:execute-api:{place.region}:{place.account}:"
        f"{asked.api}/{service.stage}/POST/nodes/{asked.node}/sessions"
    )
    explanation = access.explain(INVOKE, resource)
    verdict = verdict_of(explanation, access.policies, lambda _key: True)
    return Check("execute-api", explanation, INVOKE, resource, verdict)


# --- who and what -------------------------------------------------------------------------------


def _found(service: Service, access: Access, arn: str) -> KnownPrincipal:
    """Whom the ARN names. Whoever may not ask does not learn whether there is one."""
    known = service.directory.find(arn) if _of_account(access, arn) else None
    resource = known.arn if known is not None else arn
    decision = access.decide(_SIMULATE, resource)
    if not decision.allowed:
        raise access.denial(_SIMULATE, arn, access.explain(_SIMULATE, resource))
    if known is None:
        raise DoesNotExistException("This account has no such user or role.")
    return known


def _of_account(access: Access, arn: str) -> bool:
    return arn.split(":")[4] == access.principal.owner.account


def _who(
    service: Service, access: Access, known: KnownPrincipal, asked: Asked, trial: Trial
) -> dict[str, object]:
    try:
        subject = subject_of(service, access, known, trial)
    except Unreadable:
        return {"Decision": "Unreadable"}  # one principal must not hide all the others
    except AccessDeniedException:
        return {}  # deleted meanwhile, or beyond what is evaluated: then it is refused as well
    return _may(service, subject, asked)


def _may(service: Service, subject: Subject, asked: Asked) -> dict[str, object]:
    """Empty for somebody who may not."""
    checks = start_checks(service, subject, asked)
    verdict = _verdict(service, subject, checks, asked)
    if verdict.denied:
        return {}
    unknown = sorted({key for check in checks for key in _open_keys(check)})
    return {"Decision": verdict.value} | ({"Unknown": unknown} if unknown else {})


def _open_keys(check: Check) -> Sequence[str]:
    """What a conditional answer hangs on; an answer that is certain hangs on nothing."""
    unknown = check.explanation.decision.reason.unknown
    return unknown if check.verdict is Verdict.CONDITIONAL else ()


def _verdict(service: Service, subject: Subject, checks: Sequence[Check], asked: Asked) -> Verdict:
    if _refused(service, subject, asked):
        return Verdict.EXPLICITLY_DENIED
    return together(*(check.verdict for check in checks))


def _refused(service: Service, subject: Subject, asked: Asked) -> str:
    """Why Hatchway refuses the principal whatever its policies say, "" for no such reason."""
    if subject.malformed:
        return f"The policy {subject.malformed} is malformed: Hatchway refuses everything."
    role = subject.known.role_id
    if role and (role == service.channel_role_id or service.nodes.role(role) is not None):
        return "It is a role of nodes: the people API refuses these."
    return "" if asked.document else _chosen(subject, asked)[1]


# --- reading and answering ----------------------------------------------------------------------


def _trial(request: Request) -> Trial:
    return Trial(
        with_policies=request.texts("WithPolicies"),
        without_policies=request.texts("WithoutPolicies"),
        context=request.table("Context"),
    )


def _asked(
    service: Service, access: Access, request: Request, node: str, facts: InstanceFacts | None
) -> Asked:
    named = request.text("DocumentName")
    place = access.principal.place(service.region)
    return Asked(
        node=node,
        document=documents.pinned(named, place)[0] if named else "",
        tags=facts.tags if facts is not None else {},
        api=request.api,
        rules=() if named else Catalogue(service.documents).rules(),
    )


def _node(node: Node) -> dict[str, str]:
    return {"NodeId": node.node_id} | ({"Name": node.name} if node.name else {})


def _page(name: str, found: Sequence[object], token: str) -> Mapping[str, object]:
    return {name: list(found)} | ({"NextToken": token} if token else {})
