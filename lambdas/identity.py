"""Who may call a node's routes: the channel role's session of that very node, and its secret."""

from __future__ import annotations

import hmac

from hatchway.core.errors import NodeRefused
from hatchway.core.tokens import is_token, token_digest
from lambdas.edge import Call
from lambdas.ports import Node


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


def enrolment_digest(secret: str) -> str:
    """What is stored of an enrolment secret; NodeRefused for what an agent never makes.

    It is 256 random bits as base64url, so that its plain SHA-256 is as good as any slow hash.
    """
    if not is_token(secret):
        raise NodeRefused()
    return token_digest(secret)


def proves(node: Node | None, secret: str) -> bool:
    """Whether `secret` is the one this node enrolled with, compared in constant time."""
    digest = enrolment_digest(secret)
    stored = node.enrolment if node is not None else ""
    return hmac.compare_digest(stored.encode(), digest.encode()) and stored != ""
