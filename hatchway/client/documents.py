"""Session documents over the people API, as typed calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hatchway.core.errors import InternalServerError


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentInfo:
    """A document, or one version of it; "" and None for what the answer does not say."""

    name: str
    kind: str = ""
    version: str = ""
    latest: str = ""
    default: str = ""
    owner: str = ""
    form: str = ""
    description: str = ""
    digest: str = ""
    author: str = ""
    created: datetime | None = None

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> DocumentInfo:
        name = members.get("Name")
        if not isinstance(name, str) or not name:
            raise InternalServerError("The service's answer has no Name.")

        def text(member: str) -> str:
            value = members.get(member)
            return value if isinstance(value, str) else ""

        version, created = text("DocumentVersion"), members.get("CreatedDate")
        return cls(
            name=name,
            kind=text("DocumentType"),
            version=version,
            latest=text("LatestVersion"),
            default=version if members.get("IsDefaultVersion") else text("DefaultVersion"),
            owner=text("Owner"),
            form=text("DocumentFormat"),
            description=text("Description"),
            digest=text("Hash"),
            author=text("Author"),
            created=created if isinstance(created, datetime) else None,
        )

    def members(self) -> dict[str, object]:
        """As a program reads it; times in ISO 8601."""
        found: dict[str, object] = {
            "Name": self.name,
            "DocumentType": self.kind,
            "DocumentVersion": self.version,
            "LatestVersion": self.latest,
            "DefaultVersion": self.default,
            "Owner": self.owner,
            "DocumentFormat": self.form,
            "Description": self.description,
            "Hash": self.digest,
            "Author": self.author,
            "CreatedDate": self.created.isoformat(timespec="seconds") if self.created else "",
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentContent:
    """A version's content, as it was written or as JSON."""

    name: str
    version: str
    form: str
    content: str


class Documents:
    """The operations. `call` and `pages` are the SDK's own; every failure is a HatchwayError."""

    def __init__(
        self,
        call: Callable[..., Mapping[str, Any]],
        pages: Callable[..., Iterator[Mapping[str, Any]]],
    ) -> None:
        self._call, self._pages = call, pages

    def create(self, name: str, content: str, form: str = "JSON") -> DocumentInfo:
        """Makes a document; its first version is the default one."""
        answer = self._call("create_document", Name=name, Content=content, DocumentFormat=form)
        return DocumentInfo.of(answer["Document"])

    def update(
        self, name: str, content: str, form: str = "JSON", *, known: str | None = None
    ) -> DocumentInfo:
        """Adds a version; `known` is the newest version as the caller knows it: ConflictException
        where there is a newer one."""
        answer = self._call(
            "update_document",
            Name=name,
            Content=content,
            DocumentFormat=form,
            DocumentVersion=known,
        )
        return DocumentInfo.of(answer["Document"])

    def set_default(self, name: str, version: str) -> DocumentInfo:
        """Says which version sessions get."""
        answer = self._call("update_document_default_version", Name=name, DocumentVersion=version)
        return DocumentInfo.of(answer["Document"])

    def describe(self, name: str, version: str | None = None) -> DocumentInfo:
        """One version: a number, $LATEST or $DEFAULT."""
        answer = self._call("describe_document", Name=name, DocumentVersion=version)
        return DocumentInfo.of(answer["Document"])

    def get(
        self, name: str, version: str | None = None, form: str | None = None
    ) -> DocumentContent:
        """The content of a version; `form` JSON converts what was written as YAML."""
        answer = self._call("get_document", Name=name, DocumentVersion=version, DocumentFormat=form)
        return DocumentContent(
            name=str(answer.get("Name", "")),
            version=str(answer.get("DocumentVersion", "")),
            form=str(answer.get("DocumentFormat", "")),
            content=str(answer.get("Content", "")),
        )

    def list(self) -> Iterator[DocumentInfo]:
        """All documents, the built-in ones first."""
        for members in self._pages("list_documents", "DocumentIdentifiers"):
            yield DocumentInfo.of(members)

    def versions(self, name: str) -> Iterator[DocumentInfo]:
        """The versions of a document, newest first."""
        for members in self._pages("list_document_versions", "DocumentVersions", Name=name):
            yield DocumentInfo.of(members)

    def delete(self, name: str, version: str | None = None) -> None:
        """Removes a document, or one of its versions."""
        self._call("delete_document", Name=name, DocumentVersion=version)
