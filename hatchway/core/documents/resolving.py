"""From a document and the caller's parameters to the resolved document of one session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from hatchway.core.documents import placeholders
from hatchway.core.documents.builtin import COMMAND_IS_TEXT, built_in
from hatchway.core.documents.model import Command, Document, Parameter, Platform, SessionType
from hatchway.core.documents.reading import MAX_RESOLVED, read
from hatchway.core.documents.writing import resolved_text
from hatchway.core.errors import InvalidDocument, InvalidParameters

Given = Mapping[str, Sequence[str]]


def resolve(name: str, parameters: Given) -> str:
    """A built-in document as the agent gets it, JSON; InvalidDocument when there is none of the
    name, InvalidParameters for parameters that it does not take."""
    document = built_in(name)
    if document is None:
        raise InvalidDocument(f"There is no session document {name}.")
    return resolved_text(fill(document, parameters, verbatim=name in COMMAND_IS_TEXT))


def fill(document: Document, parameters: Given, *, verbatim: bool = False) -> Document:
    """The document with its parameters filled in, quoted unless `verbatim`; InvalidParameters."""
    values = _values(document.parameters, parameters)

    def command(platform: Platform) -> Command | None:
        found = document.properties.of(platform)
        if found is None:
            return None
        text = found.commands
        filled = (
            placeholders.raw(text, values)
            if verbatim
            else placeholders.filled(text, platform, values)
        )
        return replace(found, commands=filled)

    properties = replace(
        document.properties,
        linux=command(Platform.LINUX),
        macos=command(Platform.MACOS),
        windows=command(Platform.WINDOWS),
    )
    found = replace(document, properties=properties, parameters=MappingProxyType({}))
    if len(resolved_text(found).encode()) > MAX_RESOLVED:
        raise InvalidParameters("The document is too large with these parameters.")
    return found


def _values(known: Mapping[str, Parameter], given: Given) -> dict[str, Sequence[str]]:
    for name in given:
        if name not in known:
            raise InvalidParameters(f"The document has no parameter {name[:64]}.")
    found: dict[str, Sequence[str]] = {}
    for name, parameter in known.items():
        values = tuple(given[name]) if name in given else parameter.default
        if values is None:
            raise InvalidParameters(f"The parameter {name} is missing.")
        why = placeholders.refusal(parameter, values)
        if why:
            raise InvalidParameters(f"The parameter {name} {why}.")
        found[name] = values
    return found


def session_type(document: str) -> str:
    """What a resolved document runs, as the original names it; a shell where it cannot be read."""
    try:
        return read(document).session_type.value
    except InvalidDocument:
        return SessionType.STANDARD_STREAM.value


def max_session_duration(document: str) -> str:
    """Minutes after which a session with this resolved document ends, "" for no limit, also where
    the document cannot be read: it is for showing alone."""
    try:
        return str(read(document).inputs.max_session_duration or "")
    except InvalidDocument:
        return ""
