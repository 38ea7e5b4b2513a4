"""Lambda's way in: dependencies once at init, then one call at a time."""

from __future__ import annotations

import os

from lambdas.agents.deps import build
from lambdas.edge import serve
from lambdas.telemetry import writer

_AGENTS = build(os.environ)
_WRITE = writer("agents")


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    return serve("agents", event, _AGENTS.handle, _WRITE)
