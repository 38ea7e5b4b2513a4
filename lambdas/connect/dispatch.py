"""Which of the three invokers an event of the stream API comes from."""

from __future__ import annotations

from collections.abc import Mapping

from lambdas import stream
from lambdas.connect.authorizer import Authorizer
from lambdas.connect.handler import Connections
from lambdas.logline import Write, line


def dispatch(
    event: Mapping[str, object], authorizer: Authorizer, connections: Connections, write: Write
) -> dict[str, object]:
    """The answer to one event; one log line."""
    with line("connect", write) as log:
        if event.get("type") == "REQUEST" and "methodArn" in event:
            log.note(event="AUTHORIZE")
            return authorizer.decide(event, log)
        kind = stream.mapping(event.get("requestContext")).get("eventType")
        log.note(event=kind if isinstance(kind, str) else "unknown")
        if kind == "CONNECT":
            return connections.connect(event, log)
        if kind == "DISCONNECT":
            return connections.disconnect(event, log)
        log.warning()
        return {"statusCode": 400}
