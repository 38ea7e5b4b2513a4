"""Nodes and the roles whose instances may become nodes, as people see and manage them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hatchway.core import api, names
from hatchway.core.errors import ConflictException, HatchwayError, ValidationException
from hatchway.core.lifecycle import Event
from hatchway.core.names import Topics
from lambdas.access import Access
from lambdas.ports import InstanceFacts, Node, NodeRole, Session, Stale
from lambdas.request import Request
from lambdas.sessions.service import Service
from lambdas.starting import instance_arn, instance_tags
from lambdas.terminating import conclude
from lambdas.transitions import ATTEMPTS, Change, change, moved

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
    node = service.nodes.get(node_id)
    facts = service.instances.facts(node_id) if node is not None else None
    _demand(service, access, api.GET_CONNECTION_STATUS.action, node_id, facts)
    connected = node is not None and node.online
    return {"Target": node_id, "Status": "connected" if connected else "notconnected"}


def reset_node(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Forgets the enrolment first, so that whoever is thrown out must enrol to come back; with a
    digest, only the agent that has that secret can. The node's sessions end with it: what ran them
    is not trusted any more."""
    node_id = names.node_id(request.text("NodeId"))
    facts = service.instances.facts(node_id)  # also of one that is to be registered beforehand
    _demand(service, access, api.RESET_NODE.action, node_id, facts)
    _register(service, node_id, request.text("EnrolmentDigest"))
    sessions = service.sessions.active_on(node_id)
    over = _over(service, sessions, f"Node reset by {access.principal.arn}")
    closed = _disconnect(service, node_id, sessions)
    for done in over:
        conclude(service, done)
    return {
        "NodeId": node_id,
        "Connections": "closed" if closed else "open",
        "Terminated": len(over),
        "Failed": len(sessions) - len(over),
    }


def _over(service: Service, sessions: Sequence[Session], reason: str) -> list[Change]:
    """All states before any farewell; those that could not be written are missing."""
    done = []
    for session in sessions:
        try:
            done.append(_ended(service, session, reason))
        except HatchwayError:
            continue  # the others end all the same
    return done


def _ended(service: Service, session: Session, reason: str) -> Change:
    """Over at once: the agent's word is not waited for, and its next ticket is refused."""

    def plan(read: Session) -> Session:
        now = service.clock()
        ending = moved(read, Event.TERMINATE, now, reason=reason)
        return moved(ending, Event.NODE_LOST, now, reason=reason)

    return change(service.sessions, session.session_id, plan, session)


def _disconnect(service: Service, node_id: str, sessions: Sequence[Session]) -> bool:
    """False where a connection could not be closed: credentials matter only when one is opened, so
    the administrator must know."""
    topics = Topics(service.stage, node_id)
    clients = [topics.data_client(session.session_id) for session in sessions]
    closed = True
    for client in (*clients, topics.control_client):
        try:
            service.presence.disconnect(client)
        except HatchwayError:
            closed = False
    return closed


def _register(service: Service, node_id: str, digest: str) -> None:
    """The node enrols with the secret of this digest; "" forgets, and the next secret enrols."""
    for _ in range(ATTEMPTS):
        node = service.nodes.get(node_id)
        if digest == (node.enrolment if node is not None else ""):
            return
        try:
            if node is None:
                service.nodes.create(Node(node_id=node_id, enrolment=digest))
            else:
                service.nodes.update(node, replace(node, enrolment=digest))
        except Stale:
            continue
        return
    raise ConflictException("The node changed while it was being reset; try again.")


def _demand(
    service: Service, access: Access, action: str, node_id: str, facts: InstanceFacts | None
) -> None:
    place = access.principal.place(service.region)
    access.demand(action, instance_arn(place, node_id), instance_tags(facts))


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
