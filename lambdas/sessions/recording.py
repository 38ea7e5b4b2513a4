"""What StartSession asks of the recording: a place, and logs kept as the document demands."""

from __future__ import annotations

from collections.abc import Callable

from hatchway.core import documents
from hatchway.core.documents import Inputs
from hatchway.core.errors import (
    HatchwayError,
    LogDestinationAbsent,
    LogDestinationDenied,
    LogDestinationRefused,
    RecordingUnavailable,
)
from hatchway.core.recording import Mode
from lambdas.ports import Session
from lambdas.sessions.service import Service
from lambdas.terms import terms_of

_UNENCRYPTED = (
    "{what} is not encrypted, and the session document demands that its logs are ({field})."
)


def begin_recording(service: Service, session: Session) -> None:
    """Makes the session's stream. RecordingUnavailable where the session must be recorded and it
    cannot be made; where it need not, the first that is recorded tries again.

    LogDestinationRefused where the document's logs may not go where it says, or are not encrypted
    there though it demands that. What cannot be asked about is not encrypted.
    """
    mode = terms_of(session, service.recording).mode
    if mode is Mode.OFF:
        return
    inputs = documents.read(session.document).inputs
    service.allowed.check(inputs)
    _encrypted(service, inputs, required=mode is Mode.REQUIRED)
    try:
        service.recordings.begin(session.session_id)
    except HatchwayError as error:
        if mode is Mode.REQUIRED:
            raise RecordingUnavailable() from error


def _encrypted(service: Service, inputs: Inputs, *, required: bool) -> None:
    """The deployment's own are, as they are made. Where the recording is required, the others are
    asked about in any case: they must be there."""
    allowed, ask = service.allowed, service.encryption
    bucket, group = inputs.s3_bucket_name, inputs.cloud_watch_log_group_name
    if bucket not in ("", allowed.own_bucket):
        demanded = inputs.s3_encryption_enabled
        if demanded or required:
            what = f"The bucket {bucket}"
            encrypted = _asked(ask.bucket, bucket, what)
            _demand(encrypted or not demanded, what, "s3EncryptionEnabled")
    if group not in ("", allowed.own_group):
        demanded = inputs.cloud_watch_encryption_enabled
        if demanded or required:
            what = f"The log group {group}"
            encrypted = _asked(ask.group, group, what)
            _demand(encrypted or not demanded, what, "cloudWatchEncryptionEnabled")


def _asked(ask: Callable[[str], bool], name: str, what: str) -> bool:
    try:
        return ask(name)
    except LogDestinationAbsent:
        raise LogDestinationAbsent(f"{what} does not exist.") from None
    except LogDestinationDenied:
        raise LogDestinationDenied(f"{what} does not let Hatchway look at it.") from None
    except HatchwayError as error:
        raise RecordingUnavailable(f"{what} cannot be looked at now.") from error


def _demand(met: bool, what: str, field: str) -> None:
    if not met:
        raise LogDestinationRefused(_UNENCRYPTED.format(what=what, field=field))
