"""Lambda's way in: dependencies once at init, then one pass a minute."""

from __future__ import annotations

import os

from lambdas.logline import line, plain
from lambdas.sweep.deps import build

_SWEEP = build(os.environ)


def handler(event: dict[str, object], context: object) -> None:
    with line("sweep", plain) as log:
        _SWEEP.run(log)
