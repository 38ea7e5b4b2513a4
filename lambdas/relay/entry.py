"""Lambda's way in: dependencies once at init, then one message at a time."""

from __future__ import annotations

import os

from lambdas.environment import stage
from lambdas.logline import line
from lambdas.metered import metered
from lambdas.recording import UNRECORDED
from lambdas.relay.deps import build

_RELAY = build(os.environ)
_WRITE = metered("relay", stage(os.environ), {UNRECORDED: "InputUnrecorded"})


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("relay", _WRITE) as log:
        return _RELAY.handle(event, log)
