"""The one place where botocore's errors become Hatchway's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as aws

from hatchway.core import errors

# Codes of API Gateway and IAM that a signed request may meet before Hatchway sees it.
_GATEWAY = {
    "AccessDenied": errors.AccessDeniedException,
    "ForbiddenException": errors.AccessDeniedException,
    "MissingAuthenticationToken": errors.CredentialsInvalid,
    "MissingAuthenticationTokenException": errors.CredentialsInvalid,
    "IncompleteSignature": errors.CredentialsInvalid,
    "IncompleteSignatureException": errors.CredentialsInvalid,
    "InvalidSignatureException": errors.CredentialsInvalid,
    "SignatureDoesNotMatch": errors.CredentialsInvalid,
    "UnrecognizedClientException": errors.CredentialsInvalid,
    "InvalidClientTokenId": errors.CredentialsInvalid,
    "ExpiredToken": errors.CredentialsInvalid,
    "ExpiredTokenException": errors.CredentialsInvalid,
    "TooManyRequestsException": errors.ThrottlingException,
}
_STATUS: dict[int, type[errors.HatchwayError]] = {
    401: errors.CredentialsInvalid,
    403: errors.AccessDeniedException,
    404: errors.DoesNotExistException,
    413: errors.PayloadTooLarge,
    429: errors.ThrottlingException,
}
_NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.ProfileNotFound,
    aws.SSOError,
    aws.TokenRetrievalError,
    aws.NoAuthTokenError,
    aws.MetadataRetrievalError,
    aws.UnauthorizedSSOTokenError,
)
_UNREACHABLE = (
    aws.HTTPClientError,
    aws.ConnectionError,
    aws.ReadTimeoutError,
    aws.ConnectTimeoutError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raises Hatchway's error in place of botocore's; AWS's request id is kept."""
    try:
        yield
    except aws.ClientError as error:
        raise of_response(error) from error
    except _NO_CREDENTIALS as error:
        raise errors.CredentialsInvalid(f"No usable AWS credentials: {error}") from error
    except aws.SSLError as error:
        raise errors.CertificateRefused() from error
    except _UNREACHABLE as error:
        raise errors.ServiceUnreachable(f"The service cannot be reached: {error}") from error
    except aws.ParamValidationError as error:
        report = " ".join(str(error.kwargs.get("report", "")).split())
        raise errors.ValidationException(report or "A parameter is not valid.") from error
    except aws.BotoCoreError as error:
        raise errors.ConfigurationInvalid(f"The AWS configuration: {error}") from error


def of_response(error: aws.ClientError) -> errors.HatchwayError:
    """The error that an answer with a failure status means."""
    details = error.response.get("Error", {})
    about = error.response.get("ResponseMetadata", {})
    code = str(details.get("Code", ""))
    kind = _kind(code, int(about.get("HTTPStatusCode", 500)))
    found = kind(str(details.get("Message") or ""))
    found.request_id = str(about.get("RequestId") or "")
    return found


def _kind(code: str, status: int) -> type[errors.HatchwayError]:
    known = errors.by_code(code)
    if known is not errors.InternalServerError or code == errors.InternalServerError.code:
        return known
    if code in _GATEWAY:
        return _GATEWAY[code]
    if status in _STATUS:
        return _STATUS[status]
    return errors.ValidationException if 400 <= status < 500 else errors.InternalServerError
