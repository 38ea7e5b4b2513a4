"""Which node a person means: an id, a Name, or `tag:key=value`; exactly one, or an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hatchway.client.records import Node
from hatchway.core.errors import TargetAmbiguous, TargetUnknown, ValidationException
from hatchway.core.names import node_id
from hatchway.core.screen import printable

#: How many matches an error lists.
MAX_LISTED = 10


def resolve(target: str, nodes: Callable[[], Iterable[Node]]) -> str:
    """The node id. An id is taken as it is, without a look at the list of nodes."""
    try:
        return node_id(target)
    except ValidationException:
        matches = [node for node in nodes() if _meant(target, node)]
    if not matches:
        raise TargetUnknown(f"No node has {_said(target)}.")
    if len(matches) > 1:
        listed = ", ".join(_described(node) for node in matches[:MAX_LISTED])
        more = f", and {len(matches) - MAX_LISTED} more" if len(matches) > MAX_LISTED else ""
        raise TargetAmbiguous(f"{len(matches)} nodes have {_said(target)}: {listed}{more}.")
    return matches[0].node_id


def _meant(target: str, node: Node) -> bool:
    if target.startswith("tag:") and "=" in target:
        key, value = target[len("tag:") :].split("=", 1)
        return node.tags.get(key) == value
    return node.name == target


def _said(target: str) -> str:
    if target.startswith("tag:") and "=" in target:
        return f"the tag {printable(target[len('tag:') :])}"
    return f"the id or Name {printable(target)}"


def _described(node: Node) -> str:
    about = [text for text in (node.name, node.ping_status) if text]
    return f"{node.node_id} ({printable(', '.join(about))})" if about else node.node_id
