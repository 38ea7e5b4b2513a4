"""What StartSession asks of the recording: a place for it, and that it can be kept as demanded."""

from __future__ import annotations

from hatchway.core.errors import HatchwayError, RecordingUnavailable
from hatchway.core.recording import Mode
from lambdas.ports import Session
from lambdas.sessions.service import Service
from lambdas.terms import terms_of


def begin_recording(service: Service, session: Session) -> None:
    """Makes the session's stream. RecordingUnavailable where the session must be recorded and it
    cannot be made; where it need not, the first that is recorded tries again."""
    mode = terms_of(session, service.recording).mode
    if mode is Mode.OFF:
        return
    try:
        service.recordings.begin(session.session_id)
    except HatchwayError as error:
        if mode is Mode.REQUIRED:
            raise RecordingUnavailable() from error
