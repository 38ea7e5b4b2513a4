"""Lambda's way in: dependencies once at init, then one event at a time."""

from __future__ import annotations

import os

from lambdas.connect.deps import build
from lambdas.connect.dispatch import dispatch
from lambdas.logline import plain

_AUTHORIZER, _CONNECTIONS, _LIFECYCLE = build(os.environ)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    return dispatch(event, _AUTHORIZER, _CONNECTIONS, plain, _LIFECYCLE)
