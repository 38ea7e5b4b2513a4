"""Session documents and their versions, and where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One version, which never changes. `content` is as it was written, `members` the same as JSON
    text; `digest` is the SHA-256 of `content`, hexadecimal; `author` an ARN, "" for a built-in."""

    name: str
    number: int
    content: str
    form: str  # JSON or YAML
    members: str
    digest: str
    created: float = 0.0
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """What is true of a document whatever its version; `version` counts writes and guards them.

    `numbers` are the versions that are there, ascending; `digest` is the newest one's.
    """

    name: str
    kind: str  # Session or PreferenceRules
    numbers: tuple[int, ...]
    default: int
    digest: str
    description: str = ""
    created: float = 0.0
    changed: float = 0.0
    version: int = 0

    @property
    def latest(self) -> int:
        return self.numbers[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPage:
    """A page of documents by name, and where the next one begins ("" at the end)."""

    documents: Sequence[DocumentRecord]
    next_token: str = ""


class DocumentStore(Protocol):
    """Documents. A document and its new versions are written at once, or not at all."""

    def record(self, name: str) -> DocumentRecord | None:
        """Consistent read."""
        ...

    def version(self, name: str, number: int) -> DocumentVersion | None:
        """Consistent read."""
        ...

    def create(self, record: DocumentRecord, versions: Sequence[DocumentVersion]) -> DocumentRecord:
        """Stale where there is a document of the name."""
        ...

    def update(
        self, read: DocumentRecord, changed: DocumentRecord, added: DocumentVersion | None = None
    ) -> DocumentRecord:
        """Writes `changed` and the added version if the stored record is still `read`; removes
        versions that `changed` has no more. Stale otherwise."""
        ...

    def delete(self, read: DocumentRecord) -> None:
        """Removes the document and all of its versions; Stale where it is not `read` any more."""
        ...

    def list(self, max_results: int, next_token: str = "") -> DocumentPage:
        """Documents by name (eventually consistent)."""
        ...


class Reviews(Protocol):
    """Asks for a review of all sessions' permissions."""

    def ask(self, changed: str) -> None:
        """At once, not at the next minute; `changed` is for who reads the message."""
        ...
