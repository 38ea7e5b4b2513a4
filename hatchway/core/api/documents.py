"""Operations on session documents: Systems Manager's own, for documents of type Session."""

from __future__ import annotations

from hatchway.core import errors
from hatchway.core.api.members import DOCUMENT_RESOURCE, MORE, PAGING
from hatchway.core.api.vocabulary import LABEL, MAX_PAGE, MOMENT
from hatchway.core.shapes import Flag, Many, Member, Operation, Place, Record, Text

#: Characters of a document as it is written; with its escapes, a body holds no more.
MAX_DOCUMENT_CONTENT = 48 * 1024

SHORT_NAME = Text(name="DocumentShortName", most=128, least=3, pattern=r"^[a-zA-Z0-9_.-]{3,128}$")
DOCUMENT_VERSION = Text(name="DocumentVersionNumber", most=8, pattern=r"^[1-9][0-9]{0,7}$")
DOCUMENT_VERSION_CHOICE = Text(
    name="DocumentVersionChoice", most=8, pattern=r"^(?:[1-9][0-9]{0,7}|\$LATEST|\$DEFAULT)$"
)
DOCUMENT_CONTENT = Text(name="DocumentContent", most=MAX_DOCUMENT_CONTENT)
DOCUMENT_FORMAT = Text(name="DocumentFormat", most=4, choices=("JSON", "YAML"))
DOCUMENT_KIND = Text(name="DocumentType", most=15, choices=("Session", "PreferenceRules"))
DOCUMENT_DIGEST = Text(name="DocumentHash", most=64, least=64, pattern=r"^[0-9a-f]{64}$")
DOCUMENT_DIGEST_KIND = Text(name="DocumentHashType", most=6, choices=("Sha256",))
DOCUMENT_STATUS = Text(name="DocumentStatus", most=8, choices=("Active",))
DOCUMENT_OWNER = Text(name="DocumentOwner", most=12)

_NAMED = Member(
    name="Name",
    type=SHORT_NAME,
    doc="The document's name.",
    place=Place.PATH,
    wire="documentName",
    required=True,
)
_CONTENT = Member(
    name="Content", type=DOCUMENT_CONTENT, doc="The document, as JSON or YAML.", required=True
)
_FORMAT = Member(
    name="DocumentFormat", type=DOCUMENT_FORMAT, doc="How it is written; JSON unless said."
)
_VERSION = Member(name="DocumentVersion", type=DOCUMENT_VERSION, doc="The version.")

DOCUMENT_DESCRIPTION = Record(
    name="DocumentDescription",
    members=(
        Member(name="Name", type=SHORT_NAME, doc="The document's name."),
        Member(name="Owner", type=DOCUMENT_OWNER, doc="The account, or Amazon."),
        Member(name="DocumentType", type=DOCUMENT_KIND, doc="What it is for."),
        Member(name="DocumentVersion", type=DOCUMENT_VERSION, doc="The version described."),
        Member(name="LatestVersion", type=DOCUMENT_VERSION, doc="The newest version."),
        Member(name="DefaultVersion", type=DOCUMENT_VERSION, doc="The version that sessions get."),
        Member(name="SchemaVersion", type=LABEL, doc="The schema, 1.0."),
        Member(name="DocumentFormat", type=DOCUMENT_FORMAT, doc="How it was written."),
        Member(name="Description", type=LABEL, doc="What its author says of it."),
        Member(name="CreatedDate", type=MOMENT, doc="When that version was written."),
        Member(name="Status", type=DOCUMENT_STATUS, doc="Versions are usable at once."),
        Member(name="Hash", type=DOCUMENT_DIGEST, doc="SHA-256 of the content."),
        Member(name="HashType", type=DOCUMENT_DIGEST_KIND, doc="The kind of hash."),
        Member(name="Author", type=LABEL, doc="Who wrote that version (ARN)."),
    ),
)
DOCUMENT_IDENTIFIER = Record(
    name="DocumentIdentifier",
    members=(
        Member(name="Name", type=SHORT_NAME, doc="The document's name."),
        Member(name="Owner", type=DOCUMENT_OWNER, doc="The account, or Amazon."),
        Member(name="DocumentType", type=DOCUMENT_KIND, doc="What it is for."),
        Member(name="DocumentVersion", type=DOCUMENT_VERSION, doc="The default version."),
        Member(name="LatestVersion", type=DOCUMENT_VERSION, doc="The newest version."),
        Member(name="SchemaVersion", type=LABEL, doc="The schema, 1.0."),
        Member(name="CreatedDate", type=MOMENT, doc="When the document was made."),
    ),
)
DOCUMENT_VERSION_INFO = Record(
    name="DocumentVersionInfo",
    members=(
        Member(name="Name", type=SHORT_NAME, doc="The document's name."),
        Member(name="DocumentVersion", type=DOCUMENT_VERSION, doc="The version."),
        Member(name="CreatedDate", type=MOMENT, doc="When it was written."),
        Member(name="IsDefaultVersion", type=Flag(name="Flag"), doc="Whether sessions get it."),
        Member(name="DocumentFormat", type=DOCUMENT_FORMAT, doc="How it was written."),
        Member(name="Hash", type=DOCUMENT_DIGEST, doc="SHA-256 of the content."),
        Member(name="Author", type=LABEL, doc="Who wrote it (ARN)."),
    ),
)
_DESCRIBED = (
    Member(name="Document", type=DOCUMENT_DESCRIPTION, doc="The document.", required=True),
)
_INVALID = (
    errors.InvalidDocumentContent,
    errors.InvalidDocumentSchemaVersion,
    errors.MaxDocumentSizeExceeded,
    errors.BelowAccountFloor,
)

CREATE_DOCUMENT = Operation(
    name="CreateDocument",
    method="POST",
    path="/documents",
    doc="Makes a session document, or the preference rules (Hatchway-PreferenceRules).",
    action="ssm:CreateDocument",
    resource=DOCUMENT_RESOURCE,
    takes=(
        Member(name="Name", type=SHORT_NAME, doc="The document's name.", required=True),
        _CONTENT,
        _FORMAT,
        Member(
            name="DocumentType", type=DOCUMENT_KIND, doc="What it is for; the name says it as well."
        ),
    ),
    gives=_DESCRIBED,
    raises=(
        errors.DocumentAlreadyExists,
        errors.DocumentLimitExceeded,
        errors.InvalidDocumentOperation,
        *_INVALID,
    ),
)
UPDATE_DOCUMENT = Operation(
    name="UpdateDocument",
    method="PUT",
    path="/documents/{documentName}",
    doc="Adds a version. Sessions get it when it is made the default one; of "
    "SSM-SessionManagerRunShell and Hatchway-PreferenceRules they get it at once.",
    action="ssm:UpdateDocument",
    resource=DOCUMENT_RESOURCE,
    takes=(
        _NAMED,
        _CONTENT,
        _FORMAT,
        Member(
            name="DocumentVersion",
            type=DOCUMENT_VERSION_CHOICE,
            doc="The newest version as the caller knows it: refused where there is a newer one.",
        ),
    ),
    gives=_DESCRIBED,
    raises=(
        errors.InvalidDocument,
        errors.InvalidDocumentVersion,
        errors.InvalidDocumentOperation,
        errors.DuplicateDocumentContent,
        errors.DocumentVersionLimitExceeded,
        errors.ConflictException,
        *_INVALID,
    ),
)
UPDATE_DOCUMENT_DEFAULT_VERSION = Operation(
    name="UpdateDocumentDefaultVersion",
    method="PUT",
    path="/documents/{documentName}/default-version",
    doc="Says which version sessions get.",
    action="ssm:UpdateDocumentDefaultVersion",
    resource=DOCUMENT_RESOURCE,
    takes=(
        _NAMED,
        Member(name="DocumentVersion", type=DOCUMENT_VERSION, doc="The version.", required=True),
    ),
    gives=_DESCRIBED,
    raises=(
        errors.InvalidDocument,
        errors.InvalidDocumentVersion,
        errors.InvalidDocumentOperation,
        errors.ConflictException,
        errors.BelowAccountFloor,
    ),
)
DESCRIBE_DOCUMENT = Operation(
    name="DescribeDocument",
    method="GET",
    path="/documents/{documentName}",
    doc="Describes a document: its default version unless another is asked for.",
    action="ssm:DescribeDocument",
    resource=DOCUMENT_RESOURCE,
    takes=(
        _NAMED,
        Member(
            name="DocumentVersion",
            type=DOCUMENT_VERSION_CHOICE,
            doc="A number, $LATEST or $DEFAULT.",
            place=Place.QUERY,
        ),
    ),
    gives=_DESCRIBED,
    raises=(errors.InvalidDocument, errors.InvalidDocumentVersion),
)
GET_DOCUMENT = Operation(
    name="GetDocument",
    method="GET",
    path="/documents/{documentName}/content",
    doc="Gives a version's content: the default one's unless another is asked for.",
    action="ssm:GetDocument",
    resource=DOCUMENT_RESOURCE,
    takes=(
        *DESCRIBE_DOCUMENT.takes,
        Member(
            name="DocumentFormat",
            type=DOCUMENT_FORMAT,
            doc="JSON converts what was written as YAML; as it was written unless said.",
            place=Place.QUERY,
        ),
    ),
    gives=(
        Member(name="Name", type=SHORT_NAME, doc="The document's name."),
        _VERSION,
        Member(name="DocumentType", type=DOCUMENT_KIND, doc="What it is for."),
        Member(name="DocumentFormat", type=DOCUMENT_FORMAT, doc="How the content is written."),
        Member(name="Content", type=DOCUMENT_CONTENT, doc="The content."),
        Member(name="CreatedDate", type=MOMENT, doc="When it was written."),
        Member(name="Status", type=DOCUMENT_STATUS, doc="Versions are usable at once."),
    ),
    raises=(errors.InvalidDocument, errors.InvalidDocumentVersion),
)
LIST_DOCUMENTS = Operation(
    name="ListDocuments",
    method="GET",
    path="/documents",
    doc="Lists the documents by name; the built-in ones come with the first page, above its size.",
    action="ssm:ListDocuments",
    resource="*",
    takes=PAGING,
    gives=(
        Member(
            name="DocumentIdentifiers",
            type=Many(
                name="DocumentIdentifierList", element=DOCUMENT_IDENTIFIER, most=MAX_PAGE + 10
            ),
            doc="The documents.",
            required=True,
        ),
        MORE,
    ),
    raises=(errors.InvalidNextToken,),
    paginated="DocumentIdentifiers",
)
LIST_DOCUMENT_VERSIONS = Operation(
    name="ListDocumentVersions",
    method="GET",
    path="/documents/{documentName}/versions",
    doc="Lists a document's versions, newest first.",
    action="ssm:ListDocumentVersions",
    resource=DOCUMENT_RESOURCE,
    takes=(_NAMED, *PAGING),
    gives=(
        Member(
            name="DocumentVersions",
            type=Many(name="DocumentVersionList", element=DOCUMENT_VERSION_INFO, most=MAX_PAGE),
            doc="The versions.",
            required=True,
        ),
        MORE,
    ),
    raises=(errors.InvalidDocument, errors.InvalidNextToken),
    paginated="DocumentVersions",
)
DELETE_DOCUMENT = Operation(
    name="DeleteDocument",
    method="DELETE",
    path="/documents/{documentName}",
    doc="Removes a document with all of its versions, or one version that is not the default. "
    "Sessions that run go on with what they were started with. Of SSM-SessionManagerRunShell the "
    "built-in preferences remain.",
    action="ssm:DeleteDocument",
    resource=DOCUMENT_RESOURCE,
    takes=(
        _NAMED,
        Member(
            name="DocumentVersion",
            type=DOCUMENT_VERSION,
            doc="Removes this version alone.",
            place=Place.QUERY,
        ),
    ),
    gives=(Member(name="Name", type=SHORT_NAME, doc="The document's name."),),
    raises=(
        errors.InvalidDocument,
        errors.InvalidDocumentVersion,
        errors.InvalidDocumentOperation,
        errors.ConflictException,
    ),
)
DOCUMENT_OPERATIONS: tuple[Operation, ...] = (
    CREATE_DOCUMENT,
    UPDATE_DOCUMENT,
    UPDATE_DOCUMENT_DEFAULT_VERSION,
    DESCRIBE_DOCUMENT,
    GET_DOCUMENT,
    LIST_DOCUMENTS,
    LIST_DOCUMENT_VERSIONS,
    DELETE_DOCUMENT,
)
