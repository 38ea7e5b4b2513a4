"""The people API as data: operations, members, types, limits, errors and the permission of each.

The handlers check requests against it; the API documents and the SDK's service model are made
from it (`python -m tools.apidocs`), so that the three cannot disagree.
"""

from __future__ import annotations

from hatchway.core import errors
from hatchway.core.shapes import (
    Action,
    Flag,
    Many,
    Member,
    Moment,
    Number,
    Operation,
    Place,
    Record,
    Table,
    Text,
)

VERSION = "2026-11-22"

MAX_BODY_BYTES = 64 * 1024
MAX_PAGE = 200
MAX_FILTERS = 6
MAX_NEXT_TOKEN = 512
MAX_PARAMETERS = 32
MAX_FRAME_BYTES = 32 * 1024  # API Gateway closes a connection for a larger one
MAX_REQUEST_ID = 64


# --- the vocabulary -----------------------------------------------------------------------------

NODE_ID = Text(name="NodeId", most=20, least=10, pattern=r"^m?i-(?:[0-9a-f]{8}|[0-9a-f]{17})$")
SESSION_ID = Text(
    name="SessionId", most=82, least=19, pattern=r"^[A-Za-z0-9_+=,.@-]{1,64}-[0-9a-f]{17}$"
)
ROLE_ID = Text(name="RoleId", most=128, least=16, pattern=r"^AROA[A-Z0-9]{12,124}$")
ROLE_ARN = Text(
    name="RoleArn", most=2048, least=20, pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/[!-~]+$"
)
DOCUMENT_NAME = Text(name="DocumentName", most=128, least=3, pattern=r"^[a-zA-Z0-9_\-.:/]{3,128}$")
REASON = Text(name="Reason", most=256, pattern=r"^[^\x00-\x1f\x7f]+$")
REQUEST_TOKEN = Text(name="ClientRequestToken", most=64, pattern=r"^[A-Za-z0-9._-]{1,64}$")
TOKEN_VALUE = Text(name="TokenValue", most=300, secret=True)
STREAM_URL = Text(name="StreamUrl", most=2048)
STATE = Text(name="SessionState", most=7, choices=("Active", "History"))
STATUS = Text(
    name="SessionStatus",
    most=12,
    choices=("Connected", "Connecting", "Disconnected", "Terminated", "Terminating", "Failed"),
)
ACCESS_TYPE = Text(name="AccessType", most=10, choices=("Standard", "JustInTime"))
PING_STATUS = Text(name="PingStatus", most=14, choices=("Online", "ConnectionLost"))
CONNECTION_STATUS = Text(name="ConnectionStatus", most=12, choices=("connected", "notconnected"))
ENROLMENT_DIGEST = Text(name="EnrolmentDigest", most=64, least=64, pattern=r"^[0-9a-f]{64}$")
NODE_CONNECTIONS = Text(name="NodeConnections", most=6, choices=("closed", "open"))
NEXT_TOKEN = Text(name="NextToken", most=MAX_NEXT_TOKEN)
ALL = Flag(name="All")
SESSION_COUNT = Number(name="SessionCount", least=0, most=MAX_PAGE)
NODE_SESSION_COUNT = Number(name="NodeSessionCount", least=0, most=1000)
MAX_RESULTS = Number(name="MaxResults", least=1, most=MAX_PAGE)
MOMENT = Moment(name="DateTime")
LABEL = Text(name="Label", most=2048, least=0)
EXIT_CODE = Number(name="ExitCode", least=-(2**31), most=2**32 - 1)

FILTER = Text(
    name="SessionFilter",
    most=512,
    pattern=r"^[A-Za-z]+=[^\x00-\x1f\x7f]+$",
)
FILTER_KEYS = (
    "InvokedAfter",
    "InvokedBefore",
    "Target",
    "Owner",
    "Status",
    "SessionId",
    "AccessType",
)
FILTERS = Many(name="SessionFilterList", element=FILTER, most=MAX_FILTERS)

PARAMETERS = Table(
    name="SessionParameters",
    key=Text(name="ParameterName", most=255),
    value=Many(
        name="ParameterValueList",
        element=Text(name="ParameterValue", most=4096, least=0),
        most=50,
    ),
    most=MAX_PARAMETERS,
)
TAGS = Table(
    name="Tags",
    key=Text(name="TagKey", most=128),
    value=Text(name="TagValue", most=256, least=0),
    most=50,
)

SESSION = Record(
    name="Session",
    members=(
        Member(name="SessionId", type=SESSION_ID, doc="The session."),
        Member(name="Target", type=NODE_ID, doc="The node it runs on."),
        Member(name="Status", type=STATUS, doc="Its state."),
        Member(name="StartDate", type=MOMENT, doc="When it was started."),
        Member(name="EndDate", type=MOMENT, doc="When it ended; absent before."),
        Member(name="DocumentName", type=DOCUMENT_NAME, doc="The document it was started with."),
        Member(name="Owner", type=LABEL, doc="The ARN of who started it."),
        Member(name="Reason", type=REASON, doc="Why, as the owner wrote it."),
        Member(
            name="MaxSessionDuration", type=LABEL, doc="Minutes after which it ends, if limited."
        ),
        Member(name="AccessType", type=ACCESS_TYPE, doc="Standing access or access on request."),
        Member(name="EndReason", type=LABEL, doc="What ended it."),
        Member(name="ExitCode", type=EXIT_CODE, doc="Exit status of the remote process."),
    ),
)
NODE = Record(
    name="Node",
    members=(
        Member(name="NodeId", type=NODE_ID, doc="The node."),
        Member(name="Name", type=LABEL, doc="Its Name tag, as EC2 has it."),
        Member(name="PingStatus", type=PING_STATUS, doc="Whether its agent is connected."),
        Member(name="AgentVersion", type=LABEL, doc="The version of its agent."),
        Member(name="LastPingDateTime", type=MOMENT, doc="When it was last heard of."),
        Member(name="Tags", type=TAGS, doc="Its tags, as EC2 has them."),
    ),
)
NODE_ROLE = Record(
    name="NodeRole",
    members=(
        Member(name="RoleId", type=ROLE_ID, doc="The role's unique id."),
        Member(name="RoleArn", type=ROLE_ARN, doc="The role's ARN."),
    ),
)

# --- explanations of access ---------------------------------------------------------------------

MAX_STATEMENTS = 100  # in one check of an explanation; the nearest first
MAX_VALUES = 20  # of one element of a statement
MAX_PRINCIPALS = 25  # principals that one page of WhoCan looks at: each costs IAM a dozen calls
MAX_CAN_NODES = 100  # nodes that one page of WhatCan looks at

PRINCIPAL_ARN = Text(
    name="PrincipalArn",
    most=2048,
    least=20,
    pattern=r"^arn:[a-z-]+:(?:iam::[0-9]{12}:(?:user|role)/[!-~]+"
    r"|sts::[0-9]{12}:assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{1,64})$",
)
POLICY_TEXT = Text(name="PolicyText", most=10_240, least=2)
POLICY_NAME = Text(name="PolicyName", most=2048)
VERDICT = Text(
    name="Verdict",
    most=16,
    choices=("Allowed", "Conditional", "ImplicitlyDenied", "ExplicitlyDenied"),
)
CONTEXT_KEYS = Many(name="ContextKeyList", element=Text(name="ContextKey", most=256), most=200)
EXPLAINED_VALUES = Many(name="ExplainedValueList", element=LABEL, most=MAX_VALUES)
CONTEXT = Table(
    name="Context",
    key=Text(name="AssumedKey", most=256, pattern=r"^[A-Za-z0-9.-]+:[!-~]+$"),
    value=Many(name="AssumedValueList", element=Text(name="AssumedValue", most=256), most=20),
    most=20,
)
MISMATCH = Record(
    name="Mismatch",
    members=(
        Member(
            name="Element",
            type=Text(name="Element", most=11, choices=("Resource", "NotResource", "Condition")),
            doc="The part of the statement that failed.",
        ),
        Member(name="Operator", type=LABEL, doc="The condition's operator."),
        Member(name="Key", type=LABEL, doc="The condition's key."),
        Member(name="Expected", type=EXPLAINED_VALUES, doc="What the policy asks for."),
        Member(name="Actual", type=EXPLAINED_VALUES, doc="What the request has."),
        Member(
            name="Presence",
            type=Text(name="Presence", most=7, choices=("present", "absent", "unknown")),
            doc="Whether the request has a value.",
        ),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="Keys that it hangs on, and are unknown."),
        Member(name="Absent", type=CONTEXT_KEYS, doc="Variables in it that have no value."),
    ),
)
STATEMENT_REPORT = Record(
    name="StatementReport",
    members=(
        Member(
            name="PolicyLayer",
            type=Text(name="PolicyLayer", most=8, choices=("identity", "boundary")),
            doc="What kind of policy it stands in.",
        ),
        Member(name="Source", type=LABEL, doc="Where the policy hangs: user, group, role."),
        Member(name="Policy", type=LABEL, doc="The policy's name, or its ARN."),
        Member(name="Sid", type=LABEL, doc="The statement's id, if it has one."),
        Member(
            name="Index", type=Number(name="Index", least=0, most=10_000), doc="Its place, from 0."
        ),
        Member(
            name="Effect", type=Text(name="Effect", most=5, choices=("Allow", "Deny")), doc="Its."
        ),
        Member(
            name="Result",
            type=Text(name="Result", most=14, choices=("Applied", "AppliedInDoubt", "NotApplied")),
            doc="A Deny applies in doubt where it hangs on what is unknown.",
        ),
        Member(
            name="Mismatches",
            type=Many(name="MismatchList", element=MISMATCH, most=MAX_STATEMENTS),
            doc="What failed, or is in doubt.",
        ),
    ),
)
CHECK = Record(
    name="Check",
    members=(
        Member(
            name="Layer",
            type=Text(name="AccessLayer", most=11, choices=("execute-api", "ssm")),
            doc="API Gateway's check, or Hatchway's own.",
        ),
        Member(name="Action", type=LABEL, doc="The action."),
        Member(name="Resource", type=LABEL, doc="The resource."),
        Member(name="Decision", type=VERDICT, doc="What the policies say."),
        Member(name="PolicyLayer", type=LABEL, doc="Which kind of policy refused."),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="Keys that it hung on, and are unknown."),
        Member(
            name="Statements",
            type=Many(name="StatementList", element=STATEMENT_REPORT, most=MAX_STATEMENTS),
            doc="The statements that name the action, those that applied first.",
        ),
    ),
)
PRINCIPAL = Record(
    name="PrincipalAccess",
    members=(
        Member(name="PrincipalArn", type=PRINCIPAL_ARN, doc="A user or role."),
        Member(
            name="Decision",
            type=Text(
                name="ListedVerdict", most=11, choices=("Allowed", "Conditional", "Unreadable")
            ),
            doc="Unreadable where IAM did not give out its policies: it may or may not.",
        ),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="The keys that it hangs on."),
    ),
)
NODE_ACCESS = Record(
    name="NodeAccess",
    members=(
        Member(name="NodeId", type=NODE_ID, doc="The node."),
        Member(name="Name", type=LABEL, doc="Its Name tag, as EC2 has it."),
        Member(name="Decision", type=VERDICT, doc="Allowed or Conditional."),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="The keys that it hangs on."),
    ),
)

# --- operations ---------------------------------------------------------------------------------

PRINCIPAL_RESOURCE = "{principalArn}"
INSTANCE_RESOURCE = "arn:{partition}:ec2:{region}:{account}:instance/{nodeId}"
SESSION_RESOURCE = "arn:{partition}:ssm:{region}:{account}:session/{sessionId}"
DOCUMENT_RESOURCE = "arn:{partition}:ssm:{region}:{account}:document/{documentName}"


def _node_member(name: str) -> Member:
    return Member(
        name=name,
        type=NODE_ID,
        doc="The node, an EC2 instance id.",
        place=Place.PATH,
        wire="nodeId",
        required=True,
    )


_SESSION_IN_PATH = Member(
    name="SessionId",
    type=SESSION_ID,
    doc="The session.",
    place=Place.PATH,
    wire="sessionId",
    required=True,
)
_ROLE_IN_PATH = Member(
    name="RoleId",
    type=ROLE_ID,
    doc="The role's unique id.",
    place=Place.PATH,
    wire="roleId",
    required=True,
)
_PAGING = (
    Member(name="MaxResults", type=MAX_RESULTS, doc="At most so many.", place=Place.QUERY),
    Member(name="NextToken", type=NEXT_TOKEN, doc="Where the last page ended.", place=Place.QUERY),
)
_MORE = Member(name="NextToken", type=NEXT_TOKEN, doc="Where the next page begins, if any.")
_OPENED = (
    Member(name="SessionId", type=SESSION_ID, doc="The session."),
    Member(name="TokenValue", type=TOKEN_VALUE, doc="Opens the stream once, within 60 s."),
    Member(name="StreamUrl", type=STREAM_URL, doc="Where the stream API is (wss)."),
)

START_SESSION = Operation(
    name="StartSession",
    method="POST",
    path="/nodes/{nodeId}/sessions",
    doc="Starts a session on a node. The answer's token opens its stream.",
    action="ssm:StartSession",
    resource=INSTANCE_RESOURCE,
    takes=(
        _node_member("Target"),
        Member(name="DocumentName", type=DOCUMENT_NAME, doc="The session document."),
        Member(name="Reason", type=REASON, doc="Why the session is needed."),
        Member(name="Parameters", type=PARAMETERS, doc="Values of the document's parameters."),
        Member(
            name="ClientRequestToken",
            type=REQUEST_TOKEN,
            doc="The same token again gives the same session and a new stream token.",
            idempotency=True,
        ),
    ),
    gives=_OPENED,
    raises=(
        errors.TargetNotConnected,
        errors.InvalidDocument,
        errors.UnsupportedNodeType,
        errors.IdempotentParameterMismatch,
        errors.LimitExceededException,
        errors.ConflictException,
    ),
)
DESCRIBE_SESSIONS = Operation(
    name="DescribeSessions",
    method="GET",
    path="/sessions",
    doc="Lists sessions, newest first: active ones, or those that ended within 30 days.",
    action="ssm:DescribeSessions",
    resource="*",
    takes=(
        Member(name="State", type=STATE, doc="Which list.", place=Place.QUERY, required=True),
        *_PAGING,
        Member(
            name="Filter",
            type=FILTERS,
            doc=f"`Key=Value`, with keys {', '.join(FILTER_KEYS)}; all must hold.",
            place=Place.QUERY,
        ),
    ),
    gives=(
        Member(
            name="Sessions",
            type=Many(name="SessionList", element=SESSION, most=MAX_PAGE),
            doc="The sessions.",
            required=True,
        ),
        _MORE,
    ),
    raises=(errors.InvalidFilterKey, errors.InvalidNextToken),
    paginated="Sessions",
)
GET_SESSION = Operation(
    name="GetSession",
    method="GET",
    path="/sessions/{sessionId}",
    doc="Describes one session.",
    action="ssm:DescribeSessions",
    resource="*",
    takes=(_SESSION_IN_PATH,),
    gives=SESSION.members,
    raises=(errors.DoesNotExistException,),
)
RESUME_SESSION = Operation(
    name="ResumeSession",
    method="POST",
    path="/sessions/{sessionId}/resume",
    doc="Gives the owner another token for a session that has not ended.",
    action="ssm:ResumeSession",
    resource=SESSION_RESOURCE,
    takes=(_SESSION_IN_PATH,),
    gives=_OPENED,
    raises=(errors.DoesNotExistException, errors.ConflictException),
)
TERMINATE_SESSION = Operation(
    name="TerminateSession",
    method="DELETE",
    path="/sessions/{sessionId}",
    doc="Ends a session for good. Ending it again changes nothing.",
    action="ssm:TerminateSession",
    resource=SESSION_RESOURCE,
    takes=(_SESSION_IN_PATH,),
    gives=(Member(name="SessionId", type=SESSION_ID, doc="The session."),),
    raises=(errors.DoesNotExistException, errors.ConflictException),
)
TERMINATE_SESSIONS = Operation(
    name="TerminateSessions",
    method="POST",
    path="/sessions/terminate",
    doc="Ends all sessions of an owner, of a node, or all there are: those that the caller may "
    "end, a page at a call, newest first. Exactly one of Owner, Target and All is given.",
    action="ssm:TerminateSession",
    resource=SESSION_RESOURCE,
    takes=(
        Member(
            name="Owner",
            type=PRINCIPAL_ARN,
            doc="The ARN of a user or role session; of a role, for all of its sessions.",
        ),
        Member(name="Target", type=NODE_ID, doc="The node, an EC2 instance id."),
        Member(name="All", type=ALL, doc="True for every session of the deployment."),
        Member(name="NextToken", type=NEXT_TOKEN, doc="Where the last page ended."),
    ),
    gives=(
        Member(
            name="Terminated",
            type=SESSION_COUNT,
            doc="Sessions that end now: by this call, or by one before it.",
            required=True,
        ),
        Member(
            name="Refused",
            type=SESSION_COUNT,
            doc="Sessions that the caller may not end; they go on.",
            required=True,
        ),
        Member(
            name="Failed",
            type=SESSION_COUNT,
            doc="Sessions that could not be ended now; try again.",
            required=True,
        ),
        _MORE,
    ),
    raises=(errors.InvalidNextToken, errors.UnsupportedNodeType),
)
DESCRIBE_NODES = Operation(
    name="DescribeNodes",
    method="GET",
    path="/nodes",
    doc="Lists the nodes that have enrolled.",
    action="ssm:DescribeInstanceInformation",
    resource="*",
    takes=_PAGING,
    gives=(
        Member(
            name="Nodes",
            type=Many(name="NodeList", element=NODE, most=MAX_PAGE),
            doc="The nodes.",
            required=True,
        ),
        _MORE,
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
    takes=(_node_member("Target"),),
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
        _node_member("NodeId"),
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
    takes=(_ROLE_IN_PATH,),
    gives=(Member(name="RoleId", type=ROLE_ID, doc="The role's unique id."),),
)
_EXPLAINED = Member(
    name="PrincipalArn", type=PRINCIPAL_ARN, doc="A user, a role or a role session.", required=True
)
_ON_NODE = Member(name="Target", type=NODE_ID, doc="The node, an EC2 instance id.", required=True)
_WITH_DOCUMENT = Member(
    name="DocumentName", type=DOCUMENT_NAME, doc="The session document, if one is named."
)
_ASSUMED = Member(
    name="Context",
    type=CONTEXT,
    doc="Values to assume for condition keys, as aws:SourceIp, that only a request has.",
)


def _page_of(name: str, most: int) -> tuple[Member, ...]:
    return (
        Member(
            name="MaxResults",
            type=Number(name=name, least=1, most=most),
            doc="At most so many are looked at; a page may hold fewer, or none.",
            place=Place.QUERY,
        ),
        _PAGING[1],
    )


EXPLAIN_ACCESS = Operation(
    name="ExplainAccess",
    method="POST",
    path="/access/explain",
    doc="Says whether somebody may start a session on a node, and which statements decide it.",
    action="iam:SimulatePrincipalPolicy",
    resource=PRINCIPAL_RESOURCE,
    takes=(
        _EXPLAINED,
        _ON_NODE,
        _WITH_DOCUMENT,
        Member(
            name="WithPolicies",
            type=Many(name="PolicyTextList", element=POLICY_TEXT, most=5),
            doc="Policies, as JSON, to try in addition: nothing is changed.",
        ),
        Member(
            name="WithoutPolicies",
            type=Many(name="PolicyNameList", element=POLICY_NAME, most=20),
            doc="Names or ARNs of the principal's policies to leave out.",
        ),
        _ASSUMED,
    ),
    gives=(
        Member(name="PrincipalArn", type=PRINCIPAL_ARN, doc="Whom it is about.", required=True),
        Member(name="Target", type=NODE_ID, doc="The node.", required=True),
        Member(name="Decision", type=VERDICT, doc="Both layers together.", required=True),
        Member(
            name="Checks",
            type=Many(name="CheckList", element=CHECK, most=3),
            doc="What was asked, in order.",
            required=True,
        ),
        Member(
            name="Remarks",
            type=Many(name="RemarkList", element=LABEL, most=20),
            doc="What else matters.",
        ),
    ),
    raises=(errors.DoesNotExistException, errors.InvalidDocument, errors.UnsupportedNodeType),
)
WHO_CAN = Operation(
    name="WhoCan",
    method="POST",
    path="/access/who-can",
    doc="Lists the users and roles who may start a session on a node.",
    action="iam:SimulatePrincipalPolicy",
    resource="*",
    takes=(_ON_NODE, _WITH_DOCUMENT, _ASSUMED, *_page_of("MaxPrincipals", MAX_PRINCIPALS)),
    gives=(
        Member(
            name="Principals",
            type=Many(name="PrincipalAccessList", element=PRINCIPAL, most=MAX_PRINCIPALS),
            doc="Who may, on this page.",
            required=True,
        ),
        _MORE,
    ),
    raises=(errors.InvalidDocument, errors.InvalidNextToken, errors.UnsupportedNodeType),
    paginated="Principals",
)
WHAT_CAN = Operation(
    name="WhatCan",
    method="POST",
    path="/access/what-can",
    doc="Lists the nodes on which somebody may start a session.",
    action="iam:SimulatePrincipalPolicy",
    resource=PRINCIPAL_RESOURCE,
    takes=(_EXPLAINED, _WITH_DOCUMENT, _ASSUMED, *_page_of("MaxNodes", MAX_CAN_NODES)),
    gives=(
        Member(
            name="Nodes",
            type=Many(name="NodeAccessList", element=NODE_ACCESS, most=MAX_CAN_NODES),
            doc="The nodes, on this page.",
            required=True,
        ),
        _MORE,
    ),
    raises=(errors.DoesNotExistException, errors.InvalidDocument, errors.InvalidNextToken),
    paginated="Nodes",
)

OPERATIONS: tuple[Operation, ...] = (
    START_SESSION,
    DESCRIBE_SESSIONS,
    GET_SESSION,
    RESUME_SESSION,
    TERMINATE_SESSION,
    TERMINATE_SESSIONS,
    DESCRIBE_NODES,
    GET_CONNECTION_STATUS,
    RESET_NODE,
    LIST_NODE_ROLES,
    ALLOW_NODE_ROLE,
    REMOVE_NODE_ROLE,
    EXPLAIN_ACCESS,
    WHO_CAN,
    WHAT_CAN,
)

# --- the stream's JSON routes -------------------------------------------------------------------

ACTIONS: tuple[Action, ...] = (
    Action(name="ping", doc="Is answered, and nothing else happens."),
    Action(
        name="describeSession",
        doc="Describes the connection's session.",
        gives=SESSION.members,
    ),
    Action(
        name="resumeSession",
        doc="Gives the owner the next token, if the owner may still resume: for the connection's "
        "own address, and until 12 hours after the owner last signed a request.",
        gives=_OPENED,
        permission=RESUME_SESSION,
    ),
    Action(
        name="terminateSession",
        doc="Ends the connection's session for good; the connection is closed after the answer.",
        gives=TERMINATE_SESSION.gives,
    ),
)
NOTICES = {
    "nodeOffline": "The node's agent is not connected; output will not come until it is back.",
    "nodeOnline": "The node's agent is connected again.",
    "accessEnding": "The owner's permission ends in so many `Seconds`, and the session with it.",
    "takenOver": "Another client of the same owner has taken the session over.",
}
