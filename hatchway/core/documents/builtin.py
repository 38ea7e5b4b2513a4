"""Documents that every deployment has without anyone writing them: version 1 of the preferences,
and the documents that AWS owns in Session Manager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from hatchway.core.documents.model import Document
from hatchway.core.documents.naming import DEFAULT
from hatchway.core.documents.reading import parse

INTERACTIVE = "AWS-StartInteractiveCommand"
NON_INTERACTIVE = "AWS-StartNonInteractiveCommand"
#: The only version of a built-in document.
VERSION = 1
#: Documents whose parameter is the command itself, so that it is not quoted: whoever may use them
#: may run anything, as in Session Manager.
COMMAND_IS_TEXT = frozenset({INTERACTIVE, NON_INTERACTIVE})

Content = Mapping[str, object]


def _command_document(kind: str, description: str, separate: str) -> Content:
    command = {"commands": "{{ command }}", "runAsElevated": False}
    return {
        "schemaVersion": "1.0",
        "description": description,
        "sessionType": kind,
        "parameters": {
            "command": {"type": "String", "description": "The command to run", "minChars": 1}
        },
        "properties": {
            "linux": command,
            "macos": command,
            "windows": command,
            "separateOutputStream": separate,
        },
    }


#: The default document holds the preferences as they are until someone updates them.
CONTENT: Mapping[str, Content] = MappingProxyType(
    {
        DEFAULT: {
            "schemaVersion": "1.0",
            "description": "Document to hold regional settings for Session Manager",
            "sessionType": "Standard_Stream",
            "inputs": {
                "s3BucketName": "",
                "s3KeyPrefix": "",
                "s3EncryptionEnabled": True,
                "cloudWatchLogGroupName": "",
                "cloudWatchEncryptionEnabled": True,
                "cloudWatchStreamingEnabled": True,
                "idleSessionTimeout": "20",
                "maxSessionDuration": "",
                "kmsKeyId": "",
                "runAsEnabled": False,
                "runAsDefaultUser": "",
                "shellProfile": {"windows": "", "linux": ""},
                "hatchway": {"banner": True},
            },
        },
        INTERACTIVE: _command_document(
            "InteractiveCommands", "Runs one command with a terminal", "false"
        ),
        NON_INTERACTIVE: _command_document(
            "NonInteractiveCommands", "Runs one command without a terminal", "true"
        ),
    }
)


@cache
def built_in(name: str) -> Document | None:
    """The document, None where there is no built-in one of the name."""
    content = CONTENT.get(name)
    return replace(parse(content), version=str(VERSION)) if content is not None else None
