"""Looking up calls in the audit trail."""

from __future__ import annotations

from hatchway.core import errors
from hatchway.core.api.members import MORE
from hatchway.core.api.vocabulary import MOMENT, NEXT_TOKEN, NODE_ID
from hatchway.core.shapes import Many, Member, Operation, Place, Record, Text

USER = Text(name="AuditUser", most=320, pattern=r"^[^\x00-\x1f\x7f\"\\]+$")
EVENT_NAME = Text(name="AuditEventName", most=128, pattern=r"^[A-Za-z0-9$ /{}]+$")
EPOCH = Text(name="EpochSeconds", most=12, pattern=r"^[0-9]{1,12}$")
RECORD = Text(name="AuditRecord", most=65536)

EVENT = Record(
    name="AuditEvent",
    members=(
        Member(name="EventId", type=Text(name="EventId", most=64), doc="The record's eventID."),
        Member(name="EventName", type=EVENT_NAME, doc="The operation."),
        Member(name="EventTime", type=MOMENT, doc="When it was called."),
        Member(name="Record", type=RECORD, doc="The record, JSON in CloudTrail's format."),
    ),
)
LOOKUP_EVENTS = Operation(
    name="LookupEvents",
    method="GET",
    path="/audit/events",
    doc="Looks up API calls, allowed and refused ones, oldest first: all that is asked for must "
    "hold. A page may hold no call and not be the last one.",
    action="cloudtrail:LookupEvents",
    resource="*",
    takes=(
        Member(
            name="User",
            type=USER,
            doc="A user's or role session's name, or a whole ARN or aws:userid.",
            place=Place.QUERY,
        ),
        Member(name="Target", type=NODE_ID, doc="The node.", place=Place.QUERY),
        Member(name="EventName", type=EVENT_NAME, doc="The operation.", place=Place.QUERY),
        Member(
            name="StartTime",
            type=EPOCH,
            doc="The earliest, unix seconds; an hour ago if absent.",
            place=Place.QUERY,
        ),
        Member(name="EndTime", type=EPOCH, doc="The latest; now if absent.", place=Place.QUERY),
        Member(
            name="NextToken",
            type=NEXT_TOKEN,
            doc="Where the last page ended.",
            place=Place.QUERY,
        ),
    ),
    gives=(
        Member(
            name="Events",
            type=Many(name="AuditEventList", element=EVENT, most=1000),
            doc="The calls.",
            required=True,
        ),
        MORE,
    ),
    raises=(errors.InvalidNextToken,),
    paginated="Events",
)
