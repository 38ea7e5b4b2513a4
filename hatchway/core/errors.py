"""Every error Hatchway reports: one root, stable codes for the wire, the logs and the exit status.

Codes that Systems Manager has keep its names, so that a client written for it understands them.
A peer is sent `code` and `message`; a message therefore never quotes a secret or another error.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType


class Exit(IntEnum):
    """Exit statuses of the command line that do not come from the remote process."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    DENIED = 3
    NOT_FOUND = 4
    NOT_CONNECTED = 5
    THROTTLED = 6
    CONNECTION_LOST = 7
    CONFLICT = 8
    INTERNAL = 70


class HatchwayError(Exception):
    """The root. `message` is safe to show to the peer that caused it."""

    code = "InternalServerError"
    status = 500
    exit = Exit.INTERNAL
    fault = "server"
    #: AWS's id of the request that failed, where a client learnt of one.
    request_id = ""
    #: What the service's own log says besides; the peer never sees it, and it holds no secret.
    evidence: Mapping[str, str | int] = MappingProxyType({})

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__ or self.code)
        self.message = message or (self.__doc__ or self.code).strip().splitlines()[0]


class ClientFault(HatchwayError):
    """The request cannot be served as it was made."""

    code = "ValidationException"
    status = 400
    exit = Exit.USAGE
    fault = "client"


# --- people API ---------------------------------------------------------------------------------


class InternalServerError(HatchwayError):
    """The service failed; the request can be tried again."""


class ValidationException(ClientFault):
    """A member of the request is missing, unknown or malformed."""


class InvalidFilterKey(ClientFault):
    """A filter key is not one of those the operation knows."""

    code = "InvalidFilterKey"


class InvalidNextToken(ClientFault):
    """The pagination token was not issued for this request."""

    code = "InvalidNextToken"


class InvalidDocument(ClientFault):
    """The session document does not exist or cannot be used."""

    code = "InvalidDocument"


class InvalidDocumentContent(ClientFault):
    """The content of the session document is not valid."""

    code = "InvalidDocumentContent"


class InvalidDocumentSchemaVersion(ClientFault):
    """Session documents have the schema version 1.0."""

    code = "InvalidDocumentSchemaVersion"


class InvalidDocumentVersion(ClientFault):
    """The document has no such version."""

    code = "InvalidDocumentVersion"
    status = 404
    exit = Exit.NOT_FOUND


class InvalidDocumentOperation(ClientFault):
    """The document cannot be changed in this way."""

    code = "InvalidDocumentOperation"


class InvalidParameters(ClientFault):
    """A parameter is missing, unknown, or has a value that the document does not take."""

    code = "InvalidParameters"


class DocumentAlreadyExists(ClientFault):
    """There is a session document of this name."""

    code = "DocumentAlreadyExists"
    status = 409
    exit = Exit.CONFLICT


class DuplicateDocumentContent(ClientFault):
    """The newest version has the same content."""

    code = "DuplicateDocumentContent"
    status = 409
    exit = Exit.CONFLICT


class DocumentLimitExceeded(ClientFault):
    """This deployment has as many session documents as it may have."""

    code = "DocumentLimitExceeded"
    status = 409
    exit = Exit.THROTTLED


class DocumentVersionLimitExceeded(ClientFault):
    """The document has as many versions as it may have."""

    code = "DocumentVersionLimitExceeded"
    status = 409
    exit = Exit.THROTTLED


class MaxDocumentSizeExceeded(ClientFault):
    """The content is larger than a session document may be."""

    code = "MaxDocumentSizeExceeded"
    status = 413


class BelowAccountFloor(ClientFault):
    """The document asks for less than the deployment demands of every session."""

    code = "BelowAccountFloor"


class ReasonRequired(ClientFault):
    """The session document demands a reason, or one of another form."""

    code = "ReasonRequired"


class RunAsRefused(ClientFault):
    """The session document demands a run-as user, and none can be taken for this caller."""

    code = "RunAsRefused"
    status = 403
    exit = Exit.DENIED


class IdempotentParameterMismatch(ClientFault):
    """The client request token was used before with other parameters."""

    code = "IdempotentParameterMismatch"
    exit = Exit.CONFLICT


class AccessDeniedException(ClientFault):
    """The caller's policies do not allow the request."""

    code = "AccessDeniedException"
    status = 403
    exit = Exit.DENIED


class DoesNotExistException(ClientFault):
    """There is no such session."""

    code = "DoesNotExistException"
    status = 404
    exit = Exit.NOT_FOUND


class TargetNotConnected(ClientFault):
    """The node's agent is not connected."""

    code = "TargetNotConnected"
    status = 409
    exit = Exit.NOT_CONNECTED


class UnsupportedNodeType(ClientFault):
    """Only EC2 instances (i-…) can be reached; mi-… nodes cannot enrol yet."""

    code = "UnsupportedNodeType"


class LimitExceededException(ClientFault):
    """A limit of this deployment is reached."""

    code = "LimitExceededException"
    status = 409
    exit = Exit.THROTTLED


class ThrottlingException(ClientFault):
    """Too many requests, or a dependency is throttled; try again later."""

    code = "ThrottlingException"
    status = 429
    exit = Exit.THROTTLED


class PayloadTooLarge(ClientFault):
    """The request is larger than the operation takes."""

    code = "PayloadTooLarge"
    status = 413


class ConflictException(ClientFault):
    """The session changed while it was being changed; try again."""

    code = "ConflictException"
    status = 409
    exit = Exit.CONFLICT


# --- agent API ----------------------------------------------------------------------------------


class NodeRefused(ClientFault):
    """The caller is not this node: role, instance or enrolment does not match."""

    code = "NodeRefused"
    status = 403
    exit = Exit.DENIED


class SessionEnded(ClientFault):
    """The session is over; the agent ends what it runs for it."""

    code = "SessionEnded"
    status = 410
    exit = Exit.NOT_FOUND


class ClientGone(ClientFault):
    """The client's connection is closed; output waits for the next one."""

    code = "ClientGone"
    status = 410
    exit = Exit.CONNECTION_LOST


class TicketInvalid(ClientFault):
    """The ticket is malformed, forged, or for another session or node."""

    code = "TicketInvalid"
    status = 403
    exit = Exit.DENIED


class TicketExpired(ClientFault):
    """The ticket has expired; renew it."""

    code = "TicketExpired"
    status = 403
    exit = Exit.DENIED


class TokenInvalid(ClientFault):
    """The token is unknown, used, expired, or for another session."""

    code = "TokenInvalid"
    status = 401
    exit = Exit.DENIED


# --- pure core ----------------------------------------------------------------------------------


class ProtocolError(HatchwayError):
    """The peer sent what the protocol does not allow."""

    code = "ProtocolError"
    status = 400
    exit = Exit.CONNECTION_LOST
    fault = "client"


class MalformedMessage(ProtocolError):
    """A message cannot be parsed."""

    code = "MalformedMessage"


class RecordingUnavailable(HatchwayError):
    """The session must be recorded, and the recording cannot be stored."""

    code = "RecordingUnavailable"
    status = 503
    exit = Exit.FAILURE


class LogDestinationRefused(ClientFault):
    """The session document's log destination cannot be used."""

    code = "LogDestinationRefused"


class LogDestinationAbsent(ClientFault):
    """The session document's log destination does not exist."""

    code = "LogDestinationAbsent"


class LogDestinationDenied(ClientFault):
    """The session document's log destination does not let Hatchway write to it."""

    code = "LogDestinationDenied"


class MalformedRecording(HatchwayError):
    """A part of a recording is not as the archive writes it."""

    code = "MalformedRecording"
    exit = Exit.FAILURE


class SealBroken(ProtocolError):
    """A sealed message is forged, expired, replayed or for another session."""

    code = "SealBroken"


class MarkInvalid(ProtocolError):
    """A mark of activity is malformed, forged, or of another session."""

    code = "MarkInvalid"


class IllegalTransition(HatchwayError):
    """The event is not allowed in the session's state; nothing was changed."""

    code = "IllegalTransition"
    status = 409
    exit = Exit.CONFLICT


class ChannelFailed(HatchwayError):
    """The data channel gave up: the peer is gone or broke the protocol."""

    code = "ChannelFailed"
    exit = Exit.CONNECTION_LOST


# --- client -------------------------------------------------------------------------------------


class ConfigurationInvalid(ClientFault):
    """The configuration is missing or wrong."""

    code = "ConfigurationInvalid"


class CredentialsInvalid(ClientFault):
    """There are no usable AWS credentials."""

    code = "CredentialsInvalid"
    exit = Exit.DENIED


class TargetUnknown(ClientFault):
    """No node matches the target."""

    code = "TargetUnknown"
    exit = Exit.NOT_FOUND


class TargetAmbiguous(ClientFault):
    """Several nodes match the target."""

    code = "TargetAmbiguous"


class ServiceUnreachable(ClientFault):
    """The service cannot be reached."""

    code = "ServiceUnreachable"
    exit = Exit.CONNECTION_LOST


class CertificateRefused(ClientFault):
    """The server's certificate or TLS version is not acceptable."""

    code = "CertificateRefused"
    exit = Exit.CONNECTION_LOST


class ConnectionLost(ClientFault):
    """The connection was lost and could not be restored."""

    code = "ConnectionLost"
    exit = Exit.CONNECTION_LOST


class TakenOver(ClientFault):
    """Another client of the same owner took the session over."""

    code = "TakenOver"
    exit = Exit.CONFLICT


def _family(root: type[HatchwayError]) -> list[type[HatchwayError]]:
    return [kind for sub in root.__subclasses__() for kind in (sub, *_family(sub))]


def by_code(code: str) -> type[HatchwayError]:
    """The class of a code that came over the wire; InternalServerError for an unknown one.

    A class elsewhere that narrows one of these has its code; the code means the one here.
    """
    known = [kind for kind in _family(HatchwayError) if kind is not ClientFault]
    known.sort(key=lambda kind: kind.__module__ == __name__)
    return {kind.code: kind for kind in known}.get(code, InternalServerError)
