"""Instances and instance profiles in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lambdas.ports import InstanceFacts


class MemoryInstances:
    """The port Instances. `instances` and `profiles` (profile ARN to role id) are the world."""

    def __init__(
        self, *instances: InstanceFacts, profiles: Mapping[str, str] | None = None
    ) -> None:
        self.instances = {facts.node_id: facts for facts in instances}
        self.profiles = dict(profiles or {})

    def facts(self, node_id: str) -> InstanceFacts | None:
        return self.instances.get(node_id)

    def facts_of(self, node_ids: Sequence[str]) -> Mapping[str, InstanceFacts]:
        return {i: self.instances[i] for i in node_ids if i in self.instances}

    def profile_role(self, profile_arn: str) -> str:
        return self.profiles.get(profile_arn, "")
