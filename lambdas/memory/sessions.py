"""Sessions, tokens and connections in memory, under the same conditions as the table's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from threading import Lock

from hatchway.core.errors import IdempotentParameterMismatch, InvalidNextToken
from hatchway.core.lifecycle import ENDED
from hatchway.core.names import Owner
from lambdas import quotas
from lambdas.adapters import paging
from lambdas.adapters.retention import HISTORY, forgotten_at, place_of
from lambdas.ports import (
    Clock,
    Connection,
    Count,
    Limits,
    Request,
    Session,
    SessionPage,
    SessionQuery,
    Stale,
    Token,
)

#: Sessions in a page of `active`.
ACTIVE_PAGE = 100


class MemorySessions:
    """The port SessionStore. `changes` holds each session write as (old, new), like a stream."""

    def __init__(self, clock: Clock, history: float = HISTORY) -> None:
        self.changes: list[tuple[Session | None, Session]] = []
        self._clock = clock
        self._history = history
        self._lock = Lock()
        self._sessions: dict[str, Session] = {}
        self._tokens: dict[str, Token] = {}
        self._requests: dict[tuple[str, str], Request] = {}
        self._connections: dict[str, Connection] = {}
        self._counts: dict[str, Count] = {}
        self._starts: dict[str, int] = {}
        self._questions: dict[str, int] = {}

    def create(
        self,
        session: Session,
        token: Token,
        request: Request | None,
        limits: Limits | None = None,
    ) -> Session:
        with self._lock:
            earlier = self._earlier(request)
            if earlier is not None:
                self._add_token(replace(token, session_id=earlier.session_id))
                return earlier
            if session.session_id in self._sessions:
                raise Stale()
            self._check_room(session, limits)
            self._add_token(token)
            if request is not None:
                self._requests[request.owner.key, request.token] = request
            self._count(session, 1)
            return self._write(None, replace(session, version=1))

    def get(self, session_id: str) -> Session | None:
        session = self._sessions.get(session_id)
        return session if session is not None and self._remembered(session) else None

    def update(self, read: Session, changed: Session) -> Session:
        if read.session_id != changed.session_id:
            raise ValueError("a session keeps its id")
        with self._lock:
            stored = self._sessions.get(read.session_id)
            if stored is None or stored.version != read.version:
                raise Stale()
            if changed.status in ENDED and stored.status not in ENDED:
                self._count(stored, -1)
            return self._write(stored, replace(changed, version=read.version + 1))

    def count_start(self, owner: Owner, most: int) -> None:
        with self._lock:
            name, _ = quotas.window(owner, self._clock())
            if self._starts.get(name, 0) >= most:
                raise quotas.too_fast(most)
            self._starts[name] = self._starts.get(name, 0) + 1

    def count_question(self, owner: Owner, most: int) -> None:
        with self._lock:
            name, _ = quotas.window(owner, self._clock())
            if self._questions.get(name, 0) >= most:
                raise quotas.too_many_questions(most)
            self._questions[name] = self._questions.get(name, 0) + 1

    def counts(self) -> Sequence[Count]:
        return list(self._counts.values())

    def recount(self, read: Count, sessions: int) -> bool:
        with self._lock:
            stored = self._counts.get(read.name)
            if (stored.changed if stored is not None else 0.0) != read.changed:
                return False
            if sessions or stored is None:
                changed = read.changed or self._clock()
                self._counts[read.name] = replace(read, sessions=sessions, changed=changed)
            else:
                del self._counts[read.name]
            return True

    def query(self, query: SessionQuery) -> SessionPage:
        paging.check_size(query.max_results)
        scope = json.dumps(asdict(replace(query, max_results=1, next_token="")))
        newest = sorted(self._all(lambda s: _matches(s, query)), key=place_of, reverse=True)
        after = _after(query.next_token, scope)
        rest = [s for s in newest if not after or place_of(s) < after]
        return _page(rest, query.max_results, scope)

    def active_on(self, node_id: str) -> Sequence[Session]:
        return self._all(lambda s: s.target == node_id and s.status not in ENDED)

    def active(self, next_token: str = "") -> SessionPage:
        oldest = sorted(self._all(lambda s: s.status not in ENDED), key=place_of)
        after = _after(next_token, "active")
        return _page([s for s in oldest if place_of(s) > after], ACTIVE_PAGE, "active")

    def lingering(self, most: int) -> Sequence[Session]:
        found = self._all(lambda s: s.status in ENDED and bool(s.connection))
        return sorted(found, key=place_of)[:most]

    def add_token(self, token: Token) -> None:
        with self._lock:
            self._add_token(token)

    def use_token(self, digest: str, connection: str, now: float) -> Token | None:
        if not connection:
            raise ValueError("a token is bound to a connection")
        with self._lock:
            token = self._tokens.get(digest)
            if token is None or token.expires <= now:
                return None
            if token.connection not in ("", connection) and not token.spare:
                return None
            self._tokens[digest] = replace(token, connection=connection)
            return self._tokens[digest]

    def add_connection(self, connection: Connection) -> None:
        self._connections[connection.connection] = connection

    def connection(self, connection: str) -> Connection | None:
        return self._connections.get(connection)

    def remove_connection(self, connection: str) -> None:
        self._connections.pop(connection, None)

    def _check_room(self, session: Session, limits: Limits | None) -> None:
        for which, (name, most) in enumerate(quotas.limited(session, limits)):
            stored = self._counts.get(name)
            if most is not None and stored is not None and stored.sessions >= most:
                raise quotas.exceeded(which, limits)

    def _count(self, session: Session, by: int) -> None:
        for name in quotas.names(session):
            stored = self._counts.get(name)
            sessions = (stored.sessions if stored is not None else 0) + by
            self._counts[name] = Count(name=name, sessions=sessions, changed=self._clock())

    def _earlier(self, request: Request | None) -> Session | None:
        if request is None:
            return None
        known = self._requests.get((request.owner.key, request.token))
        if known is None or known.expires <= self._clock():
            return None
        if known.fingerprint != request.fingerprint:
            raise IdempotentParameterMismatch()
        session = self.get(known.session_id)
        if session is None:
            raise Stale()
        return session

    def _add_token(self, token: Token) -> None:
        if token.digest in self._tokens:
            raise Stale()
        self._tokens[token.digest] = token

    def _write(self, old: Session | None, new: Session) -> Session:
        self._sessions[new.session_id] = new
        self.changes.append((old, new))
        return new

    def _all(self, wanted: Callable[[Session], bool]) -> list[Session]:
        return [s for s in list(self._sessions.values()) if self._remembered(s) and wanted(s)]

    def _remembered(self, session: Session) -> bool:
        until = forgotten_at(session, self._history)
        return until is None or until > self._clock()


def _matches(session: Session, query: SessionQuery) -> bool:
    return (
        (session.status not in ENDED) is query.active
        and query.target in ("", session.target)
        and query.owner_arn in ("", session.owner_arn)
        and query.status in ("", session.status)
        and query.session_id in ("", session.session_id)
        and session.started >= query.invoked_after
        and (not query.invoked_before or session.started < query.invoked_before)
    )


def _after(token: str, scope: str) -> str:
    place = paging.place(token, scope)
    if place and "#" not in place:
        raise InvalidNextToken()
    return place


def _page(rest: Sequence[Session], size: int, scope: str) -> SessionPage:
    found = tuple(rest[:size])
    more = paging.issue(scope, place_of(found[-1])) if len(rest) > size else ""
    return SessionPage(sessions=found, next_token=more)
