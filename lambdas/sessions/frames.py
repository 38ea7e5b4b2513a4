"""The JSON routes of the stream API: a client asks about its own session, and no other.

The authorizer's context says which session a connection is for; the owner's policies are asked
again where a new token is given out. Answers are posted to the connection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hatchway.core import api
from hatchway.core.errors import (
    AccessDeniedException,
    DoesNotExistException,
    HatchwayError,
    ValidationException,
)
from lambdas import trail
from lambdas.edge import Members, json_object
from lambdas.logline import Line, Write, line
from lambdas.ports import Circumstances, Session
from lambdas.principal import circumstances
from lambdas.resuming import demand_resume
from lambdas.sessions.answers import posted, refusal
from lambdas.sessions.describe import session_members
from lambdas.sessions.lifecycle import next_spare
from lambdas.sessions.service import Service
from lambdas.sessions.tokens import SIGNED_SECONDS, signed
from lambdas.stream import Attached, attached, mapping
from lambdas.terminating import begin_end, conclude

_MEMBERS = frozenset({"action", "SessionId", "RequestId"})


@dataclass(frozen=True, slots=True)
class Frame:
    """One JSON frame: on whose connection it came, by which route, and what it says."""

    attached: Attached
    route: str
    body: str
    about: Circumstances

    @property
    def session_id(self) -> str:
        return self.attached.session_id


Reply = Callable[[Mapping[str, object]], None]
Route = Callable[[Service, Frame, Reply], None]


def serve_frame(service: Service, event: Mapping[str, object], write: Write) -> dict[str, object]:
    """Answers one JSON frame. API Gateway is told 200 anyway: the answer is what was posted."""
    with line("sessions", write) as log:
        try:
            frame = _frame(event)
        except HatchwayError as error:  # no connection, or one that nobody vouches for
            log.refused(error)
            trail.record_frame(event, error)
            return {"statusCode": error.status}
        log.note(route=frame.route, session=frame.session_id)
        _answer(service, frame, log)
        trail.record_frame(event, log.error)
    return {"statusCode": 200}


def _answer(service: Service, frame: Frame, log: Line) -> None:
    members: dict[str, object] = {"action": frame.route}

    def reply(more: Mapping[str, object]) -> None:
        text = json.dumps({**members, **more}, separators=(",", ":"))
        log.note(posted=posted(service.clients, frame.attached.connection, text))

    try:
        said = _checked(frame)
        request_id = said.text("RequestId", api.MAX_REQUEST_ID, default="")
        members |= {"RequestId": request_id} if request_id else {}
        _require_own(said, frame)
        ROUTES[frame.route](service, frame, reply)
    except Exception as error:
        reply(refusal(error, log))


# --- reading ------------------------------------------------------------------------------------


def _frame(event: Mapping[str, object]) -> Frame:
    context = mapping(event.get("requestContext"))
    route, body = context.get("routeKey"), event.get("body")
    return Frame(
        attached=attached(event),
        route=route if isinstance(route, str) else "",
        body=body if isinstance(body, str) else "",
        about=circumstances(mapping(context.get("identity"))),
    )


def _checked(frame: Frame) -> Members:
    """The members of a frame that has a route."""
    if len(frame.body) > api.MAX_FRAME_BYTES:
        raise ValidationException(f"A frame is at most {api.MAX_FRAME_BYTES} bytes.")
    if frame.route not in ROUTES:
        raise ValidationException("There is no such action.")
    members = Members(json_object(frame.body))
    if not members.values.keys() <= _MEMBERS or members.values.get("action") != frame.route:
        raise ValidationException("A frame has action, SessionId and RequestId, and nothing else.")
    return members


def _require_own(members: Members, frame: Frame) -> None:
    named = members.text("SessionId", api.SESSION_ID.most, default=frame.session_id)
    if named != frame.session_id:
        raise AccessDeniedException("The connection is for another session.")


# --- routes -------------------------------------------------------------------------------------


def _session(service: Service, frame: Frame) -> Session:
    """The connection's session; a connection that was taken over has no say any more."""
    session = service.sessions.get(frame.session_id)
    if session is None:
        raise DoesNotExistException()
    if session.generation != frame.attached.generation:
        raise AccessDeniedException("Another client has taken the session over.")
    return session


def _ping(service: Service, frame: Frame, reply: Reply) -> None:
    reply({})


def _describe(service: Service, frame: Frame, reply: Reply) -> None:
    reply(session_members(_session(service, frame)))


def _resume(service: Service, frame: Frame, reply: Reply) -> None:
    """The owner's permission as it is now: it may have been taken away since the session began. It
    is asked again when the token is used.

    API Gateway's own check is not made here, so what it alone sees (MFA, address, age of the
    credentials) holds for this address and so long after it was last made; then the owner signs
    ResumeSession.
    """
    session = _session(service, frame)
    if service.clock() - signed(session) >= SIGNED_SECONDS:
        raise AccessDeniedException("It is too long since the owner signed: use ResumeSession.")
    if not frame.about.source_ip:
        raise AccessDeniedException("The connection's address is not known.")
    demand_resume(service, session, frame.about)
    reply(next_spare(service, session, frame.about.source_ip))


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
