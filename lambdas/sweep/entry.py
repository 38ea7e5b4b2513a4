"""Lambda's way in: dependencies once at init, then one pass a minute, or one batch of rechecks."""

from __future__ import annotations

import os

from lambdas.logline import line, plain
from lambdas.sweep.deps import build

_SWEEP, _RECHECKS = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("sweep", plain) as log:
        if "Records" in event:
            return _RECHECKS.handle(event, log)
        _SWEEP.run(log)
    return {}
