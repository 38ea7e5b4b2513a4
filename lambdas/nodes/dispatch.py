"""Which invoker an event comes from: the agent API, or the rule on IoT's presence topics."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas.edge import serve
from lambdas.logline import Write, line
from lambdas.nodes.handler import Nodes
from lambdas.nodes.presence import PresenceEvents


def dispatch(
    event: Mapping[str, object], nodes: Nodes, presence: PresenceEvents, write: Write
) -> dict[str, object]:
    """The answer to one event; one log line."""
    if "httpMethod" in event:
        return serve("nodes", event, nodes.handle, write)
    with line("nodes", write) as log:
        presence.handle(event, log)
    return {}
