"""What API Gateway itself refused, from its access log, with only what that knows.

No function saw such a call: there is no body, no parameter but the route, and where the signature
was not accepted no caller either. The record says `"recordedBy": "gateway"`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from hatchway.core.api import OPERATIONS
from hatchway.core.audit import AuditRecord, Caller, RecordedBy, Source, reads
from hatchway.core.errors import (
    AccessDeniedException,
    InternalServerError,
    PayloadTooLarge,
    ThrottlingException,
    ValidationException,
)
from lambdas.trail import NODE_OPERATIONS

#: `$context.error.responseType` → the code that the caller was told (infra/rest.py).
#: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
CODES: Mapping[str, str] = {
    "ACCESS_DENIED": AccessDeniedException.code,
    "UNAUTHORIZED": AccessDeniedException.code,
    "AUTHORIZER_FAILURE": InternalServerError.code,
    "AUTHORIZER_CONFIGURATION_ERROR": InternalServerError.code,
    "MISSING_AUTHENTICATION_TOKEN": "MissingAuthenticationTokenException",
    "INVALID_SIGNATURE": "InvalidSignatureException",
    "EXPIRED_TOKEN": "ExpiredTokenException",
    "THROTTLED": ThrottlingException.code,
    "QUOTA_EXCEEDED": ThrottlingException.code,
    "REQUEST_TOO_LARGE": PayloadTooLarge.code,
    "INTEGRATION_FAILURE": InternalServerError.code,
    "INTEGRATION_TIMEOUT": InternalServerError.code,
    "API_CONFIGURATION_ERROR": InternalServerError.code,
}
#: What the access log writes for a value that it has not.
_NOTHING = "-"
_SOURCES = {"people": Source.PEOPLE, "agent": Source.AGENTS, "stream": Source.STREAM}


def refused(message: str) -> AuditRecord | None:
    """The record of one line of an access log; None where the gateway refused nothing."""
    try:
        line = json.loads(message)
    except ValueError:
        return None
    if not isinstance(line, dict):
        return None
    kind = _text(line, "gatewayError")
    source = _SOURCES.get(_text(line, "door"))
    if not kind or source is None:
        return None
    name = _name(source, line)
    return AuditRecord(
        source=source,
        name=name,
        time=_time(line),
        caller=Caller(
            arn=_text(line, "caller"),
            principal_id=_text(line, "principal"),
            account=_text(line, "account"),
        ),
        request_id=_text(line, "requestId"),
        read_only=reads(name),
        recorded_by=RecordedBy.GATEWAY,
        source_ip=_text(line, "sourceIp"),
        user_agent=_text(line, "userAgent"),
        vpc_endpoint=_text(line, "vpcEndpoint"),
        recipient=_text(line, "owner"),
        error_code=CODES.get(kind, ValidationException.code),
        error_message=f"API Gateway refused the call ({kind}).",
        more={"route": _route(line), "gatewayError": kind, "status": _text(line, "status")},
    )


def _name(source: Source, line: Mapping[str, object]) -> str:
    if source is Source.STREAM:
        route = _text(line, "route")
        return "OpenDataChannel" if route == "$connect" else route
    if source is Source.AGENTS:
        return NODE_OPERATIONS.get(_route(line), _route(line))
    known = {f"{each.method} {each.path}": each.name for each in OPERATIONS}
    return known.get(_route(line), _route(line))


def _route(line: Mapping[str, object]) -> str:
    return f"{_text(line, 'method')} {_text(line, 'route')}".strip()


def _time(line: Mapping[str, object]) -> float:
    """Unix seconds; a line without a readable time is of the epoch, and shows."""
    text = _text(line, "time")
    return int(text) / 1000 if text.isascii() and text.isdecimal() else 0.0


def _text(line: Mapping[str, object], name: str) -> str:
    value = line.get(name)
    return value if isinstance(value, str) and value != _NOTHING else ""
