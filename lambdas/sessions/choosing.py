"""Which document a session is started with, and what that document makes of the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core import documents
from hatchway.core.documents import Document, Inputs, builtin, rules
from hatchway.core.documents.patterns import Pattern
from hatchway.core.documents.run_as import run_as
from hatchway.core.errors import InvalidDocument, ReasonRequired
from lambdas.access import Access
from lambdas.catalogue import Catalogue
from lambdas.ports import InstanceFacts
from lambdas.request import Request
from lambdas.sessions.service import Service


@dataclass(frozen=True, slots=True)
class Choice:
    """A document by name and version, "" for the default one. `named` says that the request or a
    preference rule named it: then it is checked as one that the caller named."""

    name: str = documents.DEFAULT
    version: str = ""
    named: bool = False

    @property
    def checked(self) -> str:
        """The document whose permission is asked for in any case, "" for none."""
        return self.name if self.named else ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a session keeps of its document."""

    text: str
    version: str
    run_as: str


def choice_of(
    service: Service, access: Access, named: str, facts: InstanceFacts | None = None
) -> Choice:
    """The document that the request names, or a preference rule chooses, or the preferences.
    InvalidDocument where a rule hangs on what cannot be known of the caller."""
    place = access.principal.place(service.region)
    if named:
        name, version = documents.pinned(named, place)
        return Choice(name, version, named=True)
    tags: Mapping[str, str] = facts.tags if facts is not None else {}
    subject = rules.Subject(arns=access.arns, principal_tags=access.tags, node_tags=tags)
    chosen = rules.chosen(Catalogue(service.documents).rules(), subject)
    if not chosen or chosen == documents.DEFAULT:
        return Choice()
    name, version = documents.pinned(chosen, place)
    return Choice(name, version, named=True)


def resolved(service: Service, access: Access, choice: Choice, request: Request) -> Resolved:
    """The document with its parameters and the deployment's floor; the typed errors of a document
    that does not exist, a parameter, a reason or a run-as user that is missing."""
    document = Catalogue(service.documents).document(choice.name, int(choice.version or 0))
    verbatim = choice.name in builtin.COMMAND_IS_TEXT
    document = documents.fill(document, request.table("Parameters"), verbatim=verbatim)
    document = service.floor.raised(document)
    _require_reason(document.inputs, request.text("Reason"))
    return Resolved(
        text=_text(document),
        version=document.version,
        run_as=run_as(document.inputs, access.tags),
    )


def _text(document: Document) -> str:
    """It must be readable as the agent reads it, or the session would fail there."""
    text = documents.resolved_text(document)
    if documents.read(text) != document:
        raise InvalidDocument("The document cannot be resolved with these parameters.")
    return text


def _require_reason(inputs: Inputs, reason: str) -> None:
    """ReasonRequired, which says what is wanted, where the document asks for another reason."""
    wanted = inputs.hatchway
    if not reason:
        if wanted.require_reason:
            form = f" that matches {wanted.reason_pattern}" if wanted.reason_pattern else ""
            raise ReasonRequired(f"The session document demands a Reason{form}.")
        return
    if wanted.reason_pattern and not Pattern(wanted.reason_pattern).matches(reason):
        raise ReasonRequired(
            f"The session document demands a Reason that matches {wanted.reason_pattern}."
        )
