"""Which of the three invokers an event of the stream API comes from."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas import stream, trail
from lambdas.connect.authorizer import Authorizer
from lambdas.connect.handler import Connections
from lambdas.connect.lifecycle import Lifecycle
from lambdas.lifecycle_stream import is_lifecycle
from lambdas.logline import Line, Write, line


def dispatch(
    event: Mapping[str, object],
    authorizer: Authorizer,
    connections: Connections,
    write: Write,
    lifecycle: Lifecycle | None = None,
) -> dict[str, object]:
    """The answer to one event; one log line."""
    with line("connect", write) as log:
        if event.get("type") == "REQUEST" and "methodArn" in event:
            log.note(event="AUTHORIZE")
            decided = authorizer.decide(event, log)
            trail.record_opening(event, log.error, stream.mapping(decided.get("context")))
            return decided
        kind = stream.mapping(event.get("requestContext")).get("eventType")
        log.note(event=kind if isinstance(kind, str) else "unknown")
        if lifecycle is not None and is_lifecycle(event):
            return _lifecycle(lifecycle, event, str(kind), log)
        if kind == "CONNECT":
            return _connect(connections, event, log)
        if kind == "DISCONNECT":
            return connections.disconnect(event, log)
        log.warning()
        return {"statusCode": 400}


def _connect(connections: Connections, event: Mapping[str, object], log: Line) -> dict[str, object]:
    """The trail has what was let in; here, only what then failed."""
    answer = connections.connect(event, log)
    if answer.get("statusCode") != 200:
        context = stream.mapping(event.get("requestContext"))
        trail.record_opening(event, log.error, stream.mapping(context.get("authorizer")))
    return answer


def _lifecycle(
    lifecycle: Lifecycle, event: Mapping[str, object], kind: str, log: Line
) -> dict[str, object]:
    if kind == "CONNECT":
        return lifecycle.connect(event, log)
    if kind == "DISCONNECT":
        return lifecycle.disconnect(event, log)
    log.warning()
    return {"statusCode": 400}
