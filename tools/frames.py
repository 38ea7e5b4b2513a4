"""Parts of JSON frames that both kinds of connection have, for the AsyncAPI document."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.api import MAX_REQUEST_ID
from hatchway.core.shapes import Action
from tools.schemas import Json, Schemas

REQUEST_ID: Json = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_REQUEST_ID,
    "description": "Comes back in the answer.",
}


def always(action: Action) -> Json:
    """What each frame of an action has, asked or answered."""
    return {"action": {"const": action.name}, "RequestId": REQUEST_ID}


def members(structure: Json) -> Json:
    """A structure's properties."""
    found = structure["properties"]
    return found if isinstance(found, dict) else {}


def answer(action: Action, schemas: Schemas) -> Json:
    """The payload of an action's answer."""
    given = schemas.structure(action.gives)
    return {**given, "properties": always(action) | members(given), "required": ["action"]}


def notices(meanings: Mapping[str, str]) -> str:
    """The notices and what they say, as a list."""
    return "\n".join(f"* `{name}`: {meaning}" for name, meaning in meanings.items())


def notice(meanings: Mapping[str, str]) -> Json:
    """The payload of a notice."""
    return {
        "type": "object",
        "properties": {"notice": {"type": "string", "enum": list(meanings)}},
        "required": ["notice"],
    }
