"""Lambda's way in: dependencies once at init, then one batch at a time."""

from __future__ import annotations

import os

from lambdas.audit.deps import build
from lambdas.logline import line, plain

_AUDIT = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("audit", plain) as log:
        return _AUDIT.handle(event, log)
