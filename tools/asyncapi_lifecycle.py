"""The channel of lifecycle connections, for the AsyncAPI document."""

from __future__ import annotations

from hatchway.core.api import LIFECYCLE_ACTIONS, LIFECYCLE_NOTICES
from hatchway.core.shapes import Action, Operation
from tools import frames
from tools.schemas import ERROR_MEMBERS, Json, Schemas, meanings

CHANNEL = "lifecycle"
_ABOUT = """\
One connection, for all sessions of a caller: opened with the token that OpenConnection gives. A
frame has the members of the operation that it stands for; what API Gateway would check on the
operation's own path is checked here as well. It lives 15 minutes at most."""


def name_of(action: Action, more: str = "") -> str:
    """What a message or operation of this channel is called in the document."""
    return f"{CHANNEL}.{action.name}{more}"


def channel() -> Json:
    """The channel, with all its messages."""
    return {
        "address": "/",
        "description": _ABOUT,
        "messages": {n: {"$ref": f"#/components/messages/{n}"} for n in _names()},
    }


def messages(schemas: Schemas) -> Json:
    """The messages, by their names."""
    found: Json = {
        f"{CHANNEL}.notice": {
            "summary": frames.notices(LIFECYCLE_NOTICES),
            "payload": frames.notice(LIFECYCLE_NOTICES),
        }
    }
    for action in LIFECYCLE_ACTIONS:
        found[name_of(action)] = {"summary": action.doc, "payload": _request(action, schemas)}
        found[name_of(action, "Answer")] = {
            "summary": f"Answers `{action.name}`.",
            "payload": frames.answer(action, schemas),
        }
        found[name_of(action, "Refusal")] = {
            "summary": meanings(_operation_of(action).errors),
            "payload": _refusal(action),
        }
    return found


def operations() -> Json:
    """What may be asked, and what is told."""
    found: Json = {
        f"{CHANNEL}.notices": {
            "action": "send",
            "channel": _channel(),
            "summary": "What the service has to say by itself.",
            "messages": [_message(f"{CHANNEL}.notice")],
        }
    }
    for action in LIFECYCLE_ACTIONS:
        found[name_of(action)] = {
            "action": "receive",
            "channel": _channel(),
            "summary": action.doc,
            "messages": [_message(name_of(action))],
            "reply": {
                "channel": _channel(),
                "messages": [
                    _message(name_of(action, "Answer")),
                    _message(name_of(action, "Refusal")),
                ],
            },
        }
    return found


def _names() -> list[str]:
    kinds = ("", "Answer", "Refusal")
    return [f"{CHANNEL}.notice", *(name_of(a, kind) for a in LIFECYCLE_ACTIONS for kind in kinds)]


def _operation_of(action: Action) -> Operation:
    if action.permission is None:
        raise ValueError(f"{action.name} stands for no operation")
    return action.permission


def _channel() -> Json:
    return {"$ref": f"#/channels/{CHANNEL}"}


def _message(name: str) -> Json:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{name}"}


def _request(action: Action, schemas: Schemas) -> Json:
    taken = _operation_of(action).takes
    asked = schemas.structure(taken)
    needed = [member.name for member in taken if member.required]
    return {
        **asked,
        "properties": frames.always(action) | frames.members(asked),
        "required": ["action", *needed],
        "additionalProperties": False,
    }


def _refusal(action: Action) -> Json:
    codes = sorted({kind.code for kind in _operation_of(action).errors})
    return {
        "type": "object",
        "properties": {
            **frames.always(action),
            **ERROR_MEMBERS,
            "__type": {"type": "string", "enum": codes},
        },
        "required": ["__type", "message"],
    }
