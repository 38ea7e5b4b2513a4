"""How many messages there were, as a node says it at a session's end.

Without it a missing end would look like an end. A node that died says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Beyond any number.
MAX_COUNT = 1 << 53
#: Characters of a client's identity, a UUID.
MAX_CLIENT = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """`sent` is one past the last of the node's numbers that the service took or the client has.
    `taken` is the same of the client's messages, those that reached what ran; `client` is the
    message id of that client's first one, "" where none came."""

    sent: int
    taken: int = 0
    client: str = ""
