"""Lambda's way in: dependencies once at init, then one message at a time."""

from __future__ import annotations

import os

from lambdas.logline import line, plain
from lambdas.relay.deps import build

_RELAY = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("relay", plain) as log:
        return _RELAY.handle(event, log)
