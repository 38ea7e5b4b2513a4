"""What `push` is made of, from its environment."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lambdas.adapters.connections import ApiClients
from lambdas.adapters.lifecycle import TableLifecycle
from lambdas.environment import required
from lambdas.push.handler import Push


def build(environ: Mapping[str, str]) -> Push:
    return Push(
        visitors=TableLifecycle(required(environ, "TABLE")),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        clock=time.time,
    )
