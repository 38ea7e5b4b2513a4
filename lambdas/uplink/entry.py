"""Lambda's way in: dependencies once at init, then one upload at a time."""

from __future__ import annotations

import os

from hatchway.core.wire import MAX_TEXT_MESSAGE
from lambdas.edge import serve
from lambdas.logline import plain
from lambdas.uplink.deps import build

_UPLINK = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    return serve("uplink", event, _UPLINK.handle, plain, max_body=MAX_TEXT_MESSAGE)
