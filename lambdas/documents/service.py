"""What the handlers of this family work with."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.documents.floor import NO_FLOOR, Floor
from lambdas.catalogue import Catalogue
from lambdas.opinion import SecondOpinion
from lambdas.ports import Clock, DocumentStore, NodeStore, Policies, Reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`floor` is what the deployment demands of every session; `channel_role_id` the agents'."""

    documents: DocumentStore
    nodes: NodeStore
    policies: Policies
    reviews: Reviews
    clock: Clock
    region: str
    channel_role_id: str
    floor: Floor = NO_FLOOR
    second: SecondOpinion | None = None

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(self.documents)
