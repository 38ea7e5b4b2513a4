"""What `connect` is made of, from its environment."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lambdas.adapters import retention
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.table import TableSessions
from lambdas.connect.authorizer import Authorizer
from lambdas.connect.handler import Connections
from lambdas.environment import required, stage


def build(environ: Mapping[str, str]) -> tuple[Authorizer, Connections]:
    sessions = TableSessions(required(environ, "TABLE"), history=retention.history(environ))
    connections = Connections(
        sessions=sessions,
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        downlink=IotDownlink(stage(environ), environ.get("IOT_DATA_URL", "")),
        clock=time.time,
    )
    return Authorizer(sessions, time.time), connections
