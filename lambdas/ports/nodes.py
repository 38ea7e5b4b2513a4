"""Nodes, their roles and credentials, and where they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


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
class NodePage:
    """A page of nodes, and where the next one begins ("" at the end)."""

    nodes: Sequence[Node]
    next_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFacts:
    """What EC2 says of an instance. `profile_arn` is "" where it has no instance profile."""

    node_id: str
    running: bool
    profile_arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Temporary credentials; `expiration` in unix seconds."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: float


class NodeStore(Protocol):
    """Nodes and the roles that may enrol them."""

    def get(self, node_id: str) -> Node | None: ...

    def get_all(self, node_ids: Sequence[str]) -> Mapping[str, Node]:
        """Those of up to a hundred nodes that there are, by their ids."""
        ...

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
