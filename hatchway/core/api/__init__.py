"""The people API as data: operations, members, types, limits, errors and the permission of each.

The handlers check requests against it; the API documents and the SDK's service model are made
from it (`python -m tools.apidocs`), so that the three cannot disagree.
"""

from __future__ import annotations

from hatchway.core.api.access import *
from hatchway.core.api.audit import *
from hatchway.core.api.connections import *
from hatchway.core.api.documents import *
from hatchway.core.api.members import *
from hatchway.core.api.nodes import *
from hatchway.core.api.recordings import *
from hatchway.core.api.sessions import *
from hatchway.core.api.stream import *
from hatchway.core.api.vocabulary import *
from hatchway.core.shapes import Operation

OPERATIONS: tuple[Operation, ...] = (
    START_SESSION,
    DESCRIBE_SESSIONS,
    GET_SESSION,
    RESUME_SESSION,
    TERMINATE_SESSION,
    TERMINATE_SESSIONS,
    DESCRIBE_NODES,
    GET_CONNECTION_STATUS,
    RESET_NODE,
    LIST_NODE_ROLES,
    ALLOW_NODE_ROLE,
    REMOVE_NODE_ROLE,
    EXPLAIN_ACCESS,
    WHO_CAN,
    WHAT_CAN,
    LOOKUP_EVENTS,
    OPEN_CONNECTION,
    *DOCUMENT_OPERATIONS,
    *RECORDING_OPERATIONS,
)
