"""Lambda's way in: dependencies once at init, then one event at a time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lambdas.sessions.deps import build
from lambdas.sessions.handler import make_handler
from lambdas.sessions.telemetry import telemetry

_SERVICE = build(os.environ)
_HANDLER = make_handler(_SERVICE, telemetry(_SERVICE.stage))


def handler(event: Mapping[str, Any], context: object) -> Any:
    return _HANDLER(event, context)
