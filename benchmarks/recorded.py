"""What one message takes by how it is recorded, in a process of its own, by the real handlers.

`python -m benchmarks.recorded COUNT` prints samples as JSON. AWS is the fake one that the
environment names: it answers at once, so that only what recording does itself is seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from benchmarks import contents
from benchmarks.fake_aws import SECRET, VERSION_ID
from benchmarks.metered import EVENT_BYTES, Answered, Unpaced
from benchmarks.relayed import event, texts, ticket
from benchmarks.simulated import conversation
from benchmarks.virtual_loop import VirtualLoop
from hatchway.core.keys import ticket_key
from hatchway.core.recording import Mode, Passed, dump
from hatchway.core.tickets import seal_ticket
from hatchway.core.wire import MessageType
from lambdas.edge import serve
from lambdas.logline import Line, plain
from lambdas.recording import Recorder
from lambdas.relay import deps as relay_deps
from lambdas.uplink import deps as uplink_deps

MEGABYTE = 1_000_000
WARM = 5
#: The functions' lines.
_LOG = io.StringIO()


@dataclass(frozen=True, slots=True)
class Way:
    """How a session is recorded: in which mode, and whether its events are sealed."""

    name: str
    mode: Mode
    sealed: bool


WAYS = (
    Way("off", Mode.OFF, sealed=False),
    Way("wanted, in clear", Mode.BESIDE, sealed=False),
    Way("wanted", Mode.BESIDE, sealed=True),
    Way("required, in clear", Mode.REQUIRED, sealed=False),
    Way("required", Mode.REQUIRED, sealed=True),
)
#: As it is when a session is recorded and nothing else is said.
USUAL = "wanted"


@dataclass(slots=True)
class Samples:
    """Seconds by the clock, each; and of the processor and bytes recorded, for all of them."""

    kind: str
    way: str
    seconds: list[float] = field(default_factory=list)
    processor: float = 0.0
    recorded: int = 0


Act = Callable[[str], object]


class _Counting:
    """A seal that counts what CloudWatch Logs takes of each event."""

    def __init__(self, way: Way, recorder: Recorder) -> None:
        self._seal = recorder.seal if way.sealed else _in_clear
        self.bytes = 0

    def __call__(self, session: str, passed: Passed) -> str:
        text = self._seal(session, passed)
        self.bytes += len(text) + EVENT_BYTES
        return text


def _in_clear(session: str, passed: Passed) -> str:
    return dump(passed)


def _relay(way: Way) -> tuple[Act, _Counting]:
    relay = replace(relay_deps.build(os.environ), pace=Unpaced(time.time))
    counting = _Counting(way, relay.recorder)
    relay = replace(relay, recorder=replace(relay.recorder, seal=counting))
    made = event("ws_message.json")
    made["requestContext"]["authorizer"] |= {"record": way.mode.value, "recordTyped": "true"}

    def act(text: str) -> object:
        line = Line("relay")
        answer = relay.handle(made | {"body": text}, line)
        plain(line.level, line.fields)
        return answer

    return act, counting


def _uplink(way: Way) -> tuple[Act, _Counting]:
    uplink = uplink_deps.build(os.environ)
    counting = _Counting(way, uplink.recorder)
    uplink = replace(uplink, recorder=replace(uplink.recorder, seal=counting))
    key = ticket_key(SECRET, key_id=VERSION_ID[:8])
    passed = seal_ticket(replace(ticket(), record=way.mode.value), key)
    headers = {"multiValueHeaders": {"X-Hatchway-Ticket": [passed]}}
    made = event("rest_frames.json", **headers)
    return lambda text: serve(
        "uplink", made | {"body": text}, uplink.handle, plain, max_body=128 * 1024
    ), counting


def uploads() -> list[str]:
    """The bodies of an agent's uploads of a megabyte of log text."""
    found = list[str]()

    async def printed() -> None:
        async with conversation(0.0) as (talk, service):
            pass_on = service.from_agent

            def taken(route: str, body: str, ticket: str = "") -> Answered:
                if route == "frames":
                    found.append(body)
                return pass_on(route, body, ticket)

            service.from_agent = taken  # type: ignore[method-assign]
            await talk.print(contents.log_text(MEGABYTE))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(printed())
    return found


def measured(count: int) -> list[Samples]:
    """The ways in turn, message by message, for each kind."""
    found = list[Samples]()
    for function, make, kind in (
        ("relay", _relay, MessageType.INPUT),
        ("uplink", _uplink, MessageType.OUTPUT),
    ):
        for size, text in texts(kind).items():
            found += _in_turn(f"{function}, {size}", make, [text], count)
    return found + _in_turn("uplink, MB of log text", _uplink, uploads(), max(1, count // 10))


def _in_turn(
    kind: str, make: Callable[[Way], tuple[Act, _Counting]], bodies: Sequence[str], count: int
) -> list[Samples]:
    acts = [(Samples(kind, way.name), *make(way)) for way in WAYS]
    for number in range(-WARM, count):
        for samples, act, counting in acts:
            before, begun, used = counting.bytes, time.perf_counter(), time.process_time()
            answers = [act(body) for body in bodies]
            took, used = time.perf_counter() - begun, time.process_time() - used
            _check(answers)
            if number >= 0:
                samples.seconds.append(took)
                samples.processor += used
                samples.recorded += counting.bytes - before
    return [samples for samples, _, _ in acts]


def _check(answers: Sequence[object]) -> None:
    lines = _LOG.getvalue()
    _LOG.seek(0)
    _LOG.truncate()
    bad = [a for a in answers if not isinstance(a, Mapping) or a.get("statusCode") != 200]
    if bad or '"dropped"' in lines or '"unrecorded"' in lines:
        raise RuntimeError(f"a message was not passed on and recorded: {bad} {lines}")


def samples(data: Sequence[Mapping[str, Any]]) -> list[Samples]:
    """What a process printed."""
    return [Samples(**each) for each in data]


if __name__ == "__main__":
    with contextlib.redirect_stdout(_LOG):
        done = measured(int(sys.argv[1]))
    print(json.dumps([asdict(each) for each in done]))
