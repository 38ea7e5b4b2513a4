"""DescribeSessions and GetSession: sessions as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from hatchway.core import api, documents, names
from hatchway.core.errors import DoesNotExistException, InvalidFilterKey, ValidationException
from lambdas.access import Access
from lambdas.ports import Session, SessionPage, SessionQuery
from lambdas.request import Request
from lambdas.sessions.service import Service

DEFAULT_PAGE = 50
_STANDARD = "Standard"  # access on request is not there yet, so all access is standing


def describe_sessions(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    access.demand(api.DESCRIBE_SESSIONS.action, "*")
    filters = _filters(request.texts("Filter"))
    query = _query(request, filters)
    wanted = filters.get("AccessType", _STANDARD) == _STANDARD
    page = service.sessions.query(query) if wanted else SessionPage(sessions=())
    answer: dict[str, object] = {"Sessions": [session_members(s) for s in page.sessions]}
    return answer | ({"NextToken": page.next_token} if page.next_token else {})


def get_session(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    access.demand(api.GET_SESSION.action, "*")
    session = service.sessions.get(names.session_id(request.text("SessionId")))
    if session is None:
        raise DoesNotExistException()
    return session_members(session)


def session_members(session: Session) -> Mapping[str, object]:
    """An element of `Sessions`; members without a value are left out."""
    members: dict[str, object] = {
        "SessionId": session.session_id,
        "Target": session.target,
        "Status": session.status.value,
        "StartDate": session.started,
        "EndDate": session.ended or None,
        "DocumentName": session.document_name,
        "Owner": session.owner_arn,
        "Reason": session.reason or None,
        "MaxSessionDuration": documents.max_session_duration(session.document) or None,
        "AccessType": _STANDARD,
        "EndReason": session.end_reason or None,
        "ExitCode": session.exit_code,
    }
    return {name: value for name, value in members.items() if value is not None}


def _filters(texts: tuple[str, ...]) -> Mapping[str, str]:
    filters: dict[str, str] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in api.FILTER_KEYS:
            raise InvalidFilterKey(f"A filter key is one of {', '.join(api.FILTER_KEYS)}.")
        if key in filters:
            raise ValidationException(f"The filter {key} is there twice.")
        filters[key] = value
    return filters


def _query(request: Request, filters: Mapping[str, str]) -> SessionQuery:
    query = SessionQuery(
        active=request.text("State") == "Active",
        max_results=request.number("MaxResults", DEFAULT_PAGE),
        next_token=request.text("NextToken"),
        owner_arn=filters.get("Owner", ""),
        status=_one_of("Status", api.STATUS.choices, filters),
        invoked_after=_moment("InvokedAfter", filters),
        invoked_before=_moment("InvokedBefore", filters),
    )
    _one_of("AccessType", api.ACCESS_TYPE.choices, filters)
    if "Target" in filters:
        query = replace(query, target=names.node_id(filters["Target"]))
    if "SessionId" in filters:
        query = replace(query, session_id=names.session_id(filters["SessionId"]))
    return query


def _one_of(key: str, choices: tuple[str, ...], filters: Mapping[str, str]) -> str:
    value = filters.get(key, "")
    if value and value not in choices:
        raise ValidationException(f"The filter {key} is one of {', '.join(choices)}.")
    return value


def _moment(key: str, filters: Mapping[str, str]) -> float:
    """Systems Manager writes these filters as 2018-08-29T00:00:00Z."""
    if key not in filters:
        return 0.0
    try:
        found = datetime.fromisoformat(filters[key])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValidationException(
            f"The filter {key} is a time such as 2018-08-29T00:00:00Z."
        ) from None
