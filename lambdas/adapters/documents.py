"""Session documents in the table: DOCUMENT#{name} is a record, DOCUMENT#{name}/{number} a version.

A record and its versions change in one transaction, which the record's version guards.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hatchway.core.errors import ThrottlingException
from lambdas.adapters import items, paging, queries
from lambdas.adapters.dynamodb import FAILED, Index, Table, attempts
from lambdas.adapters.items import Image, Item, number, text
from lambdas.ports import DocumentPage, DocumentRecord, DocumentVersion, Stale

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

KIND = "DOCUMENT"
LISTED = "DOCUMENTS"
#: Attempts at a transaction that meets another on the same document.
ATTEMPTS = 5
_NAME = re.compile(r"[A-Za-z0-9_.-]{3,128}\Z")


class TableDocuments:
    """The port DocumentStore."""

    def __init__(
        self,
        table: str,
        client: DynamoDBClient | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = Table(table, client)
        self._pause = pause

    def record(self, name: str) -> DocumentRecord | None:
        item = self._table.get(items.key(KIND, name))
        return _record_of(item) if item else None

    def version(self, name: str, number: int) -> DocumentVersion | None:
        item = self._table.get(_version_key(name, number))
        return _version_of(item) if item else None

    def create(self, record: DocumentRecord, versions: Sequence[DocumentVersion]) -> DocumentRecord:
        first = replace(record, version=1)
        self._write(
            [
                self._table.new(_of_record(first)),
                *(self._table.new(_of_version(each)) for each in versions),
            ]
        )
        return first

    def update(
        self, read: DocumentRecord, changed: DocumentRecord, added: DocumentVersion | None = None
    ) -> DocumentRecord:
        written = replace(changed, version=read.version + 1)
        gone = sorted(set(read.numbers) - set(changed.numbers))
        self._write(
            [
                self._table.version(_of_record(written), read.version),
                *([self._table.new(_of_version(added))] if added else []),
                *(self._table.gone(_version_key(read.name, each)) for each in gone),
            ]
        )
        return written

    def delete(self, read: DocumentRecord) -> None:
        self._write(
            [
                self._table.gone(items.key(KIND, read.name), read.version),
                *(self._table.gone(_version_key(read.name, each)) for each in read.numbers),
            ]
        )

    def list(self, max_results: int, next_token: str = "") -> DocumentPage:
        paging.check_size(max_results)
        after = queries.place(next_token, "documents", _NAME)
        found, after = self._table.read(Index(1, LISTED, KIND), after, max_results)
        documents = tuple(_record_of(item) for item in found)
        return DocumentPage(documents=documents, next_token=queries.token(after, "documents"))

    def _write(self, writes: Sequence[Item]) -> None:
        for _ in attempts(ATTEMPTS, self._pause):
            reasons = self._table.transact(writes)
            if not reasons:
                return
            if FAILED in reasons:
                raise Stale()
        raise ThrottlingException()


def _version_key(name: str, number: int) -> Item:
    return items.key(KIND, f"{name}/{number}")


def _of_record(record: DocumentRecord) -> Item:
    return {
        **items.key(KIND, record.name),
        "gsi1pk": text(LISTED),
        "gsi1sk": text(record.name),
        "name": text(record.name),
        "kind": text(record.kind),
        "numbers": {"L": [number(each) for each in record.numbers]},
        "default": number(record.default),
        "digest": text(record.digest),
        "description": text(record.description),
        "created": number(record.created),
        "changed": number(record.changed),
        "version": number(record.version),
    }


def _record_of(image: Image) -> DocumentRecord:
    return DocumentRecord(
        name=image["name"]["S"],
        kind=image["kind"]["S"],
        numbers=tuple(int(each["N"]) for each in image["numbers"]["L"]),
        default=int(image["default"]["N"]),
        digest=image["digest"]["S"],
        description=image["description"]["S"],
        created=float(image["created"]["N"]),
        changed=float(image["changed"]["N"]),
        version=int(image["version"]["N"]),
    )


def _of_version(version: DocumentVersion) -> Item:
    return {
        **_version_key(version.name, version.number),
        "name": text(version.name),
        "number": number(version.number),
        "content": text(version.content),
        "form": text(version.form),
        "members": text(version.members),
        "digest": text(version.digest),
        "created": number(version.created),
        "author": text(version.author),
    }


def _version_of(image: Image) -> DocumentVersion:
    return DocumentVersion(
        name=image["name"]["S"],
        number=int(image["number"]["N"]),
        content=image["content"]["S"],
        form=image["form"]["S"],
        members=image["members"]["S"],
        digest=image["digest"]["S"],
        created=float(image["created"]["N"]),
        author=image["author"]["S"],
    )
