"""One function, two callers: the people API's REST events and the stream API's JSON frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.lifecycle_stream import is_lifecycle
from lambdas.logline import Write
from lambdas.sessions.frames import serve_frame
from lambdas.sessions.lifecycle_frames import serve_lifecycle
from lambdas.sessions.people import people_api
from lambdas.sessions.service import Service

Handler = Callable[[Mapping[str, Any], object], Any]


def make_handler(service: Service, write: Write) -> Handler:
    """The Lambda handler over `service`; WebSocket events alone carry a connection id."""
    people = people_api(service, write)

    def handler(event: Mapping[str, Any], context: object) -> Any:
        if "connectionId" in event.get("requestContext", {}):
            serve = serve_lifecycle if is_lifecycle(event) else serve_frame
            return serve(service, event, write)
        return people(event, context)

    return handler
