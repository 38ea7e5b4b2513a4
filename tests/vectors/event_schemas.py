"""Holds events against `docs/events`: every detail type has a schema, and its members stand there.

The schemas let members come in unnoticed, as consumers should; here none may.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[2] / "docs" / "events"


def _read(path: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(path.read_text())
    Draft202012Validator.check_schema(schema)
    return schema


#: By detail type, which is the schema's title.
SCHEMAS: Mapping[str, dict[str, Any]] = {
    schema["title"]: schema for schema in map(_read, sorted(FOLDER.glob("*.json")))
}


def check(detail_type: str, detail: Mapping[str, object]) -> None:
    """Raises what is wrong with a detail: jsonschema's ValidationError, or AssertionError."""
    assert detail_type in SCHEMAS, f"docs/events does not know {detail_type}"
    schema = SCHEMAS[detail_type]
    Draft202012Validator(schema).validate(dict(detail))
    unknown = set(detail) - set(schema["properties"])
    assert not unknown, f"{detail_type} has members that docs/events does not know: {unknown}"
