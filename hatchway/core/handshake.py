"""The JSON payloads of the handshake and of acknowledgements: built, and read with suspicion.

Source: the original's handshake (session type, KMS) with one action more, HatchwayExtensions; a
client that does not know it leaves its status at 0, and then nothing of it is used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from hatchway.core.environment import allowed
from hatchway.core.errors import MalformedMessage
from hatchway.core.wire import MAX_PAYLOAD, MessageType

EXTENSIONS = "HatchwayExtensions"
EXTENSIONS_VERSION = 1
DEFLATE = "deflate"
_SUCCESS = 1
#: Windows in bytes that a peer may ask for.
MIN_WINDOW, MAX_WINDOW = 4 * 1024, 16 * 1024 * 1024
MIN_PAYLOAD = 256
#: Out-of-order sequence numbers that one acknowledgement lists.
MAX_RECEIVED = 64
#: Nesting of any JSON payload.
MAX_DEPTH = 8
MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Extensions:
    """What one side offers or accepts: bytes of credit it gives, the largest payload it takes.
    A client says with it what its terminal and language are, see `environment`."""

    window: int
    max_payload: int = MAX_PAYLOAD
    compression: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        members: dict[str, object] = {
            "Version": EXTENSIONS_VERSION,
            "Window": self.window,
            "MaxPayload": self.max_payload,
            "Compression": [DEFLATE] if self.compression else [],
        }
        if self.environment:
            members["environment"] = allowed(self.environment)
        return members


@dataclass(frozen=True, slots=True)
class HandshakeRequest:
    """What the agent asks of the client. `extensions` is None where it offers none."""

    agent_version: str
    session_type: str
    properties: Mapping[str, object] = field(default_factory=dict)
    extensions: Extensions | None = None


@dataclass(frozen=True, slots=True)
class HandshakeResponse:
    """What the client did: whether it knows the session type, and the extensions it accepts."""

    client_version: str
    accepted: bool
    extensions: Extensions | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`sequence` was received; all up to it too when `cumulative`.

    `received` lists numbers beyond it, `credit` is the count of data bytes, from the beginning,
    up to which the peer may send; `blocked` asks for the other side's credit.
    """

    sequence: int
    message_id: UUID
    message_type: str
    cumulative: bool = False
    credit: int = 0
    received: tuple[int, ...] = ()
    blocked: bool = False


def load(payload: bytes) -> dict[str, object]:
    """A JSON object of bounded depth; MalformedMessage for anything else."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        raise MalformedMessage("A payload is not JSON.") from None
    if not isinstance(document, dict) or not _shallow(document, MAX_DEPTH):
        raise MalformedMessage("A payload is not a JSON object of bounded depth.")
    return document


def _shallow(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_shallow(inner, depth - 1) for inner in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_shallow(inner, depth - 1) for inner in value)
    return True


_encode = json.JSONEncoder(separators=(",", ":")).encode


def _dump(document: Mapping[str, object]) -> bytes:
    return _encode(document).encode()


def _text(value: object, limit: int = MAX_TEXT) -> str:
    return value[:limit] if isinstance(value, str) else ""


def whole(value: object, low: int, high: int) -> int:
    """A JSON integer within bounds; MalformedMessage otherwise (also for true and 1.0)."""
    if type(value) is not int or not low <= value <= high:
        raise MalformedMessage(f"A number is not a whole one from {low} to {high}.")
    return value


# --- request, response, complete ----------------------------------------------------------------


def pack_request(request: HandshakeRequest) -> bytes:
    actions: list[dict[str, object]] = [
        {
            "ActionType": "SessionType",
            "ActionParameters": {
                "SessionType": request.session_type,
                "Properties": dict(request.properties),
            },
        }
    ]
    if request.extensions:
        actions.append({"ActionType": EXTENSIONS, "ActionParameters": request.extensions.to_json()})
    return _dump({"AgentVersion": request.agent_version, "RequestedClientActions": actions})


def parse_request(payload: bytes) -> HandshakeRequest:
    document = load(payload)
    session_type, properties, extensions = "", {}, None
    for action in _actions(document.get("RequestedClientActions")):
        parameters = action.get("ActionParameters")
        if not isinstance(parameters, dict):
            continue
        if action.get("ActionType") == "SessionType":
            session_type = _text(parameters.get("SessionType"))
            given = parameters.get("Properties")
            properties = given if isinstance(given, dict) else {}
        elif action.get("ActionType") == EXTENSIONS:
            extensions = _extensions(parameters)
    return HandshakeRequest(
        _text(document.get("AgentVersion")), session_type, properties, extensions
    )


def pack_response(response: HandshakeResponse, request: HandshakeRequest) -> bytes:
    """The answer to `request`, every action of it in turn."""
    actions: list[dict[str, object]] = [
        {
            "ActionType": "SessionType",
            "ActionStatus": _SUCCESS if response.accepted else 2,
            "ActionResult": None,
            "Error": "" if response.accepted else "Unknown session type",
        }
    ]
    if request.extensions and response.extensions:
        actions.append(
            {
                "ActionType": EXTENSIONS,
                "ActionStatus": _SUCCESS,
                "ActionResult": response.extensions.to_json(),
                "Error": "",
            }
        )
    return _dump(
        {
            "ClientVersion": response.client_version,
            "ProcessedClientActions": actions,
            "Errors": None,
        }
    )


def parse_response(payload: bytes) -> HandshakeResponse:
    document = load(payload)
    accepted, extensions = False, None
    for action in _actions(document.get("ProcessedClientActions")):
        if action.get("ActionStatus") != _SUCCESS:  # the original leaves 0 where it knows nothing
            continue
        if action.get("ActionType") == "SessionType":
            accepted = True
        elif action.get("ActionType") == EXTENSIONS:
            result = action.get("ActionResult")
            extensions = _extensions(result) if isinstance(result, dict) else None
    return HandshakeResponse(_text(document.get("ClientVersion")), accepted, extensions)


def pack_complete(seconds: float, message: str) -> bytes:
    return _dump({"HandshakeTimeToComplete": int(seconds * 1e9), "CustomerMessage": message})


def parse_complete(payload: bytes) -> str:
    """The customer message, "" where there is none."""
    return _text(load(payload).get("CustomerMessage"))


def _actions(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise MalformedMessage("A handshake names no actions.")
    return [action for action in value[:16] if isinstance(action, dict)]


def _extensions(document: Mapping[str, object]) -> Extensions | None:
    if document.get("Version") != EXTENSIONS_VERSION:
        return None
    methods = document.get("Compression")
    environment = document.get("environment")
    return Extensions(
        whole(document.get("Window"), MIN_WINDOW, MAX_WINDOW),
        whole(document.get("MaxPayload"), MIN_PAYLOAD, MAX_PAYLOAD),
        isinstance(methods, list) and DEFLATE in methods,
        allowed(environment) if isinstance(environment, dict) else {},
    )


# --- acknowledgements ---------------------------------------------------------------------------


def pack_acknowledgement(ack: Acknowledgement) -> bytes:
    document: dict[str, object] = {
        "AcknowledgedMessageType": ack.message_type,
        "AcknowledgedMessageId": str(ack.message_id),
        "AcknowledgedMessageSequenceNumber": ack.sequence,
        "IsSequentialMessage": True,
    }
    if ack.cumulative:
        document |= {"Cumulative": True, "Credit": ack.credit}
        if ack.received:
            document["Received"] = list(ack.received)
        if ack.blocked:
            document["Blocked"] = True
    return _dump(document)


def parse_acknowledgement(payload: bytes) -> Acknowledgement:
    document = load(payload)
    top = (1 << 63) - 1
    cumulative = document.get("Cumulative") is True
    # -1: nothing received yet (a cumulative one gives credit and the news that we are here).
    low = -1 if cumulative else 0
    received = document.get("Received") if cumulative else None
    if received is not None and (not isinstance(received, list) or len(received) > MAX_RECEIVED):
        raise MalformedMessage(f"An acknowledgement lists at most {MAX_RECEIVED} numbers.")
    return Acknowledgement(
        sequence=whole(document.get("AcknowledgedMessageSequenceNumber"), low, top),
        message_id=_uuid(document.get("AcknowledgedMessageId")),
        message_type=_text(document.get("AcknowledgedMessageType")) or MessageType.OUTPUT,
        cumulative=cumulative,
        credit=whole(document.get("Credit"), 0, top) if cumulative else 0,
        received=tuple(whole(number, 0, top) for number in received or ()),
        blocked=cumulative and document.get("Blocked") is True,
    )


def _uuid(value: object) -> UUID:
    try:
        return UUID(_text(value, 36))
    except ValueError:
        raise MalformedMessage("A message id is not a UUID.") from None


# --- size ---------------------------------------------------------------------------------------

MAX_SIDE = 1000


def pack_size(columns: int, rows: int) -> bytes:
    return _dump({"cols": columns, "rows": rows})


def parse_size(payload: bytes) -> tuple[int, int]:
    """Columns and rows, 1 to 1000 each."""
    document = load(payload)
    return whole(document.get("cols"), 1, MAX_SIDE), whole(document.get("rows"), 1, MAX_SIDE)
