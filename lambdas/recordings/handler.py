"""The people API's operations on recordings, with the functions that perform them."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core import api
from lambdas.logline import Write
from lambdas.people import PeopleApi, Perform
from lambdas.recordings.reading import get_manifest, get_recording, list_recordings
from lambdas.recordings.searching import search_recording
from lambdas.recordings.service import Service

PERFORMED: Mapping[str, Perform[Service]] = {
    api.GET_SESSION_RECORDING.name: get_recording,
    api.GET_RECORDING_MANIFEST.name: get_manifest,
    api.SEARCH_SESSION_RECORDING.name: search_recording,
    api.LIST_RECORDINGS.name: list_recordings,
}


def make_handler(service: Service, write: Write) -> PeopleApi[Service]:
    """The Lambda handler over `service`."""
    return PeopleApi(
        family="recordings",
        service=service,
        performed=PERFORMED,
        write=write,
        noted={"SessionId": "session"},
        decoded=service.paths_decoded,
    )
