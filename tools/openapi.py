"""The people API as an OpenAPI 3.1 document."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby

from hatchway.core.api import MAX_BODY_BYTES, OPERATIONS, VERSION
from hatchway.core.errors import HatchwayError
from hatchway.core.shapes import Many, Member, Operation, Place
from tools.schemas import ERROR, Json, Schemas, meanings

_ABOUT = f"""\
Starts, lists, resumes and ends sessions, and manages nodes.

Every request is signed with AWS Signature Version 4 for the service `execute-api`. It needs
`execute-api:Invoke` on its path and, in the caller's own policies, the Systems Manager action that
stands in `x-hatchway-permission`. A body is a JSON object of at most {MAX_BODY_BYTES} bytes;
unknown members, members that contradict the path and unknown query parameters are refused."""


def openapi() -> Json:
    """The document; `docs/openapi.json`."""
    schemas = Schemas()
    paths: defaultdict[str, Json] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hatchway people API",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com/{stage}",
                "variables": {
                    "api": {"default": "api"},
                    "region": {"default": "us-east-1"},
                    "stage": {"default": "prod"},
                },
            }
        ],
        "security": [{"sigv4": []}],
        "paths": dict(paths),
        "components": {
            "schemas": dict(sorted((schemas.named | {"Error": ERROR}).items())),
            "headers": {
                "ErrorType": {"description": "The code.", "schema": {"type": "string"}},
            },
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4, service execute-api.",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
    }


def _operation(operation: Operation, schemas: Schemas) -> Json:
    body = [m for m in operation.takes if m.place is Place.BODY]
    described: Json = {
        "operationId": operation.name,
        "summary": operation.doc,
        "parameters": [
            _parameter(m, schemas) for m in operation.takes if m.place is not Place.BODY
        ],
        "responses": _responses(operation, schemas),
        "x-hatchway-permission": {"action": operation.action, "resource": operation.resource},
    }
    if body:
        described["requestBody"] = {
            "required": any(m.required for m in body),
            "content": _json(_body(operation, body, schemas)),
        }
    return described


def _body(operation: Operation, members: list[Member], schemas: Schemas) -> Json:
    """A member of the path may stand in the body too, if it says the same."""
    repeated = [m for m in operation.takes if m.place is Place.PATH]
    structure = schemas.structure(members, closed=True)
    properties = structure["properties"]
    if isinstance(properties, dict):
        for member in repeated:
            properties[member.name] = schemas.reference(member.type) | {
                "description": "As in the path."
            }
    return structure


def _parameter(member: Member, schemas: Schemas) -> Json:
    described: Json = {
        "name": member.wire_name,
        "in": member.place.value,
        "required": member.required,
        "description": member.doc,
        "schema": schemas.reference(member.type),
    }
    return described | ({"explode": True} if isinstance(member.type, Many) else {})


def _responses(operation: Operation, schemas: Schemas) -> Json:
    answers: Json = {
        "200": {"description": "Done.", "content": _json(schemas.structure(operation.gives))}
    }
    by_status = sorted(operation.errors, key=_status)
    for status, kinds in groupby(by_status, key=_status):
        answers[str(status)] = _refusal(list(kinds))
    return answers


def _status(kind: type[HatchwayError]) -> int:
    return kind.status


def _refusal(kinds: list[type[HatchwayError]]) -> Json:
    codes = {"properties": {"__type": {"enum": [kind.code for kind in kinds]}}}
    return {
        "description": meanings(kinds),
        "headers": {"x-amzn-errortype": {"$ref": "#/components/headers/ErrorType"}},
        "content": _json({"allOf": [{"$ref": "#/components/schemas/Error"}, codes]}),
    }


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
