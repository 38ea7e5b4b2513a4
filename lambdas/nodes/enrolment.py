"""Is the caller the instance that it says it is, and the one that enrolled? EC2 and the stored
secret decide; what the caller says of itself is only noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hatchway.core.errors import ConflictException, HatchwayError, NodeRefused
from lambdas.edge import Call
from lambdas.identity import enrolment_digest, proves
from lambdas.ports import Clock, InstanceFacts, Instances, Node, NodeStore, Stale

#: How often an enrolment is tried while others change the same node.
ATTEMPTS = 5


class EnrolmentRefused(NodeRefused):
    """The node has enrolled with another secret; an administrator can reset it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What an agent says in a `channel` call."""

    secret: str
    agent_version: str
    agent_instance: str
    platform: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Admits instances, and keeps what is known of their nodes. `registered_only`: a node enrols
    with the secret whose digest an administrator gave beforehand, and with no other."""

    nodes: NodeStore
    instances: Instances
    clock: Clock
    registered_only: bool = False

    def identify(self, call: Call) -> tuple[str, str, InstanceFacts]:
        """The node, the id of its role, and what EC2 says of it; NodeRefused unless all of it
        agrees: a role on the allow list, a session named as EC2 names them, the instance running
        with a profile that holds this very role."""
        node, role = call.node_id, call.caller.role_id
        if not role or call.caller.userid != f"{role}:{node}":
            raise NodeRefused()
        if self.nodes.role(role) is None:
            raise NodeRefused("The role is not on the list of node roles.")
        facts = self.instances.facts(node)
        if facts is None or not facts.running or not facts.profile_arn:
            raise NodeRefused("EC2 does not know this instance as a running one with a profile.")
        if self.instances.profile_role(facts.profile_arn) != role:
            raise NodeRefused("The instance runs with another role.")
        return node, role, facts

    def enrol(self, node_id: str, role_id: str, facts: InstanceFacts, claim: Claim) -> Node:
        """The node's record with the claim noted; EnrolmentRefused for another secret than the
        one that came first. The same secret again is harmless."""
        digest = enrolment_digest(claim.secret)

        def noted(node: Node) -> Node:
            if node.enrolment and not proves(node, claim.secret):
                raise EnrolmentRefused()
            if not node.enrolment and self.registered_only:
                raise NodeRefused("Nodes are registered by an administrator before they enrol.")
            return replace(
                node,
                role_id=role_id,
                enrolment=digest,
                name=facts.tags.get("Name", ""),
                tags=dict(facts.tags),
                agent_version=claim.agent_version,
                agent_instance=claim.agent_instance,
                platform=claim.platform,
            )

        return change_node(
            self.nodes, node_id, noted, new=Node(node_id=node_id, last_seen=self.clock())
        )


def change_node(
    nodes: NodeStore, node_id: str, plan: Callable[[Node], Node], new: Node | None = None
) -> Node:
    """Applies `plan` to the node, or to `new` where there is none; again while others are faster.

    ConflictException after ATTEMPTS lost races, NodeUnknown where there is no node and no `new`.
    """
    for _ in range(ATTEMPTS):
        read = nodes.get(node_id)
        before = read if read is not None else new
        if before is None:
            raise NodeUnknown()
        planned = plan(before)
        if read is not None and planned == read:
            return read
        try:
            return nodes.create(planned) if read is None else nodes.update(read, planned)
        except Stale:
            continue
    raise ConflictException()


class NodeUnknown(HatchwayError):
    """There is no record of the node."""

    code = "NodeUnknown"
    status = 404
    fault = "client"
