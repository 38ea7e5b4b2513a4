"""The operations of the people API on sessions, nodes and access, and what performs them."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core import api
from lambdas.logline import Write
from lambdas.people import PeopleApi, Perform
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

PERFORMED: Mapping[str, Perform[Service]] = {
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
_NOTED = ("SessionId", "Target", "NodeId", "RoleId")


def people_api(service: Service, write: Write) -> PeopleApi[Service]:
    """The handler of REST events."""
    return PeopleApi(
        family="sessions",
        service=service,
        performed=PERFORMED,
        write=write,
        noted=dict(zip(_NOTED, _NOTED, strict=True)),
        decoded=service.paths_decoded,
        admitted=spend,
    )
