"""Events of nodes that came or went."""

from __future__ import annotations

from lambdas.details.text import moment, plain
from lambdas.details.told import Detail, Told, head
from lambdas.ports import Node

__all__ = ["NODE_CHANGE", "node_change"]

NODE_CHANGE = "Node State Change"


def node_change(stage: str, old: Node | None, new: Node) -> Told | None:
    """The event of a node that came or went; None for any other change."""
    if new.online == (old is not None and old.online):
        return None
    detail: Detail = {
        **head(stage, f"{new.node_id}/{new.version}", new.last_seen),
        "nodeId": new.node_id,
        "name": new.name,
        "status": "online" if new.online else "offline",
        "agentVersion": new.agent_version,
        "summary": plain(_summary(stage, new)),
    }
    return Told(NODE_CHANGE, detail, new.last_seen)


def _summary(stage: str, new: Node) -> str:
    name = f" ({new.name})" if new.name else ""
    state = "online" if new.online else "offline"
    return f"Hatchway {stage}: node {new.node_id}{name} is {state}, {moment(new.last_seen)}."
