"""Documents that every deployment has without anyone writing them: version 1 of the preferences,
and the documents that AWS owns in Session Manager."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hatchway.core.documents.model import (
    Command,
    Document,
    HatchwayInputs,
    Inputs,
    Parameter,
    Properties,
    SessionType,
)
from hatchway.core.documents.naming import DEFAULT

INTERACTIVE = "AWS-StartInteractiveCommand"
NON_INTERACTIVE = "AWS-StartNonInteractiveCommand"
VERSION = "1"


def _command_document(kind: SessionType, description: str, separate: bool) -> Document:
    command = Command(commands="{{ command }}")
    return Document(
        session_type=kind,
        description=description,
        parameters=MappingProxyType(
            {"command": Parameter(description="The command to run", min_chars=1)}
        ),
        properties=Properties(
            linux=command, macos=command, windows=command, separate_output_stream=separate
        ),
        version=VERSION,
    )


#: The preferences as they are until someone updates them.
PREFERENCES = Document(
    description="Document to hold regional settings for Session Manager",
    inputs=Inputs(hatchway=HatchwayInputs(banner=True)),
    version=VERSION,
)
#: Documents whose parameter is the command itself, so that it is not quoted: whoever may use them
#: may run anything, as in Session Manager.
COMMAND_IS_TEXT: Mapping[str, Document] = MappingProxyType(
    {
        INTERACTIVE: _command_document(
            SessionType.INTERACTIVE_COMMANDS, "Runs one command with a terminal", False
        ),
        NON_INTERACTIVE: _command_document(
            SessionType.NON_INTERACTIVE_COMMANDS, "Runs one command without a terminal", True
        ),
    }
)
BUILT_IN: Mapping[str, Document] = MappingProxyType({DEFAULT: PREFERENCES, **COMMAND_IS_TEXT})
