"""What `agents` is made of, from its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from lambdas.adapters import retention
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.looks import SqsLooks
from lambdas.adapters.secrets import ManagedSecret
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.agents.handler import Agents, assemble
from lambdas.environment import required, stage
from lambdas.terms import floor


def build(environ: Mapping[str, str]) -> Agents:
    table = required(environ, "TABLE")
    return assemble(
        sessions=TableSessions(table, history=retention.history(environ)),
        nodes=TableNodes(table),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        looks=SqsLooks(required(environ, "ARCHIVE_QUEUE")),
        seal=ManagedSecret(required(environ, "SEAL_SECRET")),
        ticket=ManagedSecret(required(environ, "TICKET_SECRET")),
        channel_role_id=required(environ, "CHANNEL_ROLE_ID"),
        clock=time.time,
        random=os.urandom,
        stage=stage(environ),
        floor=floor(environ),
    )
