"""What stands before the embedded AWS's own application: its well-known root keys stay outside.

ministack takes `test`, any account id and the configured key id as root, and checks the signature
of none of them. Here only the configured one passes: it is random, and so a secret. The control
paths, which ask for no signature, are closed, except for the two that say whether it is up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core.router import extract_access_key_id

Scope = Mapping[str, Any]  # ASGI's own types
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_WELL_KNOWN_ROOT = re.compile(r"test|\d{12}")
_OPEN_PATHS = ("/_ministack/health", "/_ministack/ready")
_CLOSED_PATHS = ("/_ministack", "/_localstack", "/latest")
_MAX_BODY_PARTS = 1024
_REFUSAL = json.dumps(
    {
        "__type": "UnrecognizedClientException",
        "message": "The security token included in the request is invalid.",
    }
).encode()


def gate(application: Application) -> Application:
    """`application` behind the gate."""

    async def gated(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or admitted(scope):
            await application(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(receive, send)

    return gated


def admitted(scope: Scope) -> bool:
    """Whether a request may go on: by its path, and by the access key that it names."""
    path = str(scope["path"])
    if path.startswith(_CLOSED_PATHS):
        return path in _OPEN_PATHS
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return not _WELL_KNOWN_ROOT.fullmatch(extract_access_key_id(headers, query))


async def _refuse(receive: Receive, send: Send) -> None:
    for _ in range(_MAX_BODY_PARTS):  # an answer before the body's end breaks the connection
        if not (await receive()).get("more_body"):
            break
    headers = [(b"content-type", b"application/x-amz-json-1.1")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
