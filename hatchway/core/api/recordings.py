"""Operations on recordings: reading, searching, and what it takes to check one."""

from __future__ import annotations

from hatchway.core import errors
from hatchway.core.api.members import MORE, PAGING, SESSION_IN_PATH, SESSION_RESOURCE
from hatchway.core.api.vocabulary import LABEL, MAX_PAGE, NEXT_TOKEN, SESSION_ID
from hatchway.core.shapes import Flag, Many, Member, Number, Operation, Place, Record, Text
from hatchway.core.transcript.chunks import MAX_LINE
from hatchway.core.transcript.evidence import MAX_MANIFEST
from hatchway.core.transcript.search import MAX_NEEDLE

#: Lines, and matches, of one answer.
MAX_LINES = 20_000
MAX_MATCHES = 500
#: ssm:GetSessionRecording has no counterpart in Systems Manager, where recordings are files.
READ_RECORDING = "ssm:GetSessionRecording"

_DATE = Text(name="RecordingDate", most=10, least=10, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_INDEX = Number(name="ChunkIndex", least=0, most=999_999_999)
_LINE = Text(name="RecordingLine", most=MAX_LINE, secret=True)
_NEEDLE = Text(name="SearchText", most=MAX_NEEDLE, secret=True)
_FOUND = Text(name="FoundText", most=2048, least=0, secret=True)
_BASE64 = Text(name="Base64Text", most=1024)
_ON = Member(
    name="Date",
    type=_DATE,
    doc="The day of the session's start (UTC), for a recording whose session is forgotten.",
    place=Place.QUERY,
)
_RAISES = (errors.DoesNotExistException, errors.MalformedRecording)

MATCH = Record(
    name="RecordingMatch",
    members=(
        Member(name="Line", type=_INDEX, doc="The line, from 1.", required=True),
        Member(
            name="Milliseconds",
            type=Number(name="Milliseconds", least=0, most=2**53),
            doc="Since the recording's beginning.",
            required=True,
        ),
        Member(name="Text", type=_FOUND, doc="What stood there, shortened.", required=True),
    ),
)

GET_SESSION_RECORDING = Operation(
    name="GetSessionRecording",
    method="GET",
    path="/sessions/{sessionId}/recording",
    doc="A page of a recording: chunks as they are stored, one JSON document a line, from an index "
    "on. Of a session that goes on, also those that are not archived yet.",
    action=READ_RECORDING,
    resource=SESSION_RESOURCE,
    takes=(
        SESSION_IN_PATH,
        Member(name="Index", type=_INDEX, doc="The first chunk; 0 unless said.", place=Place.QUERY),
        _ON,
    ),
    gives=(
        Member(
            name="Lines",
            type=Many(name="RecordingLineList", element=_LINE, most=MAX_LINES),
            doc="The chunks, as stored.",
            required=True,
        ),
        Member(name="Index", type=_INDEX, doc="The index of the first one.", required=True),
        Member(
            name="NextIndex",
            type=_INDEX,
            doc="Where to read on, now or later; absent at the end of a recording that is over.",
        ),
        Member(
            name="Segment",
            type=LABEL,
            doc="The object that they are from; absent for what is not archived yet.",
        ),
        Member(
            name="Missing",
            type=Flag(name="Missing"),
            doc="The object is not there, or cannot be read.",
        ),
    ),
    raises=_RAISES,
)
GET_RECORDING_MANIFEST = Operation(
    name="GetRecordingManifest",
    method="GET",
    path="/sessions/{sessionId}/recording/manifest",
    doc="The newest signed manifest of a recording, and the key to check it with.",
    action=READ_RECORDING,
    resource=SESSION_RESOURCE,
    takes=(SESSION_IN_PATH, _ON),
    gives=(
        Member(
            name="Manifest",
            type=Text(name="RecordingManifest", most=MAX_MANIFEST),
            doc="The bytes that are signed, as text.",
            required=True,
        ),
        Member(name="Signature", type=_BASE64, doc="DER, base64.", required=True),
        Member(name="Algorithm", type=LABEL, doc="KMS's name of it.", required=True),
        Member(name="KeyId", type=LABEL, doc="The ARN of the key.", required=True),
        Member(
            name="PublicKey",
            type=_BASE64,
            doc="SubjectPublicKeyInfo, DER, base64. Whoever does not trust the service's word asks "
            "KMS for it.",
            required=True,
        ),
    ),
    raises=_RAISES,
)
SEARCH_SESSION_RECORDING = Operation(
    name="SearchSessionRecording",
    method="POST",
    path="/sessions/{sessionId}/recording/search",
    doc="The lines of a recording, as a person could read them, that hold a text.",
    action=READ_RECORDING,
    resource=SESSION_RESOURCE,
    takes=(
        SESSION_IN_PATH,
        Member(
            name="Text",
            type=_NEEDLE,
            doc="All in lower case, it is found in any; otherwise exactly as it is.",
            required=True,
        ),
        Member(name="NextToken", type=NEXT_TOKEN, doc="Where the last answer ended."),
    ),
    gives=(
        Member(
            name="Matches",
            type=Many(name="RecordingMatchList", element=MATCH, most=MAX_MATCHES),
            doc="The lines.",
            required=True,
        ),
        MORE,
    ),
    raises=(*_RAISES, errors.InvalidNextToken),
)
LIST_RECORDINGS = Operation(
    name="ListRecordings",
    method="GET",
    path="/recordings",
    doc="The sessions of one day of which the archive has a recording.",
    action="ssm:DescribeSessions",
    resource="*",
    takes=(
        Member(
            name="Date",
            type=_DATE,
            doc="The day of their start (UTC).",
            place=Place.QUERY,
            required=True,
        ),
        PAGING[1],
    ),
    gives=(
        Member(
            name="SessionIds",
            type=Many(name="RecordedSessionList", element=SESSION_ID, most=5 * MAX_PAGE),
            doc="The sessions.",
            required=True,
        ),
        MORE,
    ),
    raises=(errors.InvalidNextToken,),
)

RECORDING_OPERATIONS = (
    GET_SESSION_RECORDING,
    GET_RECORDING_MANIFEST,
    SEARCH_SESSION_RECORDING,
    LIST_RECORDINGS,
)
