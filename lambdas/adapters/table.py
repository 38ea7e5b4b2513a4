"""Sessions, tokens, connections, nodes and node roles in one DynamoDB table.

Every write of a session or node is conditional on the version read. Readers filter what TTL has
not deleted yet. `items.py` has the keys, `queries.py` the choice of index, `counting.py` how many
sessions there are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from hatchway.core.errors import IdempotentParameterMismatch, ThrottlingException
from hatchway.core.lifecycle import ENDED
from hatchway.core.names import Owner
from lambdas import quotas
from lambdas.adapters import items, paging, queries
from lambdas.adapters.counting import Counts
from lambdas.adapters.dynamodb import FAILED, Index, Table, attempts
from lambdas.adapters.retention import HISTORY, forgotten_at, place_of
from lambdas.ports import (
    Clock,
    Connection,
    Count,
    Limits,
    Node,
    NodePage,
    NodeRole,
    Request,
    Session,
    SessionPage,
    SessionQuery,
    Stale,
    Token,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

#: Sessions in a page of `active`.
ACTIVE_PAGE = 100
#: Most sessions of one node, and most roles on the allow list, that are read at once.
MAX_ACTIVE_ON_NODE = 1000
MAX_ROLES = 1000
#: Items that one read of a filtered query looks at, and reads behind one page.
FILTERED_ITEMS = 200
MAX_READS = 10
#: Attempts at a transaction that meets another on the same items: starts and ends at once all
#: write the account's count.
CREATE_ATTEMPTS = 10
END_ATTEMPTS = 10


class TableSessions:
    """The port SessionStore. `history` is how many seconds an ended session is described."""

    def __init__(
        self,
        table: str,
        clock: Clock = time.time,
        history: float = HISTORY,
        client: DynamoDBClient | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = Table(table, client)
        self._counts = Counts(self._table, clock)
        self._clock = clock
        self._history = history
        self._pause = pause

    def create(
        self,
        session: Session,
        token: Token,
        request: Request | None,
        limits: Limits | None = None,
    ) -> Session:
        first = replace(session, version=1)
        own = [
            self._table.new(items.of_session(first, self._history)),
            self._table.new(items.of_token(token)),
        ]
        if request is not None:
            now = items.number(self._clock())
            own.append(self._table.new(items.of_request(request), "expires <= :now", now=now))
        writes = [*own, *self._counts.start(first, limits)]
        for _ in attempts(CREATE_ATTEMPTS, self._pause):
            reasons = self._table.transact(writes)
            if not reasons:
                return first
            if request is not None and reasons[len(own) - 1] == FAILED:
                return self._repeated(request, token)
            if FAILED in reasons[: len(own)]:
                raise Stale()
            if FAILED in reasons:
                raise quotas.exceeded(reasons.index(FAILED) - len(own), limits)
        raise ThrottlingException()

    def get(self, session_id: str) -> Session | None:
        item = self._table.get(items.key("SESSION", session_id))
        session = items.session_of(item) if item else None
        return session if session is not None and self._remembered(session) else None

    def update(self, read: Session, changed: Session) -> Session:
        if read.session_id != changed.session_id:
            raise ValueError("a session keeps its id")
        written = replace(changed, version=read.version + 1)
        item = items.of_session(written, self._history)
        if changed.status in ENDED and read.status not in ENDED:
            self._end(read, item)
        else:
            self._table.put_version(item, read.version)
        return written

    def _end(self, read: Session, item: items.Item) -> None:
        """The version guards the counts as well: of two ends of one state, one is Stale. Where the
        counts are too hot, it ends without them: the recount puts them right."""
        writes = [self._table.version(item, read.version), *self._counts.end(read)]
        try:
            for _ in attempts(END_ATTEMPTS, self._pause):
                reasons = self._table.transact(writes)
                if not reasons:
                    return
                if FAILED in reasons:
                    raise Stale()
        except ThrottlingException:
            pass
        self._table.put_version(item, read.version)

    def count_start(self, owner: Owner, most: int) -> None:
        self._counts.spend(owner, most)

    def count_question(self, owner: Owner, most: int) -> None:
        self._counts.spend_question(owner, most)

    def counts(self) -> Sequence[Count]:
        return self._counts.all()

    def recount(self, read: Count, sessions: int) -> bool:
        return self._counts.correct(read, sessions)

    def query(self, query: SessionQuery) -> SessionPage:
        paging.check_size(query.max_results)
        scope = json.dumps(asdict(replace(query, max_results=1, next_token="")))
        after = queries.place(query.next_token, scope, queries.PLACE)
        low, high = queries.span(query)
        if low > high or (after and not low <= after <= high):
            return SessionPage(sessions=())
        if query.session_id:
            return self._one(query)
        return self._page(query, scope, after)

    def active_on(self, node_id: str) -> Sequence[Session]:
        found = self._table.all(queries.on_node(node_id), MAX_ACTIVE_ON_NODE)
        return items.sessions_of(found)[0]

    def active(self, next_token: str = "") -> SessionPage:
        after = queries.place(next_token, "active", queries.PLACE)
        found, after = self._table.read(queries.ACTIVE, after, ACTIVE_PAGE)
        sessions, unreadable = items.sessions_of(found)
        token = queries.token(after, "active")
        return SessionPage(sessions=sessions, next_token=token, unreadable=unreadable)

    def lingering(self, most: int) -> Sequence[Session]:
        found, _ = self._table.read(queries.LINGERING, "", most)
        return items.sessions_of(found)[0]

    def add_token(self, token: Token) -> None:
        self._table.put_new(items.of_token(token))

    def use_token(self, digest: str, connection: str, now: float) -> Token | None:
        used = self._table.bind(items.key("TOKEN", digest), connection, now)
        return items.token_of(used) if used is not None else None

    def add_connection(self, connection: Connection) -> None:
        self._table.put(items.of_connection(connection, self._clock()))

    def connection(self, connection: str) -> Connection | None:
        item = self._table.get(items.key("CONNECTION", connection))
        return items.connection_of(item) if item else None

    def remove_connection(self, connection: str) -> None:
        self._table.delete(items.key("CONNECTION", connection))

    def _repeated(self, request: Request, token: Token) -> Session:
        known = self._table.get(items.request_key(request))
        if known is None:
            raise Stale()
        if known["fingerprint"]["S"] != request.fingerprint:
            raise IdempotentParameterMismatch()
        session = self.get(known["session_id"]["S"])
        if session is None:
            raise Stale()
        self.add_token(replace(token, session_id=session.session_id))
        return session

    def _one(self, query: SessionQuery) -> SessionPage:
        session = self.get(query.session_id)
        if session is None or not queries.matches(session, query):
            return SessionPage(sessions=())
        return SessionPage(sessions=(session,))

    def _page(self, query: SessionQuery, scope: str, after: str) -> SessionPage:
        """Reads until the page is full, the index at its end, or MAX_READS spent."""
        index, filters = queries.plan(query, self._clock())
        limit = FILTERED_ITEMS if filters.text else query.max_results
        sessions: list[Session] = []
        for _ in range(MAX_READS):
            found, after = self._table.read(index, after, limit, filters, newest_first=True)
            sessions += [items.session_of(item) for item in found]
            if len(sessions) > query.max_results:
                sessions = sessions[: query.max_results]
                after = place_of(sessions[-1])
            if not after or len(sessions) == query.max_results:
                break
        return SessionPage(sessions=tuple(sessions), next_token=queries.token(after, scope))

    def _remembered(self, session: Session) -> bool:
        until = forgotten_at(session, self._history)
        return until is None or until > self._clock()


class TableNodes:
    """The port NodeStore. Lists are eventually consistent, single reads are not."""

    def __init__(self, table: str, client: DynamoDBClient | None = None) -> None:
        self._table = Table(table, client)

    def get(self, node_id: str) -> Node | None:
        item = self._table.get(items.key("NODE", node_id))
        return items.node_of(item) if item else None

    def get_all(self, node_ids: Sequence[str]) -> Mapping[str, Node]:
        found = self._table.get_all([items.key("NODE", node_id) for node_id in node_ids])
        return {node.node_id: node for node in map(items.node_of, found)}

    def create(self, node: Node) -> Node:
        first = replace(node, version=1)
        self._table.put_new(items.of_node(first))
        return first

    def update(self, read: Node, changed: Node) -> Node:
        if read.node_id != changed.node_id:
            raise ValueError("a node keeps its id")
        written = replace(changed, version=read.version + 1)
        self._table.put_version(items.of_node(written), read.version)
        return written

    def list(self, max_results: int, next_token: str = "") -> NodePage:
        paging.check_size(max_results)
        index = Index(1, items.NODES, "NODE")
        after = queries.place(next_token, "nodes", queries.NAME)
        found, after = self._table.read(index, after, max_results)
        nodes = tuple(items.node_of(item) for item in found)
        return NodePage(nodes=nodes, next_token=queries.token(after, "nodes"))

    def role(self, role_id: str) -> NodeRole | None:
        item = self._table.get(items.key("ROLE", role_id))
        return items.role_of(item) if item else None

    def put_role(self, role: NodeRole) -> None:
        self._table.put(items.of_role(role))

    def remove_role(self, role_id: str) -> None:
        self._table.delete(items.key("ROLE", role_id))

    def roles(self) -> Sequence[NodeRole]:
        index = Index(1, items.ROLES, "ROLE")
        return [items.role_of(item) for item in self._table.all(index, MAX_ROLES)]
