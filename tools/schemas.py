"""JSON Schemas of the types in `hatchway/core/shapes.py`, for both API documents."""

from __future__ import annotations

from collections.abc import Sequence

from hatchway.core.errors import HatchwayError
from hatchway.core.shapes import Flag, Many, Member, Moment, Number, Record, Table, Text, Type

Json = dict[str, object]
#: What went wrong, as both APIs say it.
ERROR_MEMBERS: Json = {
    "__type": {"type": "string", "description": "The code."},
    "message": {"type": "string", "description": "Text for people."},
    "RequestId": {"type": "string", "description": "To find the request in the logs."},
}
ERROR: Json = {
    "type": "object",
    "properties": ERROR_MEMBERS,
    "required": ["__type", "message"],
}


class Schemas:
    """Named schemas, collected as they are referred to."""

    def __init__(self) -> None:
        self.named: Json = {}

    def reference(self, kind: Type) -> Json:
        """A reference to a type's schema, which is added with all that it needs."""
        if kind.name not in self.named:
            self.named[kind.name] = {}  # its place, should it refer to itself
            self.named[kind.name] = self._schema(kind)
        return {"$ref": f"#/components/schemas/{kind.name}"}

    def structure(self, members: Sequence[Member], *, closed: bool = False) -> Json:
        """An object; a `closed` one refuses members that are not named."""
        properties = {m.name: self.reference(m.type) | {"description": m.doc} for m in members}
        body: Json = {"type": "object", "properties": properties}
        required = [m.name for m in members if m.required]
        body |= {"required": required} if required else {}
        return body | ({"additionalProperties": False} if closed else {})

    def _schema(self, kind: Type) -> Json:
        match kind:
            case Text():
                return _text(kind)
            case Number():
                return {"type": "integer", "minimum": kind.least, "maximum": kind.most}
            case Flag():
                return {"type": "boolean"}
            case Moment():
                return {"type": "number", "description": "Unix seconds."}
            case Many():
                items = self.reference(kind.element)
                return {
                    "type": "array",
                    "items": items,
                    "minItems": kind.least,
                    "maxItems": kind.most,
                }
            case Table():
                return {
                    "type": "object",
                    "propertyNames": self.reference(kind.key),
                    "additionalProperties": self.reference(kind.value),
                    "maxProperties": kind.most,
                }
            case Record():
                return self.structure(kind.members)


def _text(kind: Text) -> Json:
    if kind.choices:
        return {"type": "string", "enum": list(kind.choices)}
    body: Json = {"type": "string", "minLength": kind.least, "maxLength": kind.most}
    body |= {"pattern": kind.pattern} if kind.pattern else {}
    return body | ({"format": "password"} if kind.secret else {})


def meanings(kinds: Sequence[type[HatchwayError]]) -> str:
    """What each of these errors means, one line each."""
    return "\n".join(f"* `{kind.code}`: {(kind.__doc__ or kind.code).strip()}" for kind in kinds)
