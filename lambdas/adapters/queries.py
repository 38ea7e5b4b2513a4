"""DescribeSessions over the indexes: which one a query reads, and what is left to filter."""

from __future__ import annotations

import re

from hatchway.core.errors import InvalidNextToken
from hatchway.core.lifecycle import ENDED
from lambdas.adapters import items, paging
from lambdas.adapters.dynamodb import Filters, Index
from lambdas.adapters.retention import place_of
from lambdas.ports import Session, SessionQuery

ACTIVE = Index(1, items.ACTIVE)
LINGERING = Index(3, items.LINGERING)
#: What the place in a token looks like: a session's, a node's.
PLACE = re.compile(r"[0-9]{11}\.[0-9]{7}#[A-Za-z0-9_+=,.@-]{1,82}\Z")
NAME = re.compile(r"[A-Za-z0-9-]{1,64}\Z")


def on_node(node_id: str) -> Index:
    """The sessions of a node that are not ended."""
    return Index(3, f"TARGET#{node_id}")


def plan(query: SessionQuery, now: float) -> tuple[Index, Filters]:
    """The index that reads least for a query, with the query's filters that it leaves."""
    kind = items.ACTIVE if query.active else items.HISTORY
    index = Index(1, kind)
    wanted = {"target": query.target, "owner_arn": query.owner_arn, "status": query.status}
    if query.active and query.target:
        index = on_node(wanted.pop("target"))
    elif query.owner_arn and not query.active:
        index = Index(2, f"OWNER#{wanted.pop('owner_arn')}")
        wanted["gsi1pk"] = kind
    wanted = {name: value for name, value in wanted.items() if value}
    terms = [f"#{name} = :{name}" for name in wanted]
    values: items.Item = {f":{name}": {"S": value} for name, value in wanted.items()}
    if not query.active:
        terms.append("forgotten > :now")
        values[":now"] = {"N": repr(now)}
    names = {f"#{name}": name for name in wanted}
    return index, Filters(span(query), " AND ".join(terms), names, values)


def span(query: SessionQuery) -> tuple[str, str]:
    """The first and last place; ":" sorts behind every digit, a bare time before its sessions."""
    high = f"{query.invoked_before:019.7f}" if query.invoked_before else ":"
    return f"{query.invoked_after:019.7f}", high


def matches(session: Session, query: SessionQuery) -> bool:
    """The same for one session that is at hand."""
    low, high = span(query)
    return (
        (session.status not in ENDED) is query.active
        and low <= place_of(session) <= high
        and query.target in ("", session.target)
        and query.owner_arn in ("", session.owner_arn)
        and query.status in ("", session.status)
    )


def place(token: str, scope: str, shape: re.Pattern[str]) -> str:
    """The place in a token, "" for none; InvalidNextToken where it has not that shape."""
    found = paging.place(token, scope)
    if found and not shape.match(found):
        raise InvalidNextToken()
    return found


def token(after: str, scope: str) -> str:
    """The token for going on behind a place, "" at the end."""
    return paging.issue(scope, after) if after else ""
