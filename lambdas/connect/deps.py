"""What `connect` is made of, from its environment."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lambdas.adapters import retention
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.lifecycle import TableLifecycle
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.connect.authorizer import Authorizer
from lambdas.connect.handler import Connections
from lambdas.connect.lifecycle import Lifecycle
from lambdas.connect.permission import permission
from lambdas.environment import flag, required, stage
from lambdas.terms import floor


def build(environ: Mapping[str, str]) -> tuple[Authorizer, Connections, Lifecycle | None]:
    """The last is None where the deployment has no lifecycle connections."""
    table = required(environ, "TABLE")
    sessions = TableSessions(table, history=retention.history(environ))
    connections = Connections(
        sessions=sessions,
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        downlink=IotDownlink(stage(environ), environ.get("IOT_DATA_URL", "")),
        clock=time.time,
    )
    wanted = flag(environ, "LIFECYCLE_CONNECTIONS")
    store = TableLifecycle(table) if wanted else None
    lifecycle = Lifecycle(store, time.time) if store is not None else None
    owners = permission(environ, TableNodes(table), time.time)
    authorizer = Authorizer(sessions, time.time, owners, floor(environ), lifecycle)
    return authorizer, connections, lifecycle
