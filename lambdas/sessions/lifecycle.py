"""ResumeSession and TerminateSession, and the permission that both ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hatchway.core import api, names
from hatchway.core.errors import AccessDeniedException, DoesNotExistException
from hatchway.core.lifecycle import ENDED, Status
from hatchway.core.policy import ContextValue
from lambdas.access import Access
from lambdas.conditions import tag_context
from lambdas.ports import Session
from lambdas.principal import Principal
from lambdas.request import Request
from lambdas.sessions.service import Service
from lambdas.sessions.tokens import make_token, opened
from lambdas.terminating import begin_end, conclude
from lambdas.transitions import change

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
    now = service.clock()
    proven = change(
        service.sessions, session_id, lambda read: replace(_require_open(read), proven=now), session
    )
    return next_token(service, proven.after, reconnects=request.flag("Reconnect"))


def _require_open(session: Session) -> Session:
    """DoesNotExistException, with the reason, for a session that has ended or is about to."""
    if session.status in ENDED or session.status is Status.TERMINATING:
        why = f": {session.end_reason}" if session.end_reason else ""
        raise DoesNotExistException(f"The session is {session.status}{why}.")
    return session


def next_token(
    service: Service, session: Session, source_ip: str = "", *, reconnects: bool
) -> Mapping[str, object]:
    """DoesNotExistException for a session that has ended or is about to."""
    _require_open(session)
    token, record = make_token(service, session, source_ip, reconnects=reconnects)
    service.sessions.add_token(record)
    return opened(service, session, token)


def terminate_session(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Ends a session, one's own or another's; one that has ended stays as it is."""
    session_id = names.session_id(request.text("SessionId"))
    session = service.sessions.get(session_id)
    permit(service, access, _TERMINATE, session_id, session)
    if session is None:
        raise DoesNotExistException()
    conclude(service, begin_end(service, session, f"Terminated by {access.principal.arn}"))
    return {"SessionId": session_id}


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
