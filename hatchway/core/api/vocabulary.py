"""The types that requests and answers are made of, and their limits."""

from __future__ import annotations

from hatchway.core.shapes import Flag, Many, Member, Moment, Number, Record, Table, Text

VERSION = "2026-11-22"

MAX_BODY_BYTES = 64 * 1024
MAX_PAGE = 200
MAX_FILTERS = 6
MAX_NEXT_TOKEN = 512
MAX_PARAMETERS = 32
MAX_FRAME_BYTES = 32 * 1024  # API Gateway closes a connection for a larger one
MAX_REQUEST_ID = 64

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
SESSION_TYPE = Text(
    name="SessionType",
    most=32,
    choices=("Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port"),
)
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
RECONNECT = Flag(name="Reconnect")
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
