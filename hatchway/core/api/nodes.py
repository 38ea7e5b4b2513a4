"""Operations on nodes and the roles that may enrol them."""

from __future__ import annotations

from hatchway.core import errors
from hatchway.core.api.members import INSTANCE_RESOURCE, MORE, PAGING, ROLE_IN_PATH, node_member
from hatchway.core.api.vocabulary import (
    CONNECTION_STATUS,
    ENROLMENT_DIGEST,
    MAX_PAGE,
    NODE,
    NODE_CONNECTIONS,
    NODE_ID,
    NODE_ROLE,
    NODE_SESSION_COUNT,
    ROLE_ARN,
    ROLE_ID,
)
from hatchway.core.shapes import Many, Member, Operation

DESCRIBE_NODES = Operation(
    name="DescribeNodes",
    method="GET",
    path="/nodes",
    doc="Lists the nodes that have enrolled.",
    action="ssm:DescribeInstanceInformation",
    resource="*",
    takes=PAGING,
    gives=(
        Member(
            name="Nodes",
            type=Many(name="NodeList", element=NODE, most=MAX_PAGE),
            doc="The nodes.",
            required=True,
        ),
        MORE,
    ),
    raises=(errors.InvalidNextToken,),
    paginated="Nodes",
)
GET_CONNECTION_STATUS = Operation(
    name="GetConnectionStatus",
    method="GET",
    path="/nodes/{nodeId}/connection",
    doc="Says whether a node's agent is connected.",
    action="ssm:GetConnectionStatus",
    resource=INSTANCE_RESOURCE,
    takes=(node_member("Target"),),
    gives=(
        Member(name="Target", type=NODE_ID, doc="The node."),
        Member(name="Status", type=CONNECTION_STATUS, doc="Whether its agent is connected."),
    ),
    raises=(errors.UnsupportedNodeType,),
)
RESET_NODE = Operation(
    name="ResetNode",
    method="POST",
    path="/nodes/{nodeId}/reset",
    doc="Forgets a node's enrolment, ends its sessions and closes its connections. With a digest, "
    "the agent that has that secret enrols and no other; so is a node registered beforehand.",
    action="ssm:DeregisterManagedInstance",
    resource=INSTANCE_RESOURCE,
    takes=(
        node_member("NodeId"),
        Member(
            name="EnrolmentDigest",
            type=ENROLMENT_DIGEST,
            doc="SHA-256 of the agent's new enrolment secret; without it, the first secret enrols.",
        ),
    ),
    gives=(
        Member(name="NodeId", type=NODE_ID, doc="The node."),
        Member(
            name="Connections",
            type=NODE_CONNECTIONS,
            doc="Open where IoT Core did not close one: it lasts until it is closed; try again.",
        ),
        Member(name="Terminated", type=NODE_SESSION_COUNT, doc="Sessions of the node that ended."),
        Member(
            name="Failed",
            type=NODE_SESSION_COUNT,
            doc="Sessions that could not be ended; try again.",
        ),
    ),
    raises=(errors.UnsupportedNodeType, errors.ConflictException),
)
LIST_NODE_ROLES = Operation(
    name="ListNodeRoles",
    method="GET",
    path="/node-roles",
    doc="Lists the roles whose instances may enrol as nodes.",
    action="ssm:CreateActivation",
    resource="*",
    gives=(
        Member(
            name="NodeRoles",
            type=Many(name="NodeRoleList", element=NODE_ROLE, most=1000),
            doc="The roles.",
            required=True,
        ),
    ),
)
ALLOW_NODE_ROLE = Operation(
    name="AllowNodeRole",
    method="POST",
    path="/node-roles",
    doc="Lets the instances of a role enrol; only a role that EC2 alone may assume.",
    action="ssm:CreateActivation",
    resource="*",
    takes=(Member(name="RoleArn", type=ROLE_ARN, doc="The role's ARN.", required=True),),
    gives=NODE_ROLE.members,
)
REMOVE_NODE_ROLE = Operation(
    name="RemoveNodeRole",
    method="DELETE",
    path="/node-roles/{roleId}",
    doc="Takes a role off the list; nodes of the role lose access within the hour.",
    action="ssm:CreateActivation",
    resource="*",
    takes=(ROLE_IN_PATH,),
    gives=(Member(name="RoleId", type=ROLE_ID, doc="The role's unique id."),),
)
