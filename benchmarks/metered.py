"""The service in memory with a meter at its ports: the real handlers over the memory twins.

Nothing here takes time. What one invocation takes is given, from what `cold_start` measures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from benchmarks.asking import Asking
from benchmarks.prices import IOT_UNIT, READ_UNIT, WEBSOCKET_UNIT, WRITE_UNIT, Item, Meter
from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from lambdas.adapters import items
from lambdas.adapters.crypto import cipher
from lambdas.adapters.retention import HISTORY
from lambdas.agents.handler import assemble
from lambdas.edge import Act, serve
from lambdas.logline import Field, Line
from lambdas.memory.connections import MemoryClients
from lambdas.memory.destinations import MemoryLooks
from lambdas.memory.iot import MemoryDownlink
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.recordings import MemoryRecordings, MemoryTroubles
from lambdas.memory.secrets import MemorySecrets
from lambdas.memory.sessions import MemorySessions
from lambdas.memory.wrapping import MemoryWrapping
from lambdas.ports import Clock, Random, Session, Token
from lambdas.recording import Recorder
from lambdas.relay.handler import Ciphers, Relay
from lambdas.relay.pace import Pace
from lambdas.sealing import Sealing
from lambdas.uplink.handler import Uplink

NODE = "i-0123456789abcdef0"
SESSION = "john-0123456789abcdef0"
CONNECTION = "L0SM9cOFvHcCIhw="
OWNER, OWNER_ARN = Owner("123456789012", "AIDAJOHN"), "arn:aws:iam::123456789012:user/john"
CHANNEL_ROLE = "AROACHANNELROLEEXAMPL"
STAGE = "bench"
#: Memory of the functions on the data path, in GB.
MEMORY = 0.5
#: What Lambda itself writes for an invocation, START, END and REPORT, and an access log line.
PLATFORM_LOG, ACCESS_LOG = 300, 450
#: What CloudWatch Logs adds to an event's own bytes.
EVENT_BYTES = 26
#: A session's item stands in the table and in three indexes that hold all of it.
COPIES = 4
_EVENTS = Path(__file__).parent.parent / "tests" / "events"

T = TypeVar("T")


class _Counted:
    """Passes everything on, and tells `count` of it with the method's name."""

    def __init__(self, twin: object, count: Callable[[str, tuple[Any, ...]], None]) -> None:
        self._twin, self._count = twin, count

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._twin, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._count(name, arguments)
            return found(*arguments, **named)

        return call


def counted(twin: T, count: Callable[[str, tuple[Any, ...]], None]) -> T:
    return cast(T, _Counted(twin, count))


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer of the agent API."""

    status: int
    body: bytes


class Unpaced(Pace):
    """What is sent is counted, also what a client of the original's habits sends too fast."""

    def spend(self, connection: str) -> None:
        """Lets everything pass."""


class MeteredService:
    """The data path and the agents' session routes; `to_node` and `to_client` get what comes."""

    def __init__(
        self, clock: Clock, random: Random, seconds: float, *, typed: bool = False
    ) -> None:
        self.meter = Meter()
        self._seconds, self._typed = seconds, typed
        self.to_node: Callable[[bytes], None] = lambda sealed: None
        self.to_client: Callable[[str], None] = lambda text: None
        self._store = MemorySessions(clock)
        self._downlink = MemoryDownlink()
        self._downlink.on_data = lambda node, session, sealed: self.to_node(sealed)
        self._clients = MemoryClients()
        self._clients.open(CONNECTION)
        clients = counted(self._clients, self._posted)
        seal, ticket = MemorySecrets("seal"), MemorySecrets("ticket")
        recordings = counted(MemoryRecordings(), self._recorded)
        sealing = Sealing(MemoryWrapping(), cipher, clock, random)
        recorder = Recorder(recordings, MemoryTroubles(), clock, sealing, _first)
        self._relay = Relay(
            secrets=seal,
            downlink=counted(self._downlink, self._published),
            recorder=recorder,
            ciphers=Ciphers(cipher),
            pace=Unpaced(clock),
            clock=clock,
            random=random,
        )
        self._uplink = Uplink(ticket, clients, recorder, CHANNEL_ROLE, clock)
        self._agents = assemble(
            sessions=counted(self._store, self._stored),
            nodes=MemoryNodes(),
            clients=clients,
            looks=MemoryLooks(),
            seal=seal,
            ticket=ticket,
            channel_role_id=CHANNEL_ROLE,
            clock=clock,
            random=random,
            stage=STAGE,
        )
        self._asking = Asking(
            OWNER, OWNER_ARN, counted(self._store, self._stored), clients, clock, random
        )
        self._attach(clock())

    # --- in -------------------------------------------------------------------------------------

    def from_client(self, text: str) -> None:
        """A WebSocket message of the client's."""
        self.meter.units(Item.WEBSOCKET_MESSAGE, len(text), WEBSOCKET_UNIT)
        if text.startswith("{"):
            self._asked(text)
            return
        line = Line("relay")
        event = _event("ws_message.json", body=text)
        event["requestContext"]["authorizer"]["recordTyped"] = "true" if self._typed else "false"
        self._relay.handle(event, line)
        self._invoked(line.level, line.fields)
        if "code" in line.fields or line.level != "INFO":
            raise RuntimeError(f"a message was not relayed: {line.fields}")

    def _asked(self, text: str) -> None:
        event = _event("ws_message.json", body=text)
        event["requestContext"]["routeKey"] = json.loads(text)["action"]
        self.meter.add(Item.LOG_BYTE, self._asking.ask(event, self._invoked))

    def from_agent(self, route: str, body: str, ticket: str = "") -> Answered:
        """A call of the agent API: frames, ticket."""
        self.meter.add(Item.REST_CALL)
        event = _event("rest_frames.json", body=body)
        event["resource"] = "/agent/{nodeId}/sessions/{sessionId}/" + route
        event["multiValueHeaders"] = {"X-Hatchway-Ticket": [ticket]} if ticket else {}
        family: tuple[str, Act] = (
            ("uplink", self._uplink.handle)
            if route == "frames"
            else ("agents", self._agents.handle)
        )
        answer = serve(family[0], event, family[1], self._invoked, max_body=128 * 1024)
        status, text = answer["statusCode"], str(answer["body"])
        return Answered(int(str(status)), text.encode())

    # --- what the ports are told ----------------------------------------------------------------

    def _invoked(self, level: str, fields: Mapping[str, Field]) -> None:
        self.meter.add(Item.LAMBDA_REQUEST)
        self.meter.add(Item.LAMBDA_GB_SECOND, self._seconds * MEMORY)
        line = len(json.dumps({"level": level, **fields}, separators=(",", ":"))) + 1
        self.meter.add(Item.LOG_BYTE, line + PLATFORM_LOG + ACCESS_LOG)

    def _published(self, method: str, arguments: tuple[Any, ...]) -> None:
        for _ in ("the publish", "the delivery"):
            self.meter.units(Item.IOT_MESSAGE, len(arguments[-1]), IOT_UNIT)

    def _posted(self, method: str, arguments: tuple[Any, ...]) -> None:
        if method == "post":
            self.meter.units(Item.WEBSOCKET_MESSAGE, len(arguments[1]), WEBSOCKET_UNIT)
            self.to_client(arguments[1])

    def _recorded(self, method: str, arguments: tuple[Any, ...]) -> None:
        if method == "append":
            self.meter.add(Item.RECORDED_BYTE, len(arguments[1]) + EVENT_BYTES)

    def _stored(self, method: str, arguments: tuple[Any, ...]) -> None:
        size = self._item_size()
        if method == "add_token":
            self.meter.units(
                Item.DYNAMODB_WRITE, len(json.dumps(items.of_token(*arguments))), WRITE_UNIT
            )
        elif method == "get":
            self.meter.units(Item.DYNAMODB_READ, size, READ_UNIT)
        elif method == "update":
            for _ in range(COPIES):
                self.meter.units(Item.DYNAMODB_WRITE, size, WRITE_UNIT)
        else:
            raise RuntimeError(f"{method} is not counted yet")

    def _item_size(self) -> int:
        session = self._store.get(SESSION)
        return len(json.dumps(items.of_session(session, HISTORY))) if session else 0

    # --- the session ----------------------------------------------------------------------------

    def _attach(self, now: float) -> None:
        made = Session(
            session_id=SESSION,
            target=NODE,
            owner=OWNER,
            owner_arn=OWNER_ARN,
            status=Status.CONNECTED,
            started=now,
            status_since=now,
            document_name="SSM-SessionManagerRunShell",
            document='{"schemaVersion":"1.0","inputs":{}}',
            agent_instance="agent",
        )
        token = Token(digest="none", session_id=SESSION, expires=now + 60)
        read = self._store.create(made, token, None)
        self._store.update(read, replace(read, connection=CONNECTION, generation=1))


def _first(act: Callable[[], None]) -> Callable[[], None]:
    """What runs beside a delivery, before it: nothing here takes time."""
    act()
    return lambda: None


def _event(name: str, **changes: object) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((_EVENTS / name).read_text())
    return event | changes
