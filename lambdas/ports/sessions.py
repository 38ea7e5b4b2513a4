"""Sessions, tokens, connections, and where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from hatchway.core.transcript.stated import Stated


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What else is known of a request. `long_term` says that no session credentials signed it."""

    source_ip: str = ""
    user_agent: str = ""
    organisation: str = ""
    long_term: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session. Times are unix seconds; `version` counts writes and guards them.

    `connection` is the attached client's connection id or "", `generation` counts client
    connections, `agent_instance` is the agent process that attached or "".

    `about` is the request that started it, as its conditions were checked, and `document_named`
    says whether that request named the document: None and False for a session that was started
    before they were recorded. `access_ends` is the end of its permission that its client was
    warned of, or 0. `proven` is when its owner last signed a request for a token, at the start or
    to resume it: 0 for a session from before that was recorded.

    `attached` is when the last client attached, `takeovers` how often one took another's place,
    its own program's reconnections left out. `marked` is the number of the last message of its
    client's process that counted as activity, -1 for none. `idle_ends` and `duration_ends` are the
    ends, by idle time and by duration, that somebody was warned of, or 0.

    `spare` is the digest of the one spare token that may still attach a client, or "".
    """

    session_id: str
    target: str
    owner: Owner
    owner_arn: str
    status: Status
    started: float
    document_name: str
    document: str  # the resolved session document, JSON
    document_version: str = ""
    run_as: str = ""  # the operating system user, "" where the document does not ask for run as
    node_name: str = ""  # the node's Name tag at the start
    reason: str = ""
    ended: float = 0.0
    end_reason: str = ""
    exit_code: int | None = None
    stated: Stated | None = None  # how much there was, as the node said at the end
    generation: int = 0
    connection: str = ""
    agent_instance: str = ""
    activity: float = 0.0
    status_since: float = 0.0
    about: Circumstances | None = None
    document_named: bool = False
    access_ends: float = 0.0
    proven: float = 0.0
    attached: float = 0.0
    takeovers: int = 0
    marked: int = -1
    idle_ends: float = 0.0
    duration_ends: float = 0.0
    spare: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Most sessions at once that are not ended, and most starts of one caller in a minute.

    `per_role` is for all sessions of one IAM role together.
    """

    per_user: int
    per_node: int
    per_account: int
    starts_a_minute: int
    per_role: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many sessions of one user, node, account or role the store believes are not ended.

    `name` as in `quotas.names`; `changed` is when a start or an end last wrote it, 0 for a count
    that is missing.
    """

    name: str
    sessions: int
    changed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A one-time token, known by its SHA-256 only. `connection` is set when it was used;
    `source_ip` is the only address that it opens a connection from, "" for any; `reconnects` says
    that a client that was attached asked for it by itself, to go on where it was; `generation` is
    the session's when the token was made: it displaces no client that was attached later.

    A `spare` may be shown by one connection after another until one of them is attached: the
    session knows its only spare, and forgets it then."""

    digest: str
    session_id: str
    expires: float
    connection: str = ""
    source_ip: str = ""
    reconnects: bool = False
    generation: int = 0
    spare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client's WebSocket connection; `reconnects` as its token has it."""

    connection: str
    session_id: str
    generation: int
    reconnects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An idempotent start: the client request token and what it stood for."""

    owner: Owner
    token: str
    fingerprint: str
    session_id: str
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """A page of sessions, newest first, and where the next one begins ("" at the end).

    `unreadable` counts records that could not be read: they are left out, not the others with them.
    """

    sessions: Sequence[Session]
    next_token: str = ""
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """DescribeSessions: active or ended ones, and the filters that the store applies."""

    active: bool
    max_results: int = 50
    next_token: str = ""
    target: str = ""
    owner_arn: str = ""
    status: str = ""
    session_id: str = ""
    invoked_after: float = 0.0
    invoked_before: float = 0.0


class SessionStore(Protocol):
    """Sessions, tokens, connections. Every write is conditional on the state read."""

    def create(
        self,
        session: Session,
        token: Token,
        request: Request | None,
        limits: Limits | None = None,
    ) -> Session:
        """Stores all three at once and counts the session; the session of an equal earlier
        request instead, if any (its token is then stored for that session).
        IdempotentParameterMismatch otherwise; LimitExceededException, which says which and how
        many, where `limits` leave no room."""
        ...

    def get(self, session_id: str) -> Session | None:
        """Consistent read."""
        ...

    def update(self, read: Session, changed: Session) -> Session:
        """Writes `changed` if the stored version is still `read`'s; Stale otherwise. The write
        that ends a session counts it out, so that it is counted out exactly once."""
        ...

    def count_start(self, owner: Owner, most: int) -> None:
        """Counts a start of `owner`'s in this minute; ThrottlingException beyond `most`."""
        ...

    def count_question(self, owner: Owner, most: int) -> None:
        """The same for requests that have EC2 or IAM asked."""
        ...

    def counts(self) -> Sequence[Count]:
        """All counts (eventually consistent)."""
        ...

    def recount(self, read: Count, sessions: int) -> bool:
        """Puts a count right, or forgets it where it is to be 0; False where it changed since
        `read`. A `read` that was missing is made, if it is still missing."""
        ...

    def query(self, query: SessionQuery) -> SessionPage: ...

    def active_on(self, node_id: str) -> Sequence[Session]:
        """All sessions on a node that are not ended (eventually consistent)."""
        ...

    def active(self, next_token: str = "") -> SessionPage:
        """All sessions that are not ended, in pages, oldest first: for the sweeper."""
        ...

    def lingering(self, most: int) -> Sequence[Session]:
        """Some ended sessions that still have a connection, `most` at most (eventually
        consistent): for the sweeper."""
        ...

    def add_token(self, token: Token) -> None: ...

    def use_token(self, digest: str, connection: str, now: float) -> Token | None:
        """Binds an unexpired token to its first connection, once; the same connection again is
        answered alike (a retry). None for an unknown, expired or used one. A spare is bound to
        whichever connection showed it last."""
        ...

    def add_connection(self, connection: Connection) -> None: ...

    def connection(self, connection: str) -> Connection | None: ...

    def remove_connection(self, connection: str) -> None: ...
