"""What the agent takes from a session document: what to run, as far as it can run it."""

from __future__ import annotations

from agent.ports import StartFailed
from hatchway.core import documents
from hatchway.core.documents import Document, Platform, SessionType
from hatchway.core.errors import InvalidDocument

#: The operating system whose commands and settings this agent takes.
PLATFORM = Platform.LINUX


class UnsupportedDocument(StartFailed):
    """This agent cannot run what the session document asks for."""

    code = "UnsupportedDocument"


def parse(text: str) -> Document:
    """Shells and commands; anything else, encryption included, is refused rather than ignored."""
    try:
        found = documents.read(text)
    except InvalidDocument:
        raise UnsupportedDocument("the session's document cannot be read") from None
    if found.session_type is SessionType.PORT or found.inputs.kms_key_id:
        raise UnsupportedDocument("this agent cannot run what the document asks for")
    if found.has_commands and found.properties.of(PLATFORM) is None:
        raise UnsupportedDocument("the document has no commands for this operating system")
    return found


def command(found: Document) -> str:
    """The text for `/bin/sh -c`; "" where the document has none. Never for another shell: the
    parameters in it are quoted for this one."""
    properties = found.properties.of(PLATFORM)
    return properties.commands if found.has_commands and properties else ""
