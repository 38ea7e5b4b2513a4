"""The people API's routes of documents: who calls, which operation it is, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hatchway.core import api
from hatchway.core.errors import HatchwayError, ValidationException
from lambdas import edge
from lambdas.access import Access, access_of
from lambdas.documents.describing import (
    describe_document,
    get_document,
    list_document_versions,
    list_documents,
)
from lambdas.documents.service import Service
from lambdas.documents.writing import (
    create_document,
    delete_document,
    update_default_version,
    update_document,
)
from lambdas.edge import Call
from lambdas.logline import Line, Write
from lambdas.principal import admit, circumstances
from lambdas.request import Request, read

Perform = Callable[[Service, Access, Request], Mapping[str, object]]

PERFORMED: Mapping[str, Perform] = {
    api.CREATE_DOCUMENT.name: create_document,
    api.UPDATE_DOCUMENT.name: update_document,
    api.UPDATE_DOCUMENT_DEFAULT_VERSION.name: update_default_version,
    api.DESCRIBE_DOCUMENT.name: describe_document,
    api.GET_DOCUMENT.name: get_document,
    api.LIST_DOCUMENTS.name: list_documents,
    api.LIST_DOCUMENT_VERSIONS.name: list_document_versions,
    api.DELETE_DOCUMENT.name: delete_document,
}
#: What may change which permissions sessions need: all sessions are looked at again.
_CHANGES = frozenset(
    operation.name
    for operation in (
        api.UPDATE_DOCUMENT,
        api.UPDATE_DOCUMENT_DEFAULT_VERSION,
        api.DELETE_DOCUMENT,
    )
)
_BY_ROUTE = {f"{each.method} {each.path}": each for each in api.DOCUMENT_OPERATIONS}

Handler = Callable[[Mapping[str, Any], object], edge.Response]


def make_handler(service: Service, write: Write) -> Handler:
    """The Lambda handler over `service`."""

    def handler(event: Mapping[str, Any], context: object) -> edge.Response:
        about = event.get("requestContext") or {}
        return edge.serve(
            "documents", event, lambda call, line: _act(service, call, line, about), write
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
    request = read(operation, call)
    line.note(document=request.text("Name"))
    access = access_of(service, principal, circumstances(about["identity"]), service.second)
    answer = PERFORMED[operation.name](service, access, request)
    if operation.name in _CHANGES:
        _review(service, line)
    return answer


def _review(service: Service, line: Line) -> None:
    """The document has changed: where nobody can be asked, the next minute's review does."""
    try:
        service.reviews.ask("documents")
    except HatchwayError as error:
        line.warning()
        line.note(unasked=error.code)
