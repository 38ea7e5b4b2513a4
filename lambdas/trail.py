"""The audit trail's records of calls, from API Gateway's events and what handlers noted.

A record goes to standard output, in a line of its own form, and from there by a subscription of the
log group to the family `audit`. So it costs a call no request of its own, and a function that may
write its log may write nothing else of the trail. It is the function's last word on a call: what
dies before it shows in the gateway's own record.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from hatchway.core.audit import AuditRecord, Caller, Json, Source, reads, written
from hatchway.core.errors import HatchwayError
from hatchway.core.names import TRACE_HEADER, trace_in, trace_root

#: What a line with a record begins with. The subscription's filter looks for the word, and the
#: audit family takes no other line: JSON's escapes keep callers' words within their strings.
MARK = "hatchwayAudit"
PREFIX = f'{{"{MARK}":'
_VERSION = 1

#: Characters of a body that is looked at; the edge refuses larger ones.
MAX_BODY = 64 * 1024

#: Takes a line.
Sink = Callable[[str], None]

#: The agent API's routes.
NODE_OPERATIONS: Mapping[str, str] = {
    "POST /agent/{nodeId}/channel": "EnrolNode",
    "POST /agent/{nodeId}/reports": "ReportNode",
    "GET /agent/{nodeId}/sessions": "ListNodeSessions",
    "POST /agent/{nodeId}/sessions/{sessionId}/open": "OpenNodeSession",
    "POST /agent/{nodeId}/sessions/{sessionId}/ticket": "RenewTicket",
    "POST /agent/{nodeId}/sessions/{sessionId}/frames": "PutFrames",
    "POST /agent/{nodeId}/sessions/{sessionId}/end": "EndNodeSession",
}
#: Calls that carry a session's data or keep it up, many a minute: they are recorded where somebody
#: was refused, and otherwise not. Their sessions' own records say that they were there.
DATA_CALLS = frozenset({"PutFrames", "RenewTicket", "Ping"})
#: Answers that belong to the flow of data: nobody was refused.
FLOW = frozenset({"ClientGone", "SessionEnded", "TicketExpired", "ThrottlingException"})


def emit(text: str) -> None:
    """A record to standard output, where the log group is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def line_of(record: AuditRecord) -> str:
    return f'{PREFIX}{_VERSION},"record":{written(record.members())}}}'


def record_in(message: str) -> Mapping[str, Json] | None:
    """The record in a log line; None for any other line."""
    if not message.startswith(PREFIX):
        return None
    try:
        found = json.loads(message)
    except ValueError:  # cut off by a limit of the log
        return None
    record = found.get("record") if found.get(MARK) == _VERSION else None
    return record if isinstance(record, dict) else None


def rest_call(event: Mapping[str, object], outcome: Mapping[str, object] | HatchwayError) -> str:
    """The line for a call of the people or agent API, which was answered or refused; "" for one
    that is not recorded. What was asked is shown as it came, also where it was refused for that."""
    error = outcome if isinstance(outcome, HatchwayError) else None
    answer = None if isinstance(outcome, HatchwayError) else outcome
    resource, method = _text(event, "resource"), _text(event, "httpMethod")
    route = f"{method} {resource}"
    agents = resource.startswith("/agent/")
    name, members = _node_call(route) if agents else _people_call(method, resource)
    if _unrecorded(name, error):
        return ""
    context = mapping(event.get("requestContext"))
    identity = mapping(context.get("identity"))
    record = _record(
        Source.AGENTS if agents else Source.PEOPLE,
        name,
        context,
        Caller(
            arn=_text(identity, "userArn"),
            principal_id=_text(identity, "user"),
            account=_text(identity, "accountId"),
            access_key_id=_text(identity, "accessKey"),
        ),
        error,
        asked=_rest_asked(event, members, body=name not in DATA_CALLS),
        # What agents are given is keys and tickets.
        answered=None if agents else answer,
        more=_trace(event),
    )
    return line_of(record)


def stream_call(
    event: Mapping[str, object],
    error: HatchwayError | None,
    answer: Mapping[str, object] | None = None,
    *,
    name: str = "",
    given: Mapping[str, object] | None = None,
) -> str:
    """The same for the stream API; `given` is the authorizer's context where the event has none.

    The caller is whom the connection's token stands for: nobody signs here."""
    context = mapping(event.get("requestContext"))
    given = given if given is not None else mapping(context.get("authorizer"))
    route = _text(context, "routeKey")
    name = name or route[:1].upper() + route[1:]
    if _unrecorded(name, error):
        return ""
    asked = {"SessionId": _text(given, "session"), "Target": _text(given, "node")}
    asked = {key: value for key, value in asked.items() if value}
    record = _record(
        Source.STREAM,
        name,
        context,
        _token_caller(given),
        error,
        asked={**asked, **_body(event)},
        answered={k: v for k, v in (answer or {}).items() if k not in _NOT_ASKED} or None,
        more={
            "identifiedBy": "token",
            "connection": _text(context, "connectionId"),
            **({"trace": trace_root(session)} if (session := _text(given, "session")) else {}),
        },
    )
    return line_of(record)


def record_frame(
    event: Mapping[str, object],
    error: HatchwayError | None,
    answer: Mapping[str, object] | None = None,
    sink: Sink = emit,
) -> None:
    """Writes the record of a frame that has a route."""
    text = stream_call(event, error, answer)
    if text:
        sink(text)


def record_opening(
    event: Mapping[str, object],
    error: HatchwayError | None,
    given: Mapping[str, object],
    sink: Sink = emit,
) -> None:
    """Writes the record of a connection that the authorizer let in, or did not; or of one that was
    let in and could not be attached after all."""
    name = "OpenLifecycleConnection" if _text(given, "side") == "lifecycle" else "OpenDataChannel"
    sink(stream_call(event, error, name=name, given=given))


def _unrecorded(name: str, error: HatchwayError | None) -> bool:
    return name in DATA_CALLS and (error is None or error.code in FLOW)


def _record(
    source: Source,
    name: str,
    context: Mapping[str, object],
    caller: Caller,
    error: HatchwayError | None,
    *,
    asked: Mapping[str, object],
    answered: Mapping[str, object] | None,
    more: Mapping[str, Json] | None = None,
) -> AuditRecord:
    identity, read_only = mapping(context.get("identity")), reads(name)
    evidence = dict(error.evidence) if error is not None else {}
    return AuditRecord(
        source=source,
        name=name,
        time=_time(context),
        caller=caller,
        request_id=_text(context, "requestId"),
        read_only=read_only,
        source_ip=_text(identity, "sourceIp"),
        user_agent=_text(identity, "userAgent"),
        vpc_endpoint=_text(identity, "vpceId"),
        recipient=_text(context, "accountId"),
        error_code=error.code if error is not None else "",
        error_message=error.message if error is not None else "",
        request=asked,
        response=None if read_only or error is not None else answered,
        more={**(more or {}), **({"denial": evidence} if evidence else {})},
    )


# --- what was called, and with what -------------------------------------------------------------


def _node_call(route: str) -> tuple[str, Mapping[str, str]]:
    """A route's name, and what its path's and query's members are called."""
    return NODE_OPERATIONS.get(route, route), {"nodeId": "NodeId", "sessionId": "SessionId"}


def _people_call(method: str, resource: str) -> tuple[str, Mapping[str, str]]:
    # Here, so that the functions that carry data do not load what they never need.
    from hatchway.core.api import OPERATIONS

    for operation in OPERATIONS:
        if (operation.method, operation.path) == (method, resource):
            return operation.name, {each.wire_name: each.name for each in operation.takes}
    return f"{method} {resource}", {}


def _rest_asked(
    event: Mapping[str, object], names: Mapping[str, str], *, body: bool
) -> dict[str, object]:
    """Path, query and, where it is no data, body, by the members' names."""
    path = mapping(event.get("pathParameters"))
    query = mapping(event.get("multiValueQueryStringParameters")) or mapping(
        event.get("queryStringParameters")
    )
    asked = {names.get(key, key): _unescaped(value) for key, value in {**query, **path}.items()}
    return {**(_body(event) if body else {}), **asked}


def _unescaped(value: object) -> object:
    if isinstance(value, list):
        return value[0] if len(value) == 1 else value
    return unquote(value) if isinstance(value, str) else value


def _body(event: Mapping[str, object]) -> dict[str, object]:
    """The body's members, if it has any; of `action` the name tells."""
    text = event.get("body")
    if not isinstance(text, str) or not text.startswith("{") or len(text) > MAX_BODY:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {k: v for k, v in found.items() if k not in _NOT_ASKED}


_NOT_ASKED = frozenset({"action", "RequestId"})


def _token_caller(given: Mapping[str, object]) -> Caller:
    account, _, userid = _text(given, "owner").partition("/")
    return Caller(
        arn=_text(given, "arn"),
        principal_id=_text(given, "userid") or userid,
        account=_text(given, "account") or account,
    )


def _time(context: Mapping[str, object]) -> float:
    """When API Gateway got the request."""
    epoch = context.get("requestTimeEpoch")
    return epoch / 1000 if isinstance(epoch, int | float) else time.time()


def mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _trace(event: Mapping[str, object]) -> dict[str, Json]:
    """The trace that the caller names, if any."""
    headers = {name.lower(): value for name, value in mapping(event.get("headers")).items()}
    found = trace_in(_text(headers, TRACE_HEADER.lower()))
    return {"trace": found} if found else {}


def _text(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""
