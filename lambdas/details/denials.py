"""Events of what was refused. They are made from the audit record, which is their outbox.

Statement, condition and value of a denial stand in the audit record alone: whoever listens on the
bus may learn that somebody was refused, and not what a policy says.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.details.text import moment, plain, who
from lambdas.details.told import Detail, Told, head

__all__ = [
    "ACCESS_DENIED",
    "NODE_REFUSED",
    "RefusedCall",
    "access_denied",
    "node_identity_refused",
]

ACCESS_DENIED = "Access Denied"
NODE_REFUSED = "Node Identity Refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCall:
    """A call that was refused, as its audit record tells; texts are "" where it does not.

    `by` is `service` or `gateway`, `time` unix seconds.
    """

    event_id: str
    event_name: str
    time: float
    by: str
    error_code: str
    caller_arn: str = ""
    caller_id: str = ""
    source_ip: str = ""
    request_id: str = ""
    target: str = ""
    session_id: str = ""


def access_denied(stage: str, call: RefusedCall) -> Told:
    """A person was refused."""
    name = who(call.caller_arn) if call.caller_arn else "somebody unknown"
    on = call.session_id or call.target
    text = f"{name} was refused {call.event_name}{f' on {on}' if on else ''}"
    return _told(ACCESS_DENIED, stage, call, text)


def node_identity_refused(stage: str, call: RefusedCall) -> Told:
    """Somebody said to be a node and could not prove it."""
    text = f"a caller that says to be node {call.target or '(unnamed)'} was refused"
    return _told(NODE_REFUSED, stage, call, text)


def _told(kind: str, stage: str, call: RefusedCall, text: str) -> Told:
    source = f" from {call.source_ip}" if call.source_ip else ""
    summary = f"Hatchway {stage}: {text}{source} ({call.error_code}), {moment(call.time)}."
    detail: Detail = {
        **head(stage, call.event_id, call.time),
        "eventName": call.event_name,
        "refusedBy": call.by,
        "errorCode": call.error_code,
        "caller": call.caller_arn,
        "callerId": call.caller_id,
        "sourceIPAddress": call.source_ip,
        "requestId": call.request_id,
        "target": call.target,
        "sessionId": call.session_id,
        "summary": plain(summary),
    }
    return Told(kind, detail, call.time)
