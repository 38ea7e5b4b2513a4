"""Members and resources that several operations have in common."""

from __future__ import annotations

from hatchway.core.api.vocabulary import (
    MAX_RESULTS,
    NEXT_TOKEN,
    NODE_ID,
    ROLE_ID,
    SESSION_ID,
    SESSION_TYPE,
    STREAM_URL,
    TOKEN_VALUE,
)
from hatchway.core.shapes import Member, Number, Place

PRINCIPAL_RESOURCE = "{principalArn}"
INSTANCE_RESOURCE = "arn:{partition}:ec2:{region}:{account}:instance/{nodeId}"
SESSION_RESOURCE = "arn:{partition}:ssm:{region}:{account}:session/{sessionId}"
DOCUMENT_RESOURCE = "arn:{partition}:ssm:{region}:{account}:document/{documentName}"


def node_member(name: str) -> Member:
    return Member(
        name=name,
        type=NODE_ID,
        doc="The node, an EC2 instance id.",
        place=Place.PATH,
        wire="nodeId",
        required=True,
    )


SESSION_IN_PATH = Member(
    name="SessionId",
    type=SESSION_ID,
    doc="The session.",
    place=Place.PATH,
    wire="sessionId",
    required=True,
)
ROLE_IN_PATH = Member(
    name="RoleId",
    type=ROLE_ID,
    doc="The role's unique id.",
    place=Place.PATH,
    wire="roleId",
    required=True,
)
PAGING = (
    Member(name="MaxResults", type=MAX_RESULTS, doc="At most so many.", place=Place.QUERY),
    Member(name="NextToken", type=NEXT_TOKEN, doc="Where the last page ended.", place=Place.QUERY),
)
MORE = Member(name="NextToken", type=NEXT_TOKEN, doc="Where the next page begins, if any.")
OPENED = (
    Member(name="SessionId", type=SESSION_ID, doc="The session."),
    Member(name="TokenValue", type=TOKEN_VALUE, doc="Opens the stream once, within 60 s."),
    Member(name="StreamUrl", type=STREAM_URL, doc="Where the stream API is (wss)."),
    Member(name="SessionType", type=SESSION_TYPE, doc="What its document runs."),
)


def page_of(name: str, most: int) -> tuple[Member, ...]:
    return (
        Member(
            name="MaxResults",
            type=Number(name=name, least=1, most=most),
            doc="At most so many are looked at; a page may hold fewer, or none.",
            place=Place.QUERY,
        ),
        PAGING[1],
    )
