"""Frames of lifecycle connections: the people API's own functions, asked over a WebSocket.

API Gateway checked the caller's signature and permission for `POST /connections` alone. So what it
would check on the operation's own path is evaluated here, where keys that only it knows are
unknown: an Allow that needs one does not apply, and a Deny that asks for one does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from hatchway.core import api
from hatchway.core.errors import (
    HatchwayError,
    TokenInvalid,
    ValidationException,
)
from hatchway.core.shapes import Operation, Place
from lambdas import lifecycle_stream, request, trail
from lambdas.access import Access, access_of
from lambdas.edge import Caller, Members, json_object
from lambdas.lifecycle_stream import Visitor
from lambdas.logline import Line, Write, line
from lambdas.principal import admit
from lambdas.request import Request
from lambdas.sessions.answers import posted, refusal
from lambdas.sessions.people import PERFORMED
from lambdas.sessions.rates import spend
from lambdas.sessions.service import Service

INVOKE = "execute-api:Invoke"
#: Bytes of an answer: API Gateway delivers 128 KB at most.
MAX_ANSWER = 120 * 1024
_ROUTES: Mapping[str, Operation] = {
    action.name: action.permission
    for action in api.LIFECYCLE_ACTIONS
    if action.permission is not None
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One frame: whose it is, and what it asks for."""

    visitor: Visitor
    route: str
    members: Mapping[str, object]


def serve_lifecycle(
    service: Service, event: Mapping[str, object], write: Write
) -> dict[str, object]:
    """Answers one frame. API Gateway is told 200 anyway: the answer is what was posted."""
    with line("sessions", write) as log:
        try:
            visitor = lifecycle_stream.visitor(event)
        except HatchwayError as error:  # no connection, or one that nobody vouches for
            log.refused(error)
            trail.record_frame(event, error)
            return {"statusCode": error.status}
        log.note(owner=visitor.owner.key, lifecycle=True)
        if service.visitors is None or service.clock() >= visitor.expires:
            log.refused(TokenInvalid("The connection's time is over."))
            _close(service, visitor)
            trail.record_frame(event, log.error)
            return {"statusCode": 200}
        answer = _answer(service, visitor, event, log)
        trail.record_frame(event, log.error, answer)
        _post(service, visitor, answer, log)
    return {"statusCode": 200}


def _answer(
    service: Service, visitor: Visitor, event: Mapping[str, object], log: Line
) -> Mapping[str, object]:
    """What is posted: the answer's members, or the refusal, with what the frame is known by."""
    about: dict[str, object] = {}
    try:
        asked, about = _asked(visitor, event)
        log.note(route=asked.route)
        return {**about, **_performed(service, asked, log)}
    except Exception as error:
        return {**about, **refusal(error, log)}


def _asked(visitor: Visitor, event: Mapping[str, object]) -> tuple[Asked, dict[str, object]]:
    body = event.get("body")
    if not isinstance(body, str) or len(body) > api.MAX_FRAME_BYTES:
        raise ValidationException(f"A frame is text of at most {api.MAX_FRAME_BYTES} bytes.")
    members = dict(json_object(body))
    route = members.pop("action", "")
    if not isinstance(route, str) or route not in _ROUTES:
        raise ValidationException("There is no such action on a lifecycle connection.")
    request_id = Members(members).text("RequestId", api.MAX_REQUEST_ID, default="")
    members.pop("RequestId", None)
    about: dict[str, object] = {"action": route}
    if request_id:
        about["RequestId"] = request_id
    return Asked(visitor, route, members), about


def _performed(service: Service, asked: Asked, log: Line) -> Mapping[str, object]:
    visitor, operation = asked.visitor, _ROUTES[asked.route]
    caller = Caller(visitor.owner.account, visitor.owner.userid, visitor.arn)
    principal = admit(caller, visitor.owner.account, service.nodes, service.channel_role_id)
    wanted = request.of_members(operation, asked.members, visitor.api)
    spend(service, operation, principal)
    access = access_of(service, principal, visitor.about, service.second)
    access.demand(INVOKE, _path_arn(service, access, operation, wanted))
    answer = PERFORMED[operation.name](service, access, wanted)
    session = answer.get("SessionId")
    log.note(session=session if isinstance(session, str) else "")
    return answer


def _path_arn(service: Service, access: Access, operation: Operation, wanted: Request) -> str:
    """The ARN that API Gateway would ask about for the operation's own path, with what stands for
    its parameters spelled as the SDKs spell it."""
    path = operation.path
    for member in operation.takes:
        if member.place is Place.PATH:
            value = quote(wanted.text(member.name), safe="")
            path = path.replace(f"{{{member.wire_name}}}", value)
    place = access.principal.place(service.region)
    return (
        f"arn:{place.partition}:execute-api:{place.region}:{place.account}:"
        f"{wanted.api}/{service.stage}/{operation.method}{path}"
    )


def _post(service: Service, visitor: Visitor, members: Mapping[str, object], log: Line) -> None:
    text = json.dumps(members, separators=(",", ":"))
    if len(text) > MAX_ANSWER:
        error = ValidationException("The answer is too large: ask for fewer MaxResults.")
        about = {name: members[name] for name in ("action", "RequestId") if name in members}
        text = json.dumps({**about, "__type": error.code, "message": error.message})
    log.note(posted=posted(service.clients, visitor.connection, text))


def _close(service: Service, visitor: Visitor) -> None:
    try:
        service.clients.close(visitor.connection)
    except HatchwayError:
        return  # the sweep closes it
