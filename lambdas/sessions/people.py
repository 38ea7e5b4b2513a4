"""The people API's routes: each operation of the description with the function that performs it.

Routing goes by API Gateway's resource, not by the path as it was typed: the gateway matched it,
its IAM check was made for it, and neither a base path nor an odd spelling can change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from hatchway.core import api
from hatchway.core.errors import ValidationException
from hatchway.core.shapes import Operation
from lambdas import edge
from lambdas.access import Access, access_of
from lambdas.edge import Call
from lambdas.logline import Line, Write
from lambdas.principal import admit, circumstances
from lambdas.request import Request, read
from lambdas.sessions.connections import open_connection
from lambdas.sessions.describe import describe_sessions, get_session
from lambdas.sessions.explain import explain_access, what_can, who_can
from lambdas.sessions.lifecycle import resume_session, terminate_session
from lambdas.sessions.lookup import lookup_events
from lambdas.sessions.nodes import (
    allow_node_role,
    describe_nodes,
    get_connection_status,
    list_node_roles,
    remove_node_role,
    reset_node,
)
from lambdas.sessions.rates import spend
from lambdas.sessions.service import Service
from lambdas.sessions.start import start_session
from lambdas.sessions.terminate_all import terminate_sessions

Perform = Callable[[Service, Access, Request], Mapping[str, object]]

PERFORMED: Mapping[str, Perform] = {
    api.START_SESSION.name: start_session,
    api.DESCRIBE_SESSIONS.name: describe_sessions,
    api.GET_SESSION.name: get_session,
    api.RESUME_SESSION.name: resume_session,
    api.TERMINATE_SESSION.name: terminate_session,
    api.TERMINATE_SESSIONS.name: terminate_sessions,
    api.DESCRIBE_NODES.name: describe_nodes,
    api.GET_CONNECTION_STATUS.name: get_connection_status,
    api.RESET_NODE.name: reset_node,
    api.LIST_NODE_ROLES.name: list_node_roles,
    api.ALLOW_NODE_ROLE.name: allow_node_role,
    api.REMOVE_NODE_ROLE.name: remove_node_role,
    api.EXPLAIN_ACCESS.name: explain_access,
    api.WHO_CAN.name: who_can,
    api.WHAT_CAN.name: what_can,
    api.LOOKUP_EVENTS.name: lookup_events,
    api.OPEN_CONNECTION.name: open_connection,
}
# Names and ids in an answer that are worth finding a log line by.
_NOTED = ("SessionId", "Target", "NodeId", "RoleId")


def people_api(service: Service, write: Write) -> Callable[[Mapping[str, Any], object], Any]:
    """The handler of REST events."""
    app = APIGatewayRestResolver()

    def add(operation: Operation) -> None:
        @app.route(operation.path, method=operation.method)
        def answer() -> Response[str]:
            event = app.current_event.raw_event
            return _response(_serve(service, operation, event, write))

    def unknown(_error: Exception) -> Response[str]:
        return _response(edge.serve("sessions", app.current_event.raw_event, _refuse, write))

    for operation in api.OPERATIONS:
        if operation.name in PERFORMED:  # the others are other families'
            add(operation)
    app.not_found(unknown)

    def handler(event: Mapping[str, Any], context: object) -> Any:
        return app.resolve({**event, "path": event.get("resource")}, context)  # type: ignore[arg-type]

    return handler


def _serve(
    service: Service, operation: Operation, event: Mapping[str, Any], write: Write
) -> edge.Response:
    def act(call: Call, log: Line) -> Mapping[str, object]:
        log.note(operation=operation.name, **_names(call.path))
        context = event["requestContext"]
        principal = admit(
            call.caller, context.get("accountId", ""), service.nodes, service.channel_role_id
        )
        request = read(operation, call, decoded=service.paths_decoded)
        spend(service, operation, principal)
        access = access_of(service, principal, circumstances(context["identity"]), service.second)
        answer = PERFORMED[operation.name](service, access, request)
        log.note(**_names(answer))
        return answer

    return edge.serve("sessions", event, act, write)


def _names(members: Mapping[str, object]) -> dict[str, str]:
    found = {name: members[name] for name in _NOTED if name in members}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _refuse(_call: Call, _log: Line) -> Mapping[str, object]:
    raise ValidationException("There is no such operation.")


def _response(answer: edge.Response) -> Response[str]:
    headers, body, status = answer["headers"], answer["body"], answer["statusCode"]
    if not (isinstance(headers, dict) and isinstance(body, str) and isinstance(status, int)):
        raise TypeError("an answer has headers, body and status")
    return Response(status_code=status, body=body, headers=headers)
