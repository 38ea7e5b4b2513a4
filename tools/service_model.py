"""The SDK's service model: botocore's rest-json description of the people API."""

from __future__ import annotations

from hatchway.core.api import OPERATIONS, VERSION
from hatchway.core.errors import HatchwayError
from hatchway.core.shapes import (
    Flag,
    Many,
    Member,
    Moment,
    Number,
    Operation,
    Place,
    Record,
    Table,
    Text,
    Type,
)
from tools.schemas import Json

_LOCATION = {Place.PATH: "uri", Place.QUERY: "querystring"}


def _shape(kind: Type, shapes: Json) -> str:
    """The name of a type's shape, which is added to `shapes` with all that it needs."""
    if kind.name not in shapes:
        shapes[kind.name] = _body(kind, shapes)
    return kind.name


def _body(kind: Type, shapes: Json) -> Json:
    match kind:
        case Text():
            body: Json = {"type": "string", "min": kind.least, "max": kind.most}
            body |= {"pattern": kind.pattern} if kind.pattern else {}
            body |= {"enum": list(kind.choices)} if kind.choices else {}
            return body | ({"sensitive": True} if kind.secret else {})
        case Number():
            return {"type": "long", "min": kind.least, "max": kind.most}
        case Flag():
            return {"type": "boolean"}
        case Moment():
            return {"type": "timestamp"}
        case Many():
            member = {"shape": _shape(kind.element, shapes)}
            return {"type": "list", "member": member, "min": kind.least, "max": kind.most}
        case Table():
            key, value = _shape(kind.key, shapes), _shape(kind.value, shapes)
            return {"type": "map", "key": {"shape": key}, "value": {"shape": value}}
        case Record():
            return _structure(kind.members, shapes)


def _structure(members: tuple[Member, ...], shapes: Json) -> Json:
    body: Json = {"type": "structure", "members": {m.name: _member(m, shapes) for m in members}}
    required = [m.name for m in members if m.required]
    return body | ({"required": required} if required else {})


def _member(member: Member, shapes: Json) -> Json:
    body: Json = {"shape": _shape(member.type, shapes), "documentation": member.doc}
    if member.place in _LOCATION:
        body |= {"location": _LOCATION[member.place], "locationName": member.wire_name}
    return body | ({"idempotencyToken": True} if member.idempotency else {})


def _error(kind: type[HatchwayError]) -> Json:
    body: Json = {
        "type": "structure",
        "members": {"message": {"shape": "ErrorMessage"}},
        "error": {"code": kind.code, "httpStatusCode": kind.status},
        "exception": True,
        "documentation": (kind.__doc__ or kind.code).strip(),
    }
    return body | ({"fault": True} if kind.status >= 500 else {})


def _operation(operation: Operation, shapes: Json) -> Json:
    takes, gives = f"{operation.name}Request", f"{operation.name}Response"
    shapes[takes] = _structure(operation.takes, shapes)
    shapes[gives] = _structure(operation.gives, shapes)
    for kind in operation.errors:
        shapes[kind.code] = _error(kind)
    return {
        "name": operation.name,
        "http": {"method": operation.method, "requestUri": operation.path},
        "input": {"shape": takes},
        "output": {"shape": gives},
        "errors": [{"shape": kind.code} for kind in operation.errors],
        "documentation": operation.doc,
    }


def service_model() -> Json:
    """botocore's `service-2.json`."""
    shapes: Json = {"ErrorMessage": {"type": "string"}}
    operations = {o.name: _operation(o, shapes) for o in OPERATIONS}
    return {
        "version": "2.0",
        "metadata": {
            "apiVersion": VERSION,
            "endpointPrefix": "execute-api",
            "protocol": "rest-json",
            "protocols": ["rest-json"],
            "serviceFullName": "Hatchway",
            "serviceId": "Hatchway",
            "signatureVersion": "v4",
            "signingName": "execute-api",
            "uid": f"hatchway-{VERSION}",
            "auth": ["aws.auth#sigv4"],
        },
        "operations": dict(sorted(operations.items())),
        "shapes": dict(sorted(shapes.items())),
    }


def paginators() -> Json:
    """botocore's `paginators-1.json`."""
    return {
        "pagination": {
            o.name: {
                "input_token": "NextToken",
                "output_token": "NextToken",
                "limit_key": "MaxResults",
                "result_key": o.paginated,
            }
            for o in OPERATIONS
            if o.paginated
        }
    }
