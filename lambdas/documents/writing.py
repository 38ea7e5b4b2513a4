"""Documents are made, changed and removed: checked whole before anything is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

from hatchway.core import api, documents
from hatchway.core.documents import DEFAULT, naming, rules
from hatchway.core.errors import (
    ConflictException,
    DocumentAlreadyExists,
    DocumentLimitExceeded,
    DocumentVersionLimitExceeded,
    DuplicateDocumentContent,
    InvalidDocument,
    InvalidDocumentContent,
    InvalidDocumentOperation,
    InvalidDocumentVersion,
    ValidationException,
)
from lambdas.access import Access
from lambdas.catalogue import PREFERENCE_RULES, SESSION
from lambdas.documents.content import members
from lambdas.documents.describing import described, resource
from lambdas.documents.service import Service
from lambdas.ports import DocumentRecord, DocumentVersion, Stale
from lambdas.request import Request

#: Documents of a deployment, and versions of one: a transaction removes them all.
MAX_DOCUMENTS = 500
MAX_VERSIONS = 90
#: Documents whose newest version stands as soon as it is written. They hold settings, and whoever
#: tightens one expects that it is tight.
AT_ONCE = frozenset({DEFAULT, rules.RULES})

Answer = Mapping[str, object]


def create_document(service: Service, access: Access, request: Request) -> Answer:
    name = request.text("Name")
    access.demand(api.CREATE_DOCUMENT.action, resource(service, access, name))
    kind = PREFERENCE_RULES if name == rules.RULES else SESSION
    if request.text("DocumentType") not in ("", kind):
        raise ValidationException(f"A document of this name has the DocumentType {kind}.")
    if naming.reserved(name) and name != rules.RULES:
        raise InvalidDocumentOperation("Names of this beginning are reserved.")
    if name == DEFAULT:
        raise DocumentAlreadyExists(f"{DEFAULT} is there from the beginning: update it.")
    version = _version(service, access, request, kind, name, 1)
    _require_room(service)
    record = DocumentRecord(
        name=name,
        kind=kind,
        numbers=(1,),
        default=1,
        digest=version.digest,
        description=_description(version),
        created=version.created,
        changed=version.created,
    )
    try:
        made = service.documents.create(record, [version])
    except Stale:
        raise DocumentAlreadyExists() from None
    return described(access, made, version)


def update_document(service: Service, access: Access, request: Request) -> Answer:
    record = _changeable(service, access, request, api.UPDATE_DOCUMENT.action)
    _require_newest(record, request.text("DocumentVersion"))
    number = record.latest + 1
    version = _version(service, access, request, record.kind, record.name, number)
    if version.digest == record.digest:
        raise DuplicateDocumentContent()
    if len(record.numbers) >= MAX_VERSIONS:
        raise DocumentVersionLimitExceeded(
            f"A document has at most {MAX_VERSIONS} versions; remove some."
        )
    changed = replace(
        record,
        numbers=(*record.numbers, number),
        default=number if record.name in AT_ONCE else record.default,
        digest=version.digest,
        description=_description(version),
        changed=version.created,
    )
    return described(access, _store(service, record, changed, version), version)


def update_default_version(service: Service, access: Access, request: Request) -> Answer:
    record = _changeable(service, access, request, api.UPDATE_DOCUMENT_DEFAULT_VERSION.action)
    version = service.catalogue.version(record, int(request.text("DocumentVersion")))
    _check(service, record.kind, json.loads(version.members))
    if record.version and version.number != record.default:
        changed = replace(record, default=version.number, changed=service.clock())
        record = _store(service, record, changed)
    return described(access, record, version)


def delete_document(service: Service, access: Access, request: Request) -> Answer:
    record = _changeable(service, access, request, api.DELETE_DOCUMENT.action)
    if not record.version:
        raise InvalidDocumentOperation("The built-in preferences cannot be removed.")
    if request.text("DocumentVersion"):
        _remove_version(service, record, int(request.text("DocumentVersion")))
    else:
        try:
            service.documents.delete(record)
        except Stale:
            raise ConflictException(_CHANGED) from None
    return {"Name": record.name}


def _remove_version(service: Service, record: DocumentRecord, number: int) -> None:
    if number not in record.numbers:
        raise InvalidDocumentVersion(f"{record.name} has no version {number}.")
    if number in (record.default, record.latest):
        raise InvalidDocumentOperation("The default and the newest version cannot be removed.")
    left = tuple(each for each in record.numbers if each != number)
    _store(service, record, replace(record, numbers=left, changed=service.clock()))


def _changeable(service: Service, access: Access, request: Request, action: str) -> DocumentRecord:
    name = request.text("Name")
    access.demand(action, resource(service, access, name))
    if naming.owned_by_aws(name):
        raise InvalidDocumentOperation("Built-in documents cannot be changed.")
    return service.catalogue.record(name)


def _require_newest(record: DocumentRecord, known: str) -> None:
    """The caller may say which version it knows as the newest, and is told of a newer one."""
    wanted = {"": record.latest, "$LATEST": record.latest, "$DEFAULT": record.default}
    number = wanted[known] if known in wanted else int(known)
    if number not in record.numbers:
        raise InvalidDocumentVersion(f"{record.name} has no version {number}.")
    if number != record.latest and known != "$DEFAULT":
        raise ConflictException(f"Version {record.latest} is newer than version {number}.")


def _version(
    service: Service, access: Access, request: Request, kind: str, name: str, number: int
) -> DocumentVersion:
    """The version as it is to be stored, checked."""
    content, form = request.text("Content"), request.text("DocumentFormat") or "JSON"
    found = members(content, form)
    _check(service, kind, found)
    return DocumentVersion(
        name=name,
        number=number,
        content=content,
        form=form,
        members=json.dumps(found, separators=(",", ":"), ensure_ascii=False, allow_nan=False),
        digest=hashlib.sha256(content.encode()).hexdigest(),
        created=service.clock(),
        author=access.principal.arn,
    )


def _check(service: Service, kind: str, found: object) -> None:
    if kind == SESSION:
        service.floor.check(documents.parse(found))
        return
    for number, rule in enumerate(rules.parse(found)):
        name, _, version = rule.document.partition(":")
        try:
            service.catalogue.document(name, int(version or 0))
        except (InvalidDocument, InvalidDocumentVersion) as why:
            raise InvalidDocumentContent(f"rules[{number}].document: {why.message}") from None


def _store(
    service: Service,
    read: DocumentRecord,
    changed: DocumentRecord,
    added: DocumentVersion | None = None,
) -> DocumentRecord:
    """ConflictException where somebody else was faster. The preferences are stored with their
    built-in version when they get a second one."""
    try:
        if read.version:
            return service.documents.update(read, changed, added)
        first = service.catalogue.version(read, read.latest)
        return service.documents.create(changed, [first, *([added] if added else [])])
    except Stale:
        raise ConflictException(_CHANGED) from None


def _require_room(service: Service) -> None:
    count, token = 0, ""
    while count <= MAX_DOCUMENTS:
        page = service.documents.list(200, token)
        count, token = count + len(page.documents), page.next_token
        if not token:
            break
    if count >= MAX_DOCUMENTS:
        raise DocumentLimitExceeded(f"There are {MAX_DOCUMENTS} documents, and may be no more.")


def _description(version: DocumentVersion) -> str:
    return str(json.loads(version.members).get("description") or "")


_CHANGED = "The document changed while it was being changed; try again."
