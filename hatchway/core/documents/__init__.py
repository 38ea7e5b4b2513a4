"""Session documents, schema 1.0: names, the typed model, reading, and resolving for a session."""

from hatchway.core.documents.model import (
    Command,
    Document,
    HatchwayInputs,
    Inputs,
    Parameter,
    ParameterType,
    PerPlatform,
    Platform,
    Properties,
    SessionType,
)
from hatchway.core.documents.naming import DEFAULT, Place, arn, pinned, reference
from hatchway.core.documents.reading import parse, read
from hatchway.core.documents.resolving import fill, max_session_duration, resolve, session_type
from hatchway.core.documents.writing import resolved_text

__all__ = [
    "DEFAULT",
    "Command",
    "Document",
    "HatchwayInputs",
    "Inputs",
    "Parameter",
    "ParameterType",
    "PerPlatform",
    "Place",
    "Platform",
    "Properties",
    "SessionType",
    "arn",
    "fill",
    "max_session_duration",
    "parse",
    "pinned",
    "read",
    "reference",
    "resolve",
    "resolved_text",
    "session_type",
]
