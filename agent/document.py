"""What the agent takes from a session document: the session type, as far as it can serve it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agent.ports import StartFailed

STANDARD = "Standard_Stream"


class UnsupportedDocument(StartFailed):
    """This agent cannot run what the session document asks for."""

    code = "UnsupportedDocument"


@dataclass(frozen=True, slots=True)
class Document:
    """A checked session document."""

    session_type: str = STANDARD


def parse(text: str) -> Document:
    """Only shells so far; anything else, encryption included, is refused rather than ignored."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise UnsupportedDocument() from None
    inputs = fields.get("inputs", {}) if isinstance(fields, dict) else None
    if not isinstance(inputs, dict) or fields.get("sessionType", STANDARD) != STANDARD:
        raise UnsupportedDocument()
    if inputs.get("kmsKeyId") or inputs.get("runAsEnabled"):
        raise UnsupportedDocument()
    return Document()
