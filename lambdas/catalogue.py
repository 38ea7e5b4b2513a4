"""Session documents as sessions and people find them: the built-in ones, and those in the store.

A document of the store stands before a built-in one of its name: only the preferences may have one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from hatchway.core import documents
from hatchway.core.documents import Document, builtin, rules
from hatchway.core.errors import InvalidDocument, InvalidDocumentVersion
from lambdas.ports import DocumentRecord, DocumentStore, DocumentVersion

SESSION, PREFERENCE_RULES = "Session", "PreferenceRules"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All documents there are."""

    documents: DocumentStore

    def record(self, name: str) -> DocumentRecord:
        """InvalidDocument where there is none of the name."""
        record = self.documents.record(name) or built_in_record(name)
        if record is None:
            raise InvalidDocument(f"There is no session document {name}.")
        return record

    def version(self, record: DocumentRecord, number: int) -> DocumentVersion:
        """InvalidDocumentVersion where the document has no such version."""
        found = None
        if number in record.numbers:
            found = self.documents.version(record.name, number) if record.version else None
            found = found or (built_in_version(record.name) if not record.version else None)
        if found is None:
            raise InvalidDocumentVersion(f"{record.name} has no version {number}.")
        return found

    def document(self, name: str, number: int = 0) -> Document:
        """The session document of a version, 0 for the default one; InvalidDocument where there is
        none, or it is none that sessions can be started with."""
        if name == rules.RULES:
            raise InvalidDocument(f"{name} holds preference rules.")
        record = self.record(name)
        version = self.version(record, number or record.default)
        found = documents.parse(json.loads(version.members))
        return replace(found, version=str(version.number))

    def rules(self) -> tuple[rules.Rule, ...]:
        """The preference rules, none where nobody wrote any."""
        record = self.documents.record(rules.RULES)
        if record is None:
            return ()
        return rules.read(self.version(record, record.default).members)


def built_in_record(name: str) -> DocumentRecord | None:
    """Its `version` is 0: nothing of it is stored."""
    version = built_in_version(name)
    if version is None:
        return None
    return DocumentRecord(
        name=name,
        kind=SESSION,
        numbers=(builtin.VERSION,),
        default=builtin.VERSION,
        digest=version.digest,
        description=str(builtin.CONTENT[name]["description"]),
    )


def built_in_version(name: str) -> DocumentVersion | None:
    content = builtin.CONTENT.get(name)
    if content is None:
        return None
    text = json.dumps(content, indent=2)
    return DocumentVersion(
        name=name,
        number=builtin.VERSION,
        content=text,
        form="JSON",
        members=json.dumps(content),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )
