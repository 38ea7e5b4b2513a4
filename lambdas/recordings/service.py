"""What the handlers of this family work with."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.opinion import SecondOpinion
from lambdas.ports import (
    Archive,
    Clock,
    Instances,
    NodeStore,
    PassedLog,
    Policies,
    PublicKeys,
    SessionStore,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`passed` is the log that the archive reads too; `channel_role_id` the agents'."""

    sessions: SessionStore
    nodes: NodeStore
    instances: Instances
    policies: Policies
    archive: Archive
    passed: PassedLog
    keys: PublicKeys
    clock: Clock
    region: str
    channel_role_id: str
    paths_decoded: bool = False
    second: SecondOpinion | None = None
