"""What the handlers need from the world, as Protocols and plain records; no AWS types here.

`adapters/` implements each over AWS, `memory/` in memory; a contract test holds both to the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hatchway.core.errors import ConflictException, ThrottlingException
from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner

if TYPE_CHECKING:  # most families decide nothing, and start the faster without it
    from hatchway.core.policy import AccessRequest, Outcome


class Stale(ConflictException):
    """The record changed since it was read; read again."""


# --- records ------------------------------------------------------------------------------------


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
    """

    session_id: str
    target: str
    owner: Owner
    owner_arn: str
    status: Status
    started: float
    document_name: str
    document: str  # the resolved session document, JSON
    reason: str = ""
    ended: float = 0.0
    end_reason: str = ""
    exit_code: int | None = None
    generation: int = 0
    connection: str = ""
    agent_instance: str = ""
    activity: float = 0.0
    status_since: float = 0.0
    about: Circumstances | None = None
    document_named: bool = False
    access_ends: float = 0.0
    proven: float = 0.0
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
    `source_ip` is the only address that it opens a connection from, "" for any."""

    digest: str
    session_id: str
    expires: float
    connection: str = ""
    source_ip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client's WebSocket connection."""

    connection: str
    session_id: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What is known of a node. `enrolment` is the SHA-256 of its secret or "".

    `presence_version` and `presence_session` order IoT's presence events.
    """

    node_id: str
    role_id: str = ""
    enrolment: str = ""
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    agent_version: str = ""
    agent_instance: str = ""
    platform: str = ""
    online: bool = False
    last_seen: float = 0.0
    online_since: float = 0.0
    presence_session: str = ""
    presence_version: int = -1
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """The end of one connection of a node's control channel, as IoT's presence names it."""

    node_id: str
    presence_session: str
    presence_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRole:
    """An instance role whose nodes may enrol."""

    role_id: str
    role_arn: str


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
class NodePage:
    """A page of nodes, and where the next one begins ("" at the end)."""

    nodes: Sequence[Node]
    next_token: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """What EC2 says of an instance. `profile_arn` is "" where it has no instance profile."""

    node_id: str
    running: bool
    profile_arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One version of a secret; the key id goes with whatever was made with it."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Temporary credentials; `expiration` in unix seconds."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """A policy as IAM has it: where it hangs, its name, its JSON text."""

    source: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalPolicies:
    """All that IAM says of a principal. `tags` is None where unknown (role sessions)."""

    identity: Sequence[PolicyDocument]
    boundaries: Sequence[PolicyDocument] = ()
    tags: Mapping[str, str] | None = None
    role_arn: str = ""  # of a role session: its role, with the path that the session's ARN lacks


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPrincipal:
    """A user or role that IAM knows; `session` names one session of a role, "" any of them."""

    arn: str
    name: str
    user_id: str = ""  # of a user
    role_id: str = ""  # of a role
    session: str = ""

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalPage:
    """A page of users and roles, and where the next one begins ("" at the end)."""

    principals: Sequence[KnownPrincipal]
    next_token: str = ""


# --- ports --------------------------------------------------------------------------------------


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

    def add_token(self, token: Token) -> None: ...

    def use_token(self, digest: str, connection: str, now: float) -> Token | None:
        """Binds an unexpired token to its first connection, once; the same connection again is
        answered alike (a retry). None for an unknown, expired or used one."""
        ...

    def add_connection(self, connection: Connection) -> None: ...

    def connection(self, connection: str) -> Connection | None: ...

    def remove_connection(self, connection: str) -> None: ...


class NodeStore(Protocol):
    """Nodes and the roles that may enrol them."""

    def get(self, node_id: str) -> Node | None: ...

    def create(self, node: Node) -> Node:
        """Stale if it exists."""
        ...

    def update(self, read: Node, changed: Node) -> Node:
        """Stale if the stored version is not `read`'s."""
        ...

    def list(self, max_results: int, next_token: str = "") -> NodePage: ...

    def role(self, role_id: str) -> NodeRole | None: ...

    def put_role(self, role: NodeRole) -> None: ...

    def remove_role(self, role_id: str) -> None: ...

    def roles(self) -> Sequence[NodeRole]: ...


class Clients(Protocol):
    """API Gateway's @connections."""

    def post(self, connection: str, text: str) -> bool:
        """False when the connection is gone (410); ThrottlingException on 429."""
        ...

    def close(self, connection: str, young: bool = False) -> None:
        """Closes it; silent when it is gone already. `young` says that `$connect` may not have
        returned, and that long the connection looks gone: it is tried again for two seconds."""
        ...


class Downlink(Protocol):
    """IoT Core, towards a node."""

    def hint(self, node_id: str, session_id: str) -> None:
        """A hint on the control topic; a failure is logged, never raised: hints may be lost."""
        ...

    def data(self, node_id: str, session_id: str, sealed: bytes) -> None: ...


class Presence(Protocol):
    """IoT Core's connections."""

    def disconnect(self, client_id: str) -> None: ...

    def endpoint(self) -> str:
        """The account's data endpoint (host, or host:port), read once."""
        ...


class Later(Protocol):
    """A second look at a node that went: some seconds from now, perhaps late, perhaps twice."""

    def look_again(self, gone: Disconnection, seconds: int) -> None:
        """Asks for it, 0 to 900 seconds ahead."""
        ...


class Instances(Protocol):
    """EC2 and its instance profiles."""

    def facts(self, node_id: str) -> InstanceFacts | None:
        """Cached for at most five minutes, for seconds where they decide about access."""
        ...

    def facts_of(self, node_ids: Sequence[str]) -> Mapping[str, InstanceFacts]:
        """The same for many at once; those that EC2 does not know are absent."""
        ...

    def profile_role(self, profile_arn: str) -> str:
        """The role id in an instance profile, or "" ."""
        ...


class Roles(Protocol):
    """IAM roles, for the allow list."""

    def ec2_only(self, role_arn: str) -> NodeRole:
        """The role, if only ec2.amazonaws.com may assume it; ValidationException otherwise."""
        ...


class ChannelCredentials(Protocol):
    """STS."""

    def issue(self, node_id: str, policy: str) -> Credentials:
        """An hour of the channel role, named after the node and cut down by `policy`."""
        ...


class Secrets(Protocol):
    """One secret and its versions in use, read once and again when a key id is unknown."""

    def current(self) -> Secret: ...

    def version(self, key_id: str) -> Secret | None: ...


class Policies(Protocol):
    """IAM's policies of a caller, cached for seconds."""

    def of(self, principal_arn: str, userid: str) -> PrincipalPolicies:
        """AccessDeniedException where the principal is gone or another than `userid` says;
        ThrottlingException where IAM does not answer."""
        ...


class Unreadable(ThrottlingException):
    """IAM has it and did not give it out; it may be that principal alone."""


class Directory(Protocol):
    """IAM's users and roles."""

    def find(self, arn: str) -> KnownPrincipal | None:
        """The user, role or role session of this ARN; None where IAM has none such."""
        ...

    def list(self, max_results: int, next_token: str = "") -> PrincipalPage:
        """Users, then roles; ThrottlingException where IAM does not answer."""
        ...


class Simulator(Protocol):
    """IAM's own evaluation of a user's or role's policies."""

    def simulate(self, source_arn: str, request: AccessRequest) -> Outcome:
        """ThrottlingException where IAM does not answer; cached for seconds."""
        ...


class EventBus(Protocol):
    """EventBridge."""

    def put(self, detail_type: str, detail: Mapping[str, object], time: float) -> None: ...


class Clock(Protocol):
    def __call__(self) -> float:
        """Unix seconds."""
        ...


class Random(Protocol):
    def __call__(self, size: int, /) -> bytes:
        """Unpredictable bytes."""
        ...
