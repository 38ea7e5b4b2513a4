"""Session documents in memory, under the same conditions as the table's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

from lambdas.adapters import paging
from lambdas.ports import DocumentPage, DocumentRecord, DocumentVersion, Stale


class MemoryDocuments:
    """The port DocumentStore."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[str, DocumentRecord] = {}
        self._versions: dict[tuple[str, int], DocumentVersion] = {}

    def record(self, name: str) -> DocumentRecord | None:
        return self._records.get(name)

    def version(self, name: str, number: int) -> DocumentVersion | None:
        return self._versions.get((name, number))

    def create(self, record: DocumentRecord, versions: Sequence[DocumentVersion]) -> DocumentRecord:
        with self._lock:
            if record.name in self._records:
                raise Stale()
            return self._write(replace(record, version=1), versions)

    def update(
        self, read: DocumentRecord, changed: DocumentRecord, added: DocumentVersion | None = None
    ) -> DocumentRecord:
        with self._lock:
            self._check(read)
            for number in set(read.numbers) - set(changed.numbers):
                self._versions.pop((read.name, number), None)
            written = replace(changed, version=read.version + 1)
            return self._write(written, [added] if added else [])

    def delete(self, read: DocumentRecord) -> None:
        with self._lock:
            self._check(read)
            del self._records[read.name]
            for number in read.numbers:
                self._versions.pop((read.name, number), None)

    def list(self, max_results: int, next_token: str = "") -> DocumentPage:
        paging.check_size(max_results)
        after = paging.place(next_token, "documents")
        rest = [self._records[name] for name in sorted(self._records) if name > after]
        found = tuple(rest[:max_results])
        more = paging.issue("documents", found[-1].name) if len(rest) > max_results else ""
        return DocumentPage(documents=found, next_token=more)

    def _check(self, read: DocumentRecord) -> None:
        stored = self._records.get(read.name)
        if stored is None or stored.version != read.version:
            raise Stale()

    def _write(self, record: DocumentRecord, versions: Sequence[DocumentVersion]) -> DocumentRecord:
        self._records[record.name] = record
        self._versions |= {(each.name, each.number): each for each in versions}
        return record
