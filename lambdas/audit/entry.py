"""Lambda's way in: dependencies once at init, then one batch at a time."""

from __future__ import annotations

import os

from lambdas.audit.deps import build
from lambdas.environment import stage
from lambdas.logline import line
from lambdas.metered import metered

_AUDIT = build(os.environ)
_WRITE = metered("audit", stage(os.environ), {"denials": "Denials", "records": "Records"})


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("audit", _WRITE) as log:
        return _AUDIT.handle(event, log)
