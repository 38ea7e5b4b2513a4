"""StartSession: permission, then the node, then the session, its token and a hint to the agent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from hatchway.core import names
from hatchway.core.errors import ConflictException, InvalidDocument, TargetNotConnected
from hatchway.core.lifecycle import ENDED, Status
from lambdas import starting
from lambdas.access import Access
from lambdas.ports import Request as Earlier
from lambdas.ports import Session
from lambdas.request import Request
from lambdas.sessions.choosing import Choice, choice_of, resolved
from lambdas.sessions.recording import begin_recording
from lambdas.sessions.service import Service
from lambdas.sessions.tokens import make_token, opened
from lambdas.starting import instance_tags

#: How long a client request token stands for the session that it made.
REQUEST_SECONDS = 3600


def start_session(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Creates a session, or finds the one that the same request token made before."""
    node = names.node_id(request.text("Target"))
    choice = permit_start(service, access, node, request.text("DocumentName"))
    session = _session(service, access, request, node, choice)
    # After the permission: whether a node is there is told to those alone who may use it.
    _require_online(service, node)
    begin_recording(service, session)
    token, record = make_token(service, session)
    earlier = _earlier(service, request, session)
    stored = service.sessions.create(session, record, earlier, service.limits)
    if stored.status in ENDED:
        raise ConflictException("The session of this client request token has ended.")
    service.downlink.hint(node, stored.session_id)
    return opened(service, stored, token)


def permit_start(service: Service, access: Access, node: str, named: str) -> Choice:
    """The document of the session; AccessDeniedException unless the caller may start sessions on
    `node` with it. EC2 is asked about known nodes alone: any other has no tags, and looks like one
    that the caller may not use."""
    facts = service.instances.facts(node) if service.nodes.get(node) is not None else None
    place, tags = access.principal.place(service.region), instance_tags(facts)
    try:
        choice = choice_of(service, access, named, facts)
    except InvalidDocument:
        # Why is told to those alone who may use the node.
        starting.permit(access, place, node, tags, "")
        raise
    starting.permit(access, place, node, tags, choice.checked)
    return choice


def _require_online(service: Service, node: str) -> None:
    known = service.nodes.get(node)
    if known is None or not known.online:
        raise TargetNotConnected(f"{node} is not connected.")


def _session(
    service: Service, access: Access, request: Request, node: str, choice: Choice
) -> Session:
    now = service.clock()
    principal = access.principal
    document, known = resolved(service, access, choice, request), service.nodes.get(node)
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
        document_name=choice.name,
        document=document.text,
        document_version=document.version,
        document_named=choice.named,
        run_as=document.run_as,
        node_name=known.name if known is not None else "",
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
    named = request.text("DocumentName")
    asked = [session.target, named, session.reason, parameters]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
