"""Operations on sessions."""

from __future__ import annotations

from hatchway.core import errors
from hatchway.core.api.access import PRINCIPAL_ARN
from hatchway.core.api.members import (
    INSTANCE_RESOURCE,
    MORE,
    OPENED,
    PAGING,
    SESSION_IN_PATH,
    SESSION_RESOURCE,
    node_member,
)
from hatchway.core.api.vocabulary import (
    ALL,
    DOCUMENT_NAME,
    FILTER_KEYS,
    FILTERS,
    MAX_PAGE,
    NEXT_TOKEN,
    NODE_ID,
    PARAMETERS,
    REASON,
    RECONNECT,
    REQUEST_TOKEN,
    SESSION,
    SESSION_COUNT,
    SESSION_ID,
    STATE,
)
from hatchway.core.shapes import Many, Member, Operation, Place

START_SESSION = Operation(
    name="StartSession",
    method="POST",
    path="/nodes/{nodeId}/sessions",
    doc="Starts a session on a node. The answer's token opens its stream.",
    action="ssm:StartSession",
    resource=INSTANCE_RESOURCE,
    takes=(
        node_member("Target"),
        Member(
            name="DocumentName",
            type=DOCUMENT_NAME,
            doc="The session document: name or ARN, and `:version`.",
        ),
        Member(name="Reason", type=REASON, doc="Why the session is needed."),
        Member(name="Parameters", type=PARAMETERS, doc="Values of the document's parameters."),
        Member(
            name="ClientRequestToken",
            type=REQUEST_TOKEN,
            doc="The same token again gives the same session and a new stream token.",
            idempotency=True,
        ),
    ),
    gives=OPENED,
    raises=(
        errors.TargetNotConnected,
        errors.InvalidDocument,
        errors.InvalidDocumentVersion,
        errors.InvalidParameters,
        errors.BelowAccountFloor,
        errors.ReasonRequired,
        errors.RunAsRefused,
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
        *PAGING,
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
        MORE,
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
    takes=(SESSION_IN_PATH,),
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
    takes=(
        SESSION_IN_PATH,
        Member(
            name="Reconnect",
            type=RECONNECT,
            doc="True for a client that restores a lost connection by itself: the idle time, which "
            "a person who resumes begins anew, goes on.",
        ),
    ),
    gives=OPENED,
    raises=(errors.DoesNotExistException, errors.ConflictException),
)
TERMINATE_SESSION = Operation(
    name="TerminateSession",
    method="DELETE",
    path="/sessions/{sessionId}",
    doc="Ends a session for good. Ending it again changes nothing.",
    action="ssm:TerminateSession",
    resource=SESSION_RESOURCE,
    takes=(SESSION_IN_PATH,),
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
        MORE,
    ),
    raises=(errors.InvalidNextToken, errors.UnsupportedNodeType),
)
