"""Processor time of one relayed message, in a process of its own, by the real handlers.

`python -m benchmarks.relayed sdk|raw COUNT` prints seconds a message by kind, as JSON. AWS is the
fake one that the environment names.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.fake_aws import SECRET, VERSION_ID
from benchmarks.raw_aws import Kept, Keys, RawClients, RawDownlink
from hatchway.core.keys import ticket_key
from hatchway.core.tickets import Ticket, seal_ticket
from hatchway.core.wire import MAX_PAYLOAD, AgentMessage, MessageType, PayloadType, pack, to_text
from lambdas.edge import serve
from lambdas.logline import line, plain
from lambdas.relay import deps as relay_deps
from lambdas.uplink import deps as uplink_deps

_EVENTS = Path(__file__).parent.parent / "tests" / "events"
_CONNECTION = "L0SM9cOFvHcCIhw="
_REGION = "us-east-1"
#: What a day of tickets needs: nothing here renews them.
_DAY = 86_400
WARM = 20


def _event(name: str, **changes: object) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((_EVENTS / name).read_text())
    return event | changes


def _frame(kind: MessageType, payload: bytes, payload_type: int = PayloadType.OUTPUT) -> bytes:
    return pack(AgentMessage(kind, 0, UUID(int=1), 1_800_000_000_000, payload, payload_type))


def _texts(kind: MessageType) -> dict[str, str]:
    """A key with an acknowledgement beside it, as it travels; and as much as a call takes."""
    acknowledgement = _frame(MessageType.ACKNOWLEDGE, b"{}" * 150, PayloadType.NONE)
    key = to_text([_frame(kind, b"x"), acknowledgement])
    return {"key": key, "full": to_text([_frame(kind, os.urandom(MAX_PAYLOAD))] * 3)}


def _ticket() -> str:
    key_id = VERSION_ID[:8]
    ticket = Ticket(
        key_id=key_id,
        session="john-0123456789abcdef0",
        node="i-0123456789abcdef0",
        connection=_CONNECTION,
        generation=1,
        activity=0,
        expires=int(time.time()) + _DAY,
    )
    return seal_ticket(ticket, ticket_key(SECRET, key_id=key_id))


def _relay(environ: Mapping[str, str], raw: bool) -> Callable[[dict[str, Any]], object]:
    relay = relay_deps.build(environ)
    if raw:
        keys = Keys("AKIAEXAMPLE", "example", _REGION, "iotdevicegateway")
        kept = Kept(environ["IOT_DATA_URL"], keys)
        relay = replace(relay, downlink=RawDownlink(environ["STAGE"], kept))

    def handle(event: dict[str, Any]) -> object:
        with line("relay", plain) as log:
            return relay.handle(event, log)

    return handle


def _uplink(environ: Mapping[str, str], raw: bool) -> Callable[[dict[str, Any]], object]:
    uplink = uplink_deps.build(environ)
    if raw:
        keys = Keys("AKIAEXAMPLE", "example", _REGION, "execute-api")
        uplink = replace(uplink, clients=RawClients(Kept(environ["STREAM_MANAGEMENT_URL"], keys)))
    return lambda event: serve("uplink", event, uplink.handle, plain, max_body=128 * 1024)


def _each(handle: Callable[[dict[str, Any]], object], event: dict[str, Any], count: int) -> float:
    for _ in range(WARM):
        _check(handle(event))
    begun = time.process_time()
    for _ in range(count):
        handle(event)
    return (time.process_time() - begun) / count


def _check(answer: object) -> None:
    if not isinstance(answer, dict) or answer.get("statusCode") != 200:
        raise RuntimeError(f"a message was not relayed: {answer}")


def measured(raw: bool, count: int) -> dict[str, float]:
    """Seconds of the processor for one message, by function and size."""
    relay, uplink = _relay(os.environ, raw), _uplink(os.environ, raw)
    found = {}
    for size, text in _texts(MessageType.INPUT).items():
        found[f"relay, {size}"] = _each(relay, _event("ws_message.json", body=text), count)
    headers = {"multiValueHeaders": {"X-Hatchway-Ticket": [_ticket()]}}
    for size, text in _texts(MessageType.OUTPUT).items():
        event = _event("rest_frames.json", body=text, **headers)
        found[f"uplink, {size}"] = _each(uplink, event, count)
    return found


if __name__ == "__main__":
    log = io.StringIO()  # the functions' lines
    with contextlib.redirect_stdout(log):
        samples = measured(sys.argv[1] == "raw", int(sys.argv[2]))
    print(json.dumps(samples))
