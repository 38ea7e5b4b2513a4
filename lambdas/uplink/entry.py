"""Lambda's way in: dependencies once at init, then one upload at a time."""

from __future__ import annotations

import os

from hatchway.core.wire import MAX_TEXT_MESSAGE
from lambdas.edge import serve
from lambdas.environment import stage
from lambdas.metered import metered
from lambdas.recording import UNRECORDED
from lambdas.uplink.deps import build

_UPLINK = build(os.environ)
_WRITE = metered("uplink", stage(os.environ), {UNRECORDED: "OutputUnrecorded"})


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    return serve("uplink", event, _UPLINK.handle, _WRITE, max_body=MAX_TEXT_MESSAGE)
