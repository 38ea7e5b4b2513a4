"""What the handlers of this family work with: the ports and the deployment's own facts."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.documents.floor import NO_FLOOR, Floor
from hatchway.core.recording import Mode
from lambdas import quotas
from lambdas.destinations import Allowed
from lambdas.opinion import SecondOpinion
from lambdas.ports import (
    Clients,
    Clock,
    Directory,
    DocumentStore,
    Downlink,
    Encryption,
    Instances,
    LifecycleConnections,
    Limits,
    NodeStore,
    Policies,
    Presence,
    Random,
    Recordings,
    Roles,
    SessionStore,
    TrailLog,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`stream_url` is what clients connect to; `channel_role_id` is the agents' own role;
    `paths_decoded` says that the gateway resolves escapes in paths, as API Gateway does not;
    `visitors` is None where the deployment has no lifecycle connections."""

    sessions: SessionStore
    nodes: NodeStore
    clients: Clients
    downlink: Downlink
    presence: Presence
    instances: Instances
    roles: Roles
    policies: Policies
    directory: Directory
    documents: DocumentStore
    recordings: Recordings
    encryption: Encryption
    allowed: Allowed
    clock: Clock
    random: Random
    stage: str
    region: str
    stream_url: str
    channel_role_id: str
    limits: Limits = quotas.DEFAULTS
    paths_decoded: bool = False
    second: SecondOpinion | None = None
    floor: Floor = NO_FLOOR
    visitors: LifecycleConnections | None = None
    recording: Mode = Mode.BESIDE
    trail: TrailLog | None = None
