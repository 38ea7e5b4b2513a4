"""Nodes and the roles whose instances may become nodes, as people see and manage them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hatchway.core import api, names
from hatchway.core.errors import ConflictException, HatchwayError, ValidationException
from hatchway.core.names import Topics
from lambdas.access import Access
from lambdas.ports import Node, NodeRole, Stale
from lambdas.sessions.request import Request
from lambdas.sessions.service import Service
from lambdas.starting import instance_arn, instance_tags
from lambdas.transitions import ATTEMPTS

DEFAULT_PAGE = 50


def describe_nodes(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    access.demand(api.DESCRIBE_NODES.action, "*")
    page = service.nodes.list(request.number("MaxResults", DEFAULT_PAGE), request.text("NextToken"))
    answer: dict[str, object] = {"Nodes": [node_members(node) for node in page.nodes]}
    return answer | ({"NextToken": page.next_token} if page.next_token else {})


def node_members(node: Node) -> Mapping[str, object]:
    """An element of `Nodes`; members without a value are left out."""
    members: dict[str, object] = {
        "NodeId": node.node_id,
        "Name": node.name or None,
        "PingStatus": "Online" if node.online else "ConnectionLost",
        "AgentVersion": node.agent_version or None,
        "LastPingDateTime": node.last_seen or None,
        "Tags": dict(node.tags),
    }
    return {name: value for name, value in members.items() if value is not None}


def get_connection_status(
    service: Service, access: Access, request: Request
) -> Mapping[str, object]:
    node_id = names.node_id(request.text("Target"))
    _demand(service, access, api.GET_CONNECTION_STATUS.action, node_id)
    node = service.nodes.get(node_id)
    connected = node is not None and node.online
    return {"Target": node_id, "Status": "connected" if connected else "notconnected"}


def reset_node(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Forgets the enrolment first, so that whoever is thrown out must enrol to come back."""
    node_id = names.node_id(request.text("NodeId"))
    _demand(service, access, api.RESET_NODE.action, node_id)
    _forget(service, node_id)
    closed = _disconnect(service, node_id)
    return {"NodeId": node_id, "Connections": "closed" if closed else "open"}


def _disconnect(service: Service, node_id: str) -> bool:
    """False where a connection could not be closed: credentials matter only when one is opened, so
    the administrator must know."""
    topics = Topics(service.stage, node_id)
    sessions = service.sessions.active_on(node_id)
    clients = [topics.data_client(session.session_id) for session in sessions]
    closed = True
    for client in (*clients, topics.control_client):
        try:
            service.presence.disconnect(client)
        except HatchwayError:
            closed = False
    return closed


def _forget(service: Service, node_id: str) -> None:
    for _ in range(ATTEMPTS):
        node = service.nodes.get(node_id)
        if node is None or not node.enrolment:
            return
        try:
            service.nodes.update(node, replace(node, enrolment=""))
        except Stale:
            continue
        return
    raise ConflictException("The node changed while it was being reset; try again.")


def _demand(service: Service, access: Access, action: str, node_id: str) -> None:
    place = access.principal.place(service.region)
    access.demand(
        action, instance_arn(place, node_id), instance_tags(service.instances.facts(node_id))
    )


# --- node roles ---------------------------------------------------------------------------------


def list_node_roles(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    access.demand(api.LIST_NODE_ROLES.action, "*")
    return {"NodeRoles": [_role_members(role) for role in service.nodes.roles()]}


def allow_node_role(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    access.demand(api.ALLOW_NODE_ROLE.action, "*")
    arn = request.text("RoleArn")
    if arn.split(":")[4] != access.principal.owner.account:
        raise ValidationException("RoleArn is not of this account.")
    role = service.roles.ec2_only(arn)
    if role.role_id == service.channel_role_id:
        raise ValidationException("The agents' channel role is no instance role.")
    service.nodes.put_role(role)
    return _role_members(role)


def remove_node_role(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    access.demand(api.REMOVE_NODE_ROLE.action, "*")
    service.nodes.remove_role(request.text("RoleId"))
    return {"RoleId": request.text("RoleId")}


def _role_members(role: NodeRole) -> Mapping[str, object]:
    return {"RoleId": role.role_id, "RoleArn": role.role_arn}
