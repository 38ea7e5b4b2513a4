"""Lambda's way in: dependencies once at init, then one minute, or one batch of looks."""

from __future__ import annotations

import os

from lambdas.archive.deps import build
from lambdas.logline import line, plain

_ARCHIVE = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    with line("archive", plain) as log:
        return _ARCHIVE.handle(event, log)
