"""The people API's routes of recordings: who calls, which operation it is, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hatchway.core import api
from hatchway.core.errors import ValidationException
from lambdas import edge
from lambdas.access import Access, access_of
from lambdas.edge import Call
from lambdas.logline import Line, Write
from lambdas.principal import admit, circumstances
from lambdas.recordings.reading import get_manifest, get_recording, list_recordings
from lambdas.recordings.searching import search_recording
from lambdas.recordings.service import Service
from lambdas.request import Request, read

Perform = Callable[[Service, Access, Request], Mapping[str, object]]

PERFORMED: Mapping[str, Perform] = {
    api.GET_SESSION_RECORDING.name: get_recording,
    api.GET_RECORDING_MANIFEST.name: get_manifest,
    api.SEARCH_SESSION_RECORDING.name: search_recording,
    api.LIST_RECORDINGS.name: list_recordings,
}
_BY_ROUTE = {f"{each.method} {each.path}": each for each in api.RECORDING_OPERATIONS}

Handler = Callable[[Mapping[str, Any], object], edge.Response]


def make_handler(service: Service, write: Write) -> Handler:
    """The Lambda handler over `service`."""

    def handler(event: Mapping[str, Any], context: object) -> edge.Response:
        about = event.get("requestContext") or {}
        return edge.serve(
            "recordings", event, lambda call, line: _act(service, call, line, about), write
        )

    return handler


def _act(
    service: Service, call: Call, line: Line, about: Mapping[str, Any]
) -> Mapping[str, object]:
    operation = _BY_ROUTE.get(call.route)
    if operation is None:
        raise ValidationException("There is no such operation.")
    line.note(operation=operation.name)
    principal = admit(
        call.caller, about.get("accountId", ""), service.nodes, service.channel_role_id
    )
    request = read(operation, call, decoded=service.paths_decoded)
    line.note(session=request.text("SessionId"))
    access = access_of(service, principal, circumstances(about["identity"]), service.second)
    return PERFORMED[operation.name](service, access, request)
