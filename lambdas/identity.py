"""Who may call a node's routes: the channel role's session of that very node."""

from __future__ import annotations

import hmac

from hatchway.core.errors import NodeRefused
from lambdas.edge import Call


def channel_node(call: Call, channel_role_id: str) -> str:
    """The path's node, if the caller holds the channel credentials that were issued to it.

    The whole `aws:userid` counts: a session of another role may be named like the node, and only
    Hatchway itself may assume the channel role.
    """
    node = call.node_id
    expected = f"{channel_role_id}:{node}"
    if not hmac.compare_digest(call.caller.userid.encode(), expected.encode()):
        raise NodeRefused()
    return node
