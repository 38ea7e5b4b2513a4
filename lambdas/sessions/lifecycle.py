"""ResumeSession and TerminateSession."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hatchway.core import api, names
from hatchway.core.errors import AccessDeniedException, DoesNotExistException
from hatchway.core.lifecycle import ENDED, Status
from lambdas.access import Access
from lambdas.ports import Session
from lambdas.request import Request
from lambdas.resuming import permit
from lambdas.sessions.service import Service
from lambdas.sessions.tokens import make_spare, make_token, opened
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


def next_token(service: Service, session: Session, *, reconnects: bool) -> Mapping[str, object]:
    """DoesNotExistException for a session that has ended or is about to."""
    _require_open(session)
    token, record = make_token(service, session, reconnects=reconnects)
    service.sessions.add_token(record)
    return opened(service, session, token)


def next_spare(service: Service, session: Session, source_ip: str) -> Mapping[str, object]:
    """A token for the session's next connection, in place of the spare before it."""
    _require_open(session)
    token, record = make_spare(service, session, source_ip)
    service.sessions.add_token(record)  # opens nothing until the session knows it

    def known(read: Session) -> Session:
        if read.generation != record.generation:
            raise AccessDeniedException("Another client has taken the session over.")
        return replace(_require_open(read), spare=record.digest)

    after = change(service.sessions, session.session_id, known, session).after
    seconds = int(record.expires - service.clock())
    return {**opened(service, after, token), "ExpiresIn": seconds}


def terminate_session(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Ends a session, one's own or another's; one that has ended stays as it is."""
    session_id = names.session_id(request.text("SessionId"))
    session = service.sessions.get(session_id)
    permit(service, access, _TERMINATE, session_id, session)
    if session is None:
        raise DoesNotExistException()
    conclude(service, begin_end(service, session, f"Terminated by {access.principal.arn}"))
    return {"SessionId": session_id}
