"""Which nodes a command is for: ids, Names, `tag:key=value`, and tags that all must hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hatchway.client.records import Node
from hatchway.client.targets import resolve
from hatchway.core.errors import TargetUnknown, ValidationException
from hatchway.core.screen import printable


def choose(
    targets: Sequence[str], tags: Sequence[str], nodes: Callable[[], Iterable[Node]]
) -> list[Node]:
    """Each target's one node, and all nodes that have every tag (KEY=VALUE); none twice.
    TargetUnknown, TargetAmbiguous, ValidationException."""
    known = list(nodes())
    by_id = {node.node_id: node for node in known}
    chosen = [resolve(target, lambda: known) for target in targets]
    if tags:
        chosen += _tagged(tags, known)
    return [by_id.get(node_id) or _stranger(node_id) for node_id in dict.fromkeys(chosen)]


def _tagged(tags: Sequence[str], known: Iterable[Node]) -> list[str]:
    wanted = [_pair(tag) for tag in tags]
    found = [
        node.node_id for node in known if all(node.tags.get(key) == value for key, value in wanted)
    ]
    if not found:
        raise TargetUnknown(f"No node has {printable(' and '.join(tags))}.")
    return found


def _pair(tag: str) -> tuple[str, str]:
    key, separator, value = tag.partition("=")
    if not separator or not key:
        raise ValidationException("--tag takes KEY=VALUE.")
    return key, value


def _stranger(node_id: str) -> Node:
    """A node that the list does not have: the start says what is the matter with it."""
    return Node(node_id=node_id, name="", ping_status="", agent_version="", last_ping=None, tags={})
