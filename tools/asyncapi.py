"""The stream API as an AsyncAPI 3.0 document, from the service's point of view."""

from __future__ import annotations

from hatchway.core.api import (
    ACTIONS,
    MAX_FRAME_BYTES,
    NOTICES,
    SESSION_ID,
    VERSION,
)
from hatchway.core.errors import DoesNotExistException, HatchwayError
from hatchway.core.shapes import COMMON_ERRORS, Action
from tools import asyncapi_lifecycle, frames
from tools.schemas import ERROR_MEMBERS, Json, Schemas, meanings

_ABOUT = f"""\
What a client and a session's shell say to each other. StartSession and ResumeSession of the people
API give the address and a token. The client connects with
`Sec-WebSocket-Protocol: hatchway.v1, <TokenValue>`, and no other header, query or cookie counts;
the token opens one connection, once, within 60 s.

Frames are text of at most {MAX_FRAME_BYTES} bytes. One that begins with `{{` is JSON and is
answered; any other is one or more AgentMessages, base64, one per line. A client ignores JSON that
it does not know."""

_CHANNEL = "stream"
_ERRORS: tuple[type[HatchwayError], ...] = (*COMMON_ERRORS, DoesNotExistException)


def asyncapi() -> Json:
    """The document; `docs/asyncapi.json`."""
    schemas = Schemas()
    messages = _messages(schemas)
    lifecycle = asyncapi_lifecycle.messages(schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hatchway stream API",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "aws": {
                "host": "{api}.execute-api.{region}.amazonaws.com",
                "pathname": "/{stage}",
                "protocol": "wss",
                "variables": {
                    "api": {"default": "api"},
                    "region": {"default": "us-east-1"},
                    "stage": {"default": "prod"},
                },
            }
        },
        "channels": {
            _CHANNEL: {
                "address": "/",
                "description": "One connection, for the session of its token.",
                "messages": {n: {"$ref": f"#/components/messages/{n}"} for n in messages},
            },
            asyncapi_lifecycle.CHANNEL: asyncapi_lifecycle.channel(),
        },
        "operations": _operations() | asyncapi_lifecycle.operations(),
        "components": {
            "messages": messages | lifecycle,
            "schemas": dict(sorted(schemas.named.items())),
        },
    }


# --- messages -----------------------------------------------------------------------------------


def _messages(schemas: Schemas) -> Json:
    messages: Json = {
        "agentMessages": {
            "summary": "Base64 of AgentMessages (120 bytes of header, then the payload), by line.",
            "contentType": "text/plain",
            "payload": {"type": "string", "pattern": r"^[A-Za-z0-9+/=]+(\n[A-Za-z0-9+/=]+)*\n?$"},
        },
        "refusal": {"summary": meanings(_ERRORS), "payload": _refusal()},
        "notice": {"summary": frames.notices(NOTICES), "payload": frames.notice(NOTICES)},
    }
    for action in ACTIONS:
        messages[action.name] = {"summary": action.doc, "payload": _request(action, schemas)}
        messages[f"{action.name}Answer"] = {
            "summary": f"Answers `{action.name}`.",
            "payload": frames.answer(action, schemas),
        }
    return messages


def _request(action: Action, schemas: Schemas) -> Json:
    return {
        "type": "object",
        "properties": {
            **frames.always(action),
            "SessionId": schemas.reference(SESSION_ID)
            | {"description": "The connection's session; another one is refused."},
        },
        "required": ["action"],
        "additionalProperties": False,
    }


def _refusal() -> Json:
    return {
        "type": "object",
        "properties": {
            "action": {"type": "string", "enum": [action.name for action in ACTIONS]},
            **ERROR_MEMBERS,
            "__type": {"type": "string", "enum": [kind.code for kind in _ERRORS]},
            "RequestId": frames.REQUEST_ID,
        },
        "required": ["action", "__type", "message"],
    }


# --- operations ---------------------------------------------------------------------------------


def _operations() -> Json:
    operations: Json = {
        "input": _operation("receive", "What the client types.", "agentMessages"),
        "output": _operation("send", "What the shell prints.", "agentMessages"),
        "notices": _operation("send", "What the service has to say by itself.", "notice"),
    }
    for action in ACTIONS:
        operations[action.name] = _operation("receive", action.doc, action.name) | {
            "reply": {
                "channel": {"$ref": f"#/channels/{_CHANNEL}"},
                "messages": [_message(f"{action.name}Answer"), _message("refusal")],
            }
        }
    return operations


def _operation(direction: str, doc: str, message: str) -> Json:
    return {
        "action": direction,
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "summary": doc,
        "messages": [_message(message)],
    }


def _message(name: str) -> Json:
    return {"$ref": f"#/channels/{_CHANNEL}/messages/{name}"}
