"""The people API's operations on documents, with the functions that perform them."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core import api
from hatchway.core.errors import HatchwayError
from hatchway.core.shapes import Operation
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
from lambdas.logline import Line, Write
from lambdas.people import PeopleApi, Perform

PERFORMED: Mapping[str, Perform[Service]] = {
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


def make_handler(service: Service, write: Write) -> PeopleApi[Service]:
    """The Lambda handler over `service`."""
    return PeopleApi(
        family="documents",
        service=service,
        performed=PERFORMED,
        write=write,
        noted={"Name": "document"},
        done=_review,
    )


def _review(service: Service, operation: Operation, line: Line) -> None:
    """The document has changed: where nobody can be asked, the next minute's review does."""
    if operation.name not in _CHANGES:
        return
    try:
        service.reviews.ask("documents")
    except HatchwayError as error:
        line.warning()
        line.note(unasked=error.code)
