"""Lambda's way in: dependencies once at init, then one event at a time."""

from __future__ import annotations

import os

from lambdas.nodes.deps import build
from lambdas.nodes.dispatch import dispatch
from lambdas.telemetry import writer

_NODES, _PRESENCE = build(os.environ)
_WRITE = writer("nodes")


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    return dispatch(event, _NODES, _PRESENCE, _WRITE)
