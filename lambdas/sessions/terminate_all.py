"""TerminateSessions: all sessions of an owner, of a node, or all there are; a page at a call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from hatchway.core import api, names
from hatchway.core.errors import AccessDeniedException, HatchwayError, ValidationException
from lambdas.access import Access
from lambdas.ports import Session, SessionQuery
from lambdas.request import Request
from lambdas.sessions.lifecycle import permit
from lambdas.sessions.service import Service
from lambdas.terminating import begin_end, conclude

#: Sessions of one call: each takes a handful of AWS calls, and API Gateway waits 29 s.
PAGE = 50
_ACTION = api.TERMINATE_SESSIONS.action
_TERMINATED, _REFUSED, _FAILED = "Terminated", "Refused", "Failed"


def terminate_sessions(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Each session is asked about by itself, so that nobody ends more by it than one by one."""
    query, role = _wanted(request)
    page = service.sessions.query(query)
    counts = Counter({_TERMINATED: 0, _REFUSED: 0, _FAILED: 0})
    for session in page.sessions:
        if session.owner_arn.startswith(role):
            counts[_end(service, access, session)] += 1
    return {**counts} | ({"NextToken": page.next_token} if page.next_token else {})


def _end(service: Service, access: Access, session: Session) -> str:
    """What became of it. One that has ended meanwhile counts: it is over, as was asked."""
    try:
        permit(service, access, _ACTION, session.session_id, session)
        begun = begin_end(service, session, f"Terminated by {access.principal.arn}")
        conclude(service, begun)
    except AccessDeniedException:
        return _REFUSED
    except HatchwayError:
        return _FAILED  # the others are ended all the same
    return _TERMINATED


def _wanted(request: Request) -> tuple[SessionQuery, str]:
    """The sessions meant, and what their owners' ARNs begin with besides."""
    owner, target, every = request.text("Owner"), request.text("Target"), request.flag("All")
    if [bool(owner), bool(target), every].count(True) != 1:
        raise ValidationException("Exactly one of Owner, Target and All (true) is given.")
    role = _role_sessions(owner)
    query = SessionQuery(
        active=True,
        max_results=PAGE,
        next_token=request.text("NextToken"),
        owner_arn="" if role else owner,
        target=names.node_id(target) if target else "",
    )
    return query, role


_ROLE = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/(?P<path>.+)\Z")


def _role_sessions(owner: str) -> str:
    """What the ARNs of a role's sessions begin with, "" where `owner` is no role. A session's ARN
    lacks the role's path; names of roles are unique in an account whatever their paths."""
    role = _ROLE.match(owner)
    if role is None:
        return ""
    name = role["path"].rpartition("/")[2]
    return f"arn:{role['partition']}:sts::{role['account']}:assumed-role/{name}/"
