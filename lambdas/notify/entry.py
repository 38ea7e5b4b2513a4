"""Lambda's way in: dependencies once at init, then one event at a time."""

from __future__ import annotations

import os

from lambdas.logline import line, plain
from lambdas.notify.deps import build

_NOTIFY = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("notify", plain) as log:
        _NOTIFY.handle(event, log)
    return {}
