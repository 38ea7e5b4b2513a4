"""Lambda's way in: dependencies once at init, then one event at a time."""

from __future__ import annotations

import os

from lambdas.logline import line, plain
from lambdas.push.deps import build

_PUSH = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("push", plain) as log:
        _PUSH.handle(event, log)
    return {}
