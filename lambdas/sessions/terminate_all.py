"""TerminateSessions: all sessions of an owner, of a node, or all there are; as many as there is
time for at a call.

All that end are written, and their nodes told to look, before any client is told: what runs ends
however long its client takes to be told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hatchway.core import api, names
from hatchway.core.errors import AccessDeniedException, HatchwayError, ValidationException
from hatchway.core.lifecycle import ENDED
from lambdas.access import Access
from lambdas.ports import Session, SessionQuery
from lambdas.request import Request
from lambdas.resuming import permit
from lambdas.sessions.service import Service
from lambdas.terminating import begin_end
from lambdas.transitions import Change, farewell

#: Sessions read at once, and pages of one call: its answer counts no more.
PAGE = 10
MAX_PAGES = 20
#: Seconds after which a call begins with no other page, and after which it tells no other client:
#: the function has 25, API Gateway waits 29.
BEGIN_BUDGET = 10.0
TELL_BUDGET = 18.0
_ACTION = api.TERMINATE_SESSIONS.action
_TERMINATED, _REFUSED, _FAILED = "Terminated", "Refused", "Failed"


def terminate_sessions(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Each session is asked about by itself, so that nobody ends more by it than one by one."""
    began = service.clock()
    query, role = _wanted(request)
    counts = Counter({_TERMINATED: 0, _REFUSED: 0, _FAILED: 0})
    begun: list[Change] = []
    token = query.next_token
    for _ in range(MAX_PAGES):
        page = service.sessions.query(replace(query, next_token=token))
        for session in page.sessions:
            if session.owner_arn.startswith(role):
                counts[_begin(service, access, session, begun)] += 1
        token = page.next_token
        if not token or service.clock() - began >= BEGIN_BUDGET:
            break
    _tell(service, begun, began + TELL_BUDGET)
    return {**counts} | ({"NextToken": token} if token else {})


def _begin(service: Service, access: Access, session: Session, begun: list[Change]) -> str:
    """What becomes of it. One that has ended meanwhile counts: it is over, as was asked."""
    try:
        permit(service, access, _ACTION, session.session_id, session)
        begun.append(begin_end(service, session, f"Terminated by {access.principal.arn}"))
    except AccessDeniedException:
        return _REFUSED
    except HatchwayError:
        return _FAILED  # the others are ended all the same
    return _TERMINATED


def _tell(service: Service, begun: Sequence[Change], until: float) -> None:
    """One short attempt for each client, waiting for none that only just connects: whoever is left
    hears of it from the agent's end, or is cut off by the sweep."""
    for done in begun:
        now = service.clock()
        if now >= until:
            return
        if done.before.status not in ENDED:
            farewell(service.clients, done.after, done.after.end_reason, now, service.random)


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
