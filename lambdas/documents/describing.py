"""Documents as people see them; members without a value are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hatchway.core import api, documents
from hatchway.core.documents import builtin, naming
from hatchway.core.errors import InvalidNextToken
from lambdas.access import Access
from lambdas.adapters import paging
from lambdas.catalogue import built_in_record
from lambdas.documents.service import Service
from lambdas.ports import DocumentRecord, DocumentVersion
from lambdas.request import Request

DEFAULT_PAGE = 50
#: Versions in a page: each is a read.
MAX_VERSION_PAGE = 50
_NUMBER = re.compile(r"[1-9][0-9]{0,7}\Z")

Answer = Mapping[str, object]


def resource(service: Service, access: Access, name: str) -> str:
    """The document's ARN."""
    return documents.arn(name, access.principal.place(service.region))


def describe_document(service: Service, access: Access, request: Request) -> Answer:
    record, version = _asked(service, access, request, api.DESCRIBE_DOCUMENT.action)
    return described(access, record, version)


def get_document(service: Service, access: Access, request: Request) -> Answer:
    record, version = _asked(service, access, request, api.GET_DOCUMENT.action)
    as_json = request.text("DocumentFormat") == "JSON" and version.form != "JSON"
    return {
        "Name": record.name,
        "DocumentVersion": str(version.number),
        "DocumentType": record.kind,
        "DocumentFormat": "JSON" if as_json else version.form,
        "Content": version.members if as_json else version.content,
        **_date(version.created),
        "Status": "Active",
    }


def list_documents(service: Service, access: Access, request: Request) -> Answer:
    access.demand(api.LIST_DOCUMENTS.action, "*")
    token = request.text("NextToken")
    page = service.documents.list(request.number("MaxResults", DEFAULT_PAGE), token)
    found = [*([] if token else _built_in(service)), *page.documents]
    answer: dict[str, object] = {
        "DocumentIdentifiers": [_identifier(access, record) for record in found]
    }
    return answer | ({"NextToken": page.next_token} if page.next_token else {})


def list_document_versions(service: Service, access: Access, request: Request) -> Answer:
    name = request.text("Name")
    access.demand(api.LIST_DOCUMENT_VERSIONS.action, resource(service, access, name))
    record = service.catalogue.record(name)
    numbers, token = _page(record, request)
    versions = [service.catalogue.version(record, number) for number in numbers]
    answer: dict[str, object] = {"DocumentVersions": [_info(record, each) for each in versions]}
    return answer | ({"NextToken": token} if token else {})


def _page(record: DocumentRecord, request: Request) -> tuple[Sequence[int], str]:
    """The numbers of a page, newest first, and the token of the next."""
    scope = f"versions {record.name}"
    after = paging.place(request.text("NextToken"), scope)
    if after and not _NUMBER.match(after):
        raise InvalidNextToken()
    left = [number for number in reversed(record.numbers) if not after or number < int(after)]
    size = min(request.number("MaxResults", MAX_VERSION_PAGE), MAX_VERSION_PAGE)
    token = paging.issue(scope, str(left[size - 1])) if len(left) > size else ""
    return left[:size], token


def _asked(
    service: Service, access: Access, request: Request, action: str
) -> tuple[DocumentRecord, DocumentVersion]:
    name = request.text("Name")
    access.demand(action, resource(service, access, name))
    record = service.catalogue.record(name)
    wanted = request.text("DocumentVersion")
    named = {"": record.default, "$DEFAULT": record.default, "$LATEST": record.latest}
    number = named[wanted] if wanted in named else int(wanted)
    return record, service.catalogue.version(record, number)


def described(access: Access, record: DocumentRecord, version: DocumentVersion) -> Answer:
    """One version of a document, as most operations answer it."""
    members = {
        **_names(access, record),
        "DocumentVersion": str(version.number),
        "DefaultVersion": str(record.default),
        "DocumentFormat": version.form,
        "Description": record.description or None,
        **_date(version.created),
        "Status": "Active",
        "Hash": version.digest,
        "HashType": "Sha256",
        "Author": version.author or None,
    }
    return {"Document": {name: value for name, value in members.items() if value is not None}}


def _identifier(access: Access, record: DocumentRecord) -> Answer:
    return {
        **_names(access, record),
        "DocumentVersion": str(record.default),
        **_date(record.created),
    }


def _names(access: Access, record: DocumentRecord) -> Answer:
    aws = naming.owned_by_aws(record.name)
    return {
        "Name": record.name,
        "Owner": "Amazon" if aws else access.principal.owner.account,
        "DocumentType": record.kind,
        "LatestVersion": str(record.latest),
        "SchemaVersion": "1.0",
    }


def _info(record: DocumentRecord, version: DocumentVersion) -> Answer:
    return {
        "Name": record.name,
        "DocumentVersion": str(version.number),
        "IsDefaultVersion": version.number == record.default,
        "DocumentFormat": version.form,
        "Hash": version.digest,
        **_date(version.created),
        **({"Author": version.author} if version.author else {}),
    }


def _built_in(service: Service) -> list[DocumentRecord]:
    """Those that no document of the store stands before."""
    found = [
        built_in_record(name) for name in builtin.CONTENT if not service.documents.record(name)
    ]
    return [record for record in found if record is not None]


def _date(moment: float) -> dict[str, object]:
    return {"CreatedDate": moment} if moment else {}
