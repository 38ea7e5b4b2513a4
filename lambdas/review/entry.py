"""Lambda's way in: dependencies once at init, then one pass, whatever asked for it."""

from __future__ import annotations

import os

from lambdas.logline import line, plain
from lambdas.review.deps import build

_REVIEW = build(os.environ)


def handler(event: dict[str, object], context: object) -> None:
    with line("review", plain) as log:
        log.note(asked=len(records) if isinstance(records := event.get("Records"), list) else 0)
        _REVIEW.run(log)
