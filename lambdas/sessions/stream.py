"""The JSON routes of the stream API: a client asks about its own session, and no other.

The authorizer's context says which session a connection is for; the owner's policies are asked
again where a new token is given out. Answers are posted to the connection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hatchway.core.api import RESUME_SESSION
from hatchway.core.errors import (
    AccessDeniedException,
    DoesNotExistException,
    HatchwayError,
    InternalServerError,
    ValidationException,
)
from lambdas.edge import Caller, Members, json_object
from lambdas.logline import Line, Write, line
from lambdas.ports import Session
from lambdas.sessions.access import access_of
from lambdas.sessions.describe import session_members
from lambdas.sessions.lifecycle import begin_end, conclude, next_token, permit
from lambdas.sessions.principal import Circumstances, admit, circumstances
from lambdas.sessions.service import Service

MAX_REQUEST_ID = 64
MAX_FRAME = 32 * 1024
_MEMBERS = frozenset({"action", "SessionId", "RequestId"})
_MAX_SESSION_ID = 82


@dataclass(frozen=True, slots=True)
class Frame:
    """One JSON frame, with what the authorizer said of its connection."""

    connection: str
    session_id: str
    generation: str
    route: str
    body: str
    about: Circumstances


Reply = Callable[[Mapping[str, object]], None]
Route = Callable[[Service, Frame, Reply], None]


def serve_frame(service: Service, event: Mapping[str, object], write: Write) -> dict[str, object]:
    """Answers one JSON frame. API Gateway is told 200 anyway: the answer is what was posted."""
    with line("sessions", write) as log:
        frame = _frame(event)
        log.note(route=frame.route, session=frame.session_id)
        members: dict[str, object] = {"action": frame.route}
        try:
            request_id = _checked(frame)
            members |= {"RequestId": request_id} if request_id else {}
            ROUTES[frame.route](
                service, frame, lambda more: _post(service, frame, members, more, log)
            )
        except HatchwayError as error:
            log.refused(error)
            _post(service, frame, members, _refusal(error), log)
        except Exception as error:  # whatever it is, the peer learns nothing of it
            log.failed(error)
            _post(service, frame, members, _refusal(InternalServerError()), log)
    return {"statusCode": 200}


def _refusal(error: HatchwayError) -> Mapping[str, object]:
    return {"__type": error.code, "message": error.message}


def _post(
    service: Service,
    frame: Frame,
    members: Mapping[str, object],
    more: Mapping[str, object],
    log: Line,
) -> None:
    text = json.dumps({**members, **more}, separators=(",", ":"))
    try:
        log.note(posted=service.clients.post(frame.connection, text))
    except HatchwayError as error:
        log.note(posted=False, postError=error.code)


# --- reading ------------------------------------------------------------------------------------


def _frame(event: Mapping[str, object]) -> Frame:
    context = _mapping(event, "requestContext")
    authorized = _mapping(context, "authorizer")
    return Frame(
        connection=_text(context, "connectionId"),
        session_id=_text(authorized, "session"),
        generation=_text(authorized, "generation"),
        route=_text(context, "routeKey"),
        body=_text(event, "body"),
        about=circumstances(_mapping(context, "identity")),
    )


def _mapping(holder: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _text(holder: Mapping[str, object], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""


def _checked(frame: Frame) -> str:
    """The request id of a frame that may be answered, "" where it has none."""
    if len(frame.body) > MAX_FRAME:
        raise ValidationException(f"A frame is at most {MAX_FRAME} bytes.")
    members = Members(json_object(frame.body))
    if not members.values.keys() <= _MEMBERS or members.values.get("action") != frame.route:
        raise ValidationException("A frame has action, SessionId and RequestId, and nothing else.")
    if frame.route not in ROUTES:
        raise ValidationException("There is no such action.")
    named = members.text("SessionId", _MAX_SESSION_ID, default=frame.session_id)
    if not frame.session_id or named != frame.session_id:
        raise AccessDeniedException("The connection is for another session.")
    return members.text("RequestId", MAX_REQUEST_ID, default="")


# --- routes -------------------------------------------------------------------------------------


def _session(service: Service, frame: Frame) -> Session:
    """The connection's session; a connection that was taken over has no say any more."""
    session = service.sessions.get(frame.session_id)
    if session is None:
        raise DoesNotExistException()
    if str(session.generation) != frame.generation:
        raise AccessDeniedException("Another client has taken the session over.")
    return session


def _ping(service: Service, frame: Frame, reply: Reply) -> None:
    reply({})


def _describe(service: Service, frame: Frame, reply: Reply) -> None:
    reply(session_members(_session(service, frame)))


def _resume(service: Service, frame: Frame, reply: Reply) -> None:
    """The owner's permission as it is now: it may have been taken away since the session began."""
    session = _session(service, frame)
    owner = Caller(session.owner.account, session.owner.userid, session.owner_arn)
    principal = admit(owner, session.owner.account, service.nodes, service.channel_role_id)
    access = access_of(service, principal, frame.about)
    permit(service, access, RESUME_SESSION.action, session.session_id, session)
    reply(next_token(service, session))


def _terminate(service: Service, frame: Frame, reply: Reply) -> None:
    """No policy is asked: whoever is in the session could type `exit` as well."""
    begun = begin_end(service, _session(service, frame), "Terminated by its client")
    reply({"SessionId": frame.session_id})  # before the farewell closes the connection
    conclude(service, begun)


ROUTES: Mapping[str, Route] = {
    "ping": _ping,
    "describeSession": _describe,
    "resumeSession": _resume,
    "terminateSession": _terminate,
}
