"""StartSession: permission, then the node, then the session, its token and a hint to the agent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from hatchway.core import documents, names
from hatchway.core.errors import ConflictException, TargetNotConnected
from hatchway.core.lifecycle import ENDED, Status
from lambdas import starting
from lambdas.access import Access
from lambdas.ports import Request as Earlier
from lambdas.ports import Session
from lambdas.request import Request
from lambdas.sessions.service import Service
from lambdas.sessions.tokens import make_token, opened
from lambdas.starting import instance_tags

#: How long a client request token stands for the session that it made.
REQUEST_SECONDS = 3600


def start_session(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Creates a session, or finds the one that the same request token made before."""
    node = names.node_id(request.text("Target"))
    document = _document_name(service, access, request)
    permit_start(service, access, node, document)
    session = _session(service, access, request, node, document)
    # After the permission: whether a node is there is told to those alone who may use it.
    _require_online(service, node)
    token, record = make_token(service, session.session_id)
    earlier = _earlier(service, request, session)
    stored = service.sessions.create(session, record, earlier, service.limits)
    if stored.status in ENDED:
        raise ConflictException("The session of this client request token has ended.")
    service.downlink.hint(node, stored.session_id)
    return opened(service, stored.session_id, token)


def permit_start(service: Service, access: Access, node: str, document: str) -> None:
    """AccessDeniedException unless the caller may start sessions on `node`; `document` is ""
    where none was named. EC2 is asked about known nodes alone: any other has no tags, and looks
    like one that the caller may not use."""
    facts = service.instances.facts(node) if service.nodes.get(node) is not None else None
    tags = instance_tags(facts)
    starting.permit(access, access.principal.place(service.region), node, tags, document)


def _document_name(service: Service, access: Access, request: Request) -> str:
    named = request.text("DocumentName")
    return documents.reference(named, access.principal.place(service.region)) if named else ""


def _require_online(service: Service, node: str) -> None:
    known = service.nodes.get(node)
    if known is None or not known.online:
        raise TargetNotConnected(f"{node} is not connected.")


def _session(
    service: Service, access: Access, request: Request, node: str, document: str
) -> Session:
    now = service.clock()
    principal = access.principal
    name = document or documents.DEFAULT
    return Session(
        session_id=names.new_session_id(principal.name, service.random(names.SESSION_SUFFIX_BYTES)),
        target=node,
        owner=principal.owner,
        owner_arn=principal.arn,
        status=Status.CONNECTING,
        started=now,
        status_since=now,
        activity=now,
        proven=now,
        document_name=name,
        document=documents.resolve(name, request.table("Parameters")),
        document_named=bool(document),
        reason=request.text("Reason"),
        about=access.about,
    )


def _earlier(service: Service, request: Request, session: Session) -> Earlier | None:
    token = request.text("ClientRequestToken")
    if not token:
        return None
    return Earlier(
        owner=session.owner,
        token=token,
        fingerprint=_fingerprint(request, session),
        session_id=session.session_id,
        expires=service.clock() + REQUEST_SECONDS,
    )


def _fingerprint(request: Request, session: Session) -> str:
    """What a repeat must have in common with the first request: all that it asked for."""
    parameters = {key: list(values) for key, values in request.table("Parameters").items()}
    asked = [session.target, session.document_name, session.reason, parameters]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
