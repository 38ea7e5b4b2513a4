"""Nodes and node roles in memory, under the same conditions as the table's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock

from lambdas.adapters import paging
from lambdas.ports import Node, NodePage, NodeRole, Stale

#: As DynamoDB has it.
MOST_AT_ONCE = 100


class MemoryNodes:
    """The port NodeStore. `changes` holds each node write as (old, new), like a stream."""

    def __init__(self) -> None:
        self.changes: list[tuple[Node | None, Node]] = []
        self._lock = Lock()
        self._nodes: dict[str, Node] = {}
        self._roles: dict[str, NodeRole] = {}

    def get(self, node_id: str) -> Node | None:
        return self._nodes.get(node_id)

    def get_all(self, node_ids: Sequence[str]) -> Mapping[str, Node]:
        if len(node_ids) > MOST_AT_ONCE:
            raise ValueError(f"at most {MOST_AT_ONCE} nodes are read at once")
        return {name: self._nodes[name] for name in node_ids if name in self._nodes}

    def create(self, node: Node) -> Node:
        with self._lock:
            if node.node_id in self._nodes:
                raise Stale()
            return self._write(None, replace(node, version=1))

    def update(self, read: Node, changed: Node) -> Node:
        if read.node_id != changed.node_id:
            raise ValueError("a node keeps its id")
        with self._lock:
            stored = self._nodes.get(read.node_id)
            if stored is None or stored.version != read.version:
                raise Stale()
            return self._write(stored, replace(changed, version=read.version + 1))

    def list(self, max_results: int, next_token: str = "") -> NodePage:
        paging.check_size(max_results)
        after = paging.place(next_token, "nodes")
        rest = [self._nodes[i] for i in sorted(self._nodes) if i > after]
        found = tuple(rest[:max_results])
        more = paging.issue("nodes", found[-1].node_id) if len(rest) > max_results else ""
        return NodePage(nodes=found, next_token=more)

    def role(self, role_id: str) -> NodeRole | None:
        return self._roles.get(role_id)

    def put_role(self, role: NodeRole) -> None:
        self._roles[role.role_id] = role

    def remove_role(self, role_id: str) -> None:
        self._roles.pop(role_id, None)

    def roles(self) -> Sequence[NodeRole]:
        return tuple(self._roles[i] for i in sorted(self._roles))

    def _write(self, old: Node | None, new: Node) -> Node:
        self._nodes[new.node_id] = new
        self.changes.append((old, new))
        return new
