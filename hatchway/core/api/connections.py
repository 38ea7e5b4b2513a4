"""Lifecycle connections: one WebSocket connection for all sessions of a caller.

The routes take the members of the operations that they stand for, by name, in one JSON frame.
"""

from __future__ import annotations

from hatchway.core.api.nodes import GET_CONNECTION_STATUS
from hatchway.core.api.sessions import (
    DESCRIBE_SESSIONS,
    RESUME_SESSION,
    START_SESSION,
    TERMINATE_SESSION,
)
from hatchway.core.api.vocabulary import STREAM_URL, TOKEN_VALUE
from hatchway.core.shapes import Action, Member, Operation

CONNECTION_RESOURCE = (
    "arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/POST/connections"
)

OPEN_CONNECTION = Operation(
    name="OpenConnection",
    method="POST",
    path="/connections",
    doc="Gives a one-time token for a lifecycle connection of the caller, which lives 15 minutes "
    "at most. What is asked on it is permitted one by one.",
    action="execute-api:Invoke",
    resource=CONNECTION_RESOURCE,
    gives=(
        Member(name="TokenValue", type=TOKEN_VALUE, doc="Opens the connection once, within 60 s."),
        Member(name="StreamUrl", type=STREAM_URL, doc="Where the stream API is (wss)."),
    ),
)

#: What a lifecycle connection's frames may ask for, each as its operation.
LIFECYCLE_ACTIONS: tuple[Action, ...] = tuple(
    Action(
        name=operation.name[0].lower() + operation.name[1:],
        doc=operation.doc,
        gives=operation.gives,
        permission=operation,
    )
    for operation in (
        START_SESSION,
        RESUME_SESSION,
        TERMINATE_SESSION,
        DESCRIBE_SESSIONS,
        GET_CONNECTION_STATUS,
    )
)
LIFECYCLE_NOTICES = {
    "sessionStateChange": "A session of the caller changed its state: `SessionId`, `Target`, "
    "`Status`, `PreviousStatus`, and at the end `EndReason` and `ExitCode`.",
}
