"""Processor time of one relayed message, in a process of its own, by the real handlers.

`python -m benchmarks.relayed sdk|signed COUNT` prints seconds a message by kind, as JSON. AWS is
the fake one that the environment names.
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
from benchmarks.metered import Unpaced
from benchmarks.sdk_aws import SdkClients, SdkDownlink
from hatchway.core.keys import ticket_key
from hatchway.core.tickets import Ticket, seal_ticket
from hatchway.core.wire import MAX_PAYLOAD, AgentMessage, MessageType, PayloadType, pack, to_text
from lambdas.edge import serve
from lambdas.logline import line, plain
from lambdas.relay import deps as relay_deps
from lambdas.uplink import deps as uplink_deps

_EVENTS = Path(__file__).parent.parent / "tests" / "events"
_CONNECTION = "L0SM9cOFvHcCIhw="
#: What a day of tickets needs: nothing here renews them.
_DAY = 86_400
WARM = 20
#: The functions' lines.
_LOG = io.StringIO()


def event(name: str, **changes: object) -> dict[str, Any]:
    """A recorded trigger event."""
    found: dict[str, Any] = json.loads((_EVENTS / name).read_text())
    return found | changes


def _frame(kind: MessageType, payload: bytes, payload_type: int = PayloadType.OUTPUT) -> bytes:
    return pack(AgentMessage(kind, 0, UUID(int=1), 1_800_000_000_000, payload, payload_type))


def texts(kind: MessageType) -> dict[str, str]:
    """A key with an acknowledgement beside it, as it travels; and as much as a call takes."""
    acknowledgement = _frame(MessageType.ACKNOWLEDGE, b"{}" * 150, PayloadType.NONE)
    key = to_text([_frame(kind, b"x"), acknowledgement])
    return {"key": key, "full": to_text([_frame(kind, os.urandom(MAX_PAYLOAD))] * 3)}


def ticket() -> Ticket:
    """One for as long as this takes."""
    return Ticket(
        key_id=VERSION_ID[:8],
        session="john-0123456789abcdef0",
        node="i-0123456789abcdef0",
        connection=_CONNECTION,
        generation=1,
        activity=0,
        expires=int(time.time()) + _DAY,
    )


def _sealed_ticket() -> str:
    return seal_ticket(ticket(), ticket_key(SECRET, key_id=VERSION_ID[:8]))


def _relay(environ: Mapping[str, str], sdk: bool) -> Callable[[dict[str, Any]], object]:
    relay = replace(relay_deps.build(environ), pace=Unpaced(time.time))
    if sdk:
        relay = replace(relay, downlink=SdkDownlink(environ["STAGE"], environ["IOT_DATA_URL"]))

    def handle(event: dict[str, Any]) -> object:
        with line("relay", plain) as log:
            return relay.handle(event, log)

    return handle


def _uplink(environ: Mapping[str, str], sdk: bool) -> Callable[[dict[str, Any]], object]:
    uplink = uplink_deps.build(environ)
    if sdk:
        uplink = replace(uplink, clients=SdkClients(environ["STREAM_MANAGEMENT_URL"]))
    return lambda event: serve("uplink", event, uplink.handle, plain, max_body=128 * 1024)


def _each(handle: Callable[[dict[str, Any]], object], event: dict[str, Any], count: int) -> float:
    for _ in range(WARM):
        _check(handle(event))
    begun = time.process_time()
    for _ in range(count):
        answer = handle(event)
    used = time.process_time() - begun
    _check(answer)
    return used / count


def _check(answer: object) -> None:
    lines = _LOG.getvalue()
    if not isinstance(answer, dict) or answer.get("statusCode") != 200 or '"dropped"' in lines:
        raise RuntimeError(f"a message was not relayed: {answer}")


def measured(sdk: bool, count: int) -> dict[str, float]:
    """Seconds of the processor for one message, by function and size."""
    relay, uplink = _relay(os.environ, sdk), _uplink(os.environ, sdk)
    found = {}
    for size, text in texts(MessageType.INPUT).items():
        found[f"relay, {size}"] = _each(relay, event("ws_message.json", body=text), count)
    headers = {"multiValueHeaders": {"X-Hatchway-Ticket": [_sealed_ticket()]}}
    for size, text in texts(MessageType.OUTPUT).items():
        upload = event("rest_frames.json", body=text, **headers)
        found[f"uplink, {size}"] = _each(uplink, upload, count)
    return found


if __name__ == "__main__":
    with contextlib.redirect_stdout(_LOG):
        samples = measured(sys.argv[1] == "sdk", int(sys.argv[2]))
    print(json.dumps(samples))
