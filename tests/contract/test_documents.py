"""The port DocumentStore: what holds for the memory twin and for the table alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import InvalidNextToken, ValidationException
from lambdas.adapters.documents import TableDocuments
from lambdas.documents.writing import MAX_VERSIONS
from lambdas.memory.documents import MemoryDocuments
from lambdas.ports import DocumentRecord, DocumentStore, DocumentVersion, Stale
from tests.contract.cloud import Cloud


@pytest.fixture
def store(cloud: Cloud | None) -> DocumentStore:
    if cloud is None:
        return MemoryDocuments()
    return TableDocuments(cloud.table(), cloud.client("dynamodb"), pause=lambda seconds: None)


def version(number: int, name: str = "Team", **changes: object) -> DocumentVersion:
    made = DocumentVersion(
        name=name,
        number=number,
        content=f"schemaVersion: '1.0' # {number} wéb\n",
        form="YAML",
        members='{"schemaVersion":"1.0"}',
        digest=f"{number:064x}",
        created=1_800_000_000.125,
        author="arn:aws:iam::000000000000:user/ann",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def record(name: str = "Team", numbers: tuple[int, ...] = (1,)) -> DocumentRecord:
    return DocumentRecord(
        name=name,
        kind="Session",
        numbers=numbers,
        default=numbers[0],
        digest=f"{numbers[-1]:064x}",
        description="of the team",
        created=1_800_000_000.125,
        changed=1_800_000_001.0,
    )


def test_what_was_created_is_read_back_whole(store: DocumentStore) -> None:
    made = store.create(record(numbers=(1, 2)), [version(1), version(2)])
    assert made == replace(record(numbers=(1, 2)), version=1)
    assert store.record("Team") == made
    assert store.version("Team", 2) == version(2)


def test_what_is_not_there_is_none(store: DocumentStore) -> None:
    assert store.record("Team") is None
    assert store.version("Team", 1) is None


def test_a_document_is_created_once(store: DocumentStore) -> None:
    store.create(record(), [version(1)])
    with pytest.raises(Stale):
        store.create(record(), [version(1, content="other")])
    assert store.version("Team", 1) == version(1)


def test_a_version_and_its_document_are_one_write(store: DocumentStore) -> None:
    read = store.create(record(), [version(1)])
    changed = replace(read, numbers=(1, 2), default=2)
    written = store.update(read, changed, version(2))
    assert store.record("Team") == written == replace(changed, version=2)
    with pytest.raises(Stale):
        store.update(read, replace(read, numbers=(1, 3)), version(3))
    assert store.version("Team", 3) is None
    assert store.record("Team") == written


def test_a_version_that_the_document_has_no_more_is_gone(store: DocumentStore) -> None:
    read = store.create(record(numbers=(1, 2, 3)), [version(1), version(2), version(3)])
    store.update(read, replace(read, numbers=(1, 3)))
    assert store.version("Team", 2) is None
    assert store.version("Team", 3) == version(3)


def test_a_document_is_removed_with_all_of_its_versions(store: DocumentStore) -> None:
    other = store.create(record("Team2"), [version(1, "Team2")])
    read = store.create(record(numbers=(1, 2)), [version(1), version(2)])
    changed = store.update(read, replace(read, default=2))
    with pytest.raises(Stale):
        store.delete(read)
    store.delete(changed)
    assert store.record("Team") is None
    assert store.version("Team", 1) is None
    assert store.version("Team", 2) is None
    assert store.record("Team2") == other
    store.create(record(), [version(1)])


def test_as_many_versions_as_there_may_be_go_in_one_write(store: DocumentStore) -> None:
    numbers = tuple(range(1, MAX_VERSIONS + 1))
    read = store.create(record(numbers=numbers), [version(n) for n in numbers])
    store.delete(read)
    assert store.version("Team", MAX_VERSIONS) is None


def test_documents_are_listed_by_name_in_pages(store: DocumentStore) -> None:
    for name in ("b.2", "a_1", "C-3"):
        store.create(record(name), [version(1, name)])
    first = store.list(2)
    assert [each.name for each in first.documents] == ["C-3", "a_1"]
    second = store.list(2, first.next_token)
    assert [each.name for each in second.documents] == ["b.2"]
    assert second.next_token == ""


def test_a_page_begins_where_the_last_one_said(store: DocumentStore) -> None:
    with pytest.raises(InvalidNextToken):
        store.list(2, "nonsense")
    with pytest.raises(ValidationException):
        store.list(0)
