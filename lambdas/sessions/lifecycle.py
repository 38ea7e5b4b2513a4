"""ResumeSession and TerminateSession, and the effects that an end has on both sides."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core import api, names
from hatchway.core.errors import AccessDeniedException, DoesNotExistException
from hatchway.core.lifecycle import ENDED, Event, Status
from hatchway.core.policy import ContextValue
from lambdas.ports import Session
from lambdas.sessions.access import Access
from lambdas.sessions.conditions import tag_context
from lambdas.sessions.principal import Principal
from lambdas.sessions.request import Request
from lambdas.sessions.service import Service
from lambdas.sessions.tokens import make_token, opened
from lambdas.transitions import Change, change, farewell, moved

_RESUME = api.RESUME_SESSION.action
_TERMINATE = api.TERMINATE_SESSION.action


def resume_session(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Another token, for the owner alone."""
    session_id = names.session_id(request.text("SessionId"))
    session = service.sessions.get(session_id)
    permit(service, access, _RESUME, session_id, session)
    if session is None:
        raise DoesNotExistException()
    if session.owner != access.principal.owner:
        raise AccessDeniedException("Only its owner may resume a session.")
    return next_token(service, session)


def next_token(service: Service, session: Session) -> Mapping[str, object]:
    """DoesNotExistException for a session that has ended or is about to."""
    if session.status in ENDED or session.status is Status.TERMINATING:
        raise DoesNotExistException(f"The session is {session.status}.")
    token, record = make_token(service, session.session_id)
    service.sessions.add_token(record)
    return opened(service, session.session_id, token)


def terminate_session(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Ends a session, one's own or another's; one that has ended stays as it is."""
    session_id = names.session_id(request.text("SessionId"))
    session = service.sessions.get(session_id)
    permit(service, access, _TERMINATE, session_id, session)
    if session is None:
        raise DoesNotExistException()
    conclude(service, begin_end(service, session, f"Terminated by {access.principal.arn}"))
    return {"SessionId": session_id}


def begin_end(service: Service, session: Session, reason: str) -> Change:
    """The state first, so that nobody attaches any more."""
    return change(
        service.sessions, session.session_id, lambda read: _ending(service, read, reason), session
    )


def conclude(service: Service, begun: Change) -> None:
    """Then the client's connection, so that no byte enters any more; then the agent is told to
    look. Again where another call has begun the end: its farewell may have been lost."""
    if begun.before.status in ENDED:
        return
    session = begun.after
    farewell(service.clients, session, session.end_reason, service.clock(), service.random)
    service.downlink.hint(session.target, session.session_id)


def _ending(service: Service, session: Session, reason: str) -> Session:
    """Terminating until the agent says that it is over; over at once where no agent can."""
    now = service.clock()
    ending = moved(session, Event.TERMINATE, now, reason=reason)
    if ending.status is not Status.TERMINATING or _agent_runs_it(service, ending):
        return ending
    return moved(ending, Event.NODE_LOST, now, reason=reason)


def _agent_runs_it(service: Service, session: Session) -> bool:
    node = service.nodes.get(session.target)
    return bool(session.agent_instance) and node is not None and node.online


def permit(
    service: Service, access: Access, action: str, session_id: str, session: Session | None
) -> None:
    """AccessDeniedException unless the caller may; a session that is not there has no tags and
    is nobody's, so that it looks like another's."""
    access.demand(
        action,
        session_arn(service, access.principal, session_id),
        _system_tags(session) if session is not None else {},
        foreign=session is None or session.owner != access.principal.owner,
    )


def session_arn(service: Service, principal: Principal, session_id: str) -> str:
    place = principal.place(service.region)
    return f"arn:{place.partition}:ssm:{place.region}:{place.account}:session/{session_id}"


def _system_tags(session: Session) -> dict[str, ContextValue]:
    """The two tags that Systems Manager puts on each session, for conditions on its owner."""
    return tag_context(
        {
            "aws:ssmmessages:session-id": session.owner.userid,
            "aws:ssmmessages:target-id": session.target,
        }
    )
