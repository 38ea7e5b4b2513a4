"""What `sweep` is made of, from its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from lambdas.adapters import retention, sqs
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.lifecycle import TableLifecycle
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.environment import flag, required, stage
from lambdas.sweep.handler import Sweep
from lambdas.sweep.rechecks import Rechecks
from lambdas.telemetry import counter


def build(environ: Mapping[str, str]) -> tuple[Sweep, Rechecks]:
    table = required(environ, "TABLE")
    sweep = Sweep(
        sessions=TableSessions(table, history=retention.history(environ)),
        nodes=TableNodes(table),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        downlink=IotDownlink(stage(environ), environ.get("IOT_DATA_URL", "")),
        clock=time.time,
        random=os.urandom,
        count=counter("sweep", stage(environ)),
        visitors=TableLifecycle(table) if flag(environ, "LIFECYCLE_CONNECTIONS") else None,
    )
    return sweep, Rechecks(sweep, sqs.read)
