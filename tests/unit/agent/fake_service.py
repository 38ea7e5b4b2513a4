"""A small service on the memory transport: one node, its sessions, and clients that type."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.ports import Answer, Credentials, Request
from agent.transport.memory import MemoryTransport
from hatchway.core import marks
from hatchway.core.channel import (
    ChannelEvent,
    ChannelSettings,
    Data,
    DataChannel,
    Exited,
    Opened,
    Side,
)
from hatchway.core.errors import (
    ClientGone,
    DoesNotExistException,
    HatchwayError,
    MalformedMessage,
    NodeRefused,
    SessionEnded,
    TicketExpired,
)
from hatchway.core.marks import INPUT, OUTPUT, Done
from hatchway.core.names import Topics
from hatchway.core.sealing import SealHeader, seal
from hatchway.core.tokens import token_digest
from hatchway.core.wire import MessageType, from_text, parse

NODE = "i-0123456789abcdef0"
STAGE = "test"
ENDPOINT = "data.iot.example"
EPOCH = 1_800_000_000.0
KEY_ID = "key00001"
MARK_SECRET = b"m" * 32
DOCUMENT = json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {}})
TICKET_LIFE = 60.0


def counted() -> Callable[[int], bytes]:
    """Bytes that never repeat, and are the same in every run."""
    count = 0

    def next_bytes(size: int) -> bytes:
        nonlocal count
        count += 1
        return count.to_bytes(8, "big")[-size:].rjust(size, b"\x5a")

    return next_bytes


@dataclass
class FakeSession:
    session: str
    key: bytes
    status: str = "Connecting"
    document: str = DOCUMENT
    #: Members of the answer to `open` that an earlier service did not have.
    told: dict[str, object] = field(default_factory=dict)
    generation: int = 0
    connected: bool = False
    instance: str = ""
    ended: tuple[str, int | None] | None = None
    #: One past the highest number that was taken, and what the agent said there was.
    passed: int = 0
    stated: dict[str, object] = field(default_factory=dict)
    silent: list[int] = field(default_factory=list)
    activity: float = 0.0
    printed: float = 0.0
    brought: list[str] = field(default_factory=list)
    expires: float = 0.0
    tickets: int = 0
    client: FakeClient | None = None


class FakeClient:
    """A client's end of the data channel, driven by the same loop."""

    def __init__(self, service: FakeService, session: FakeSession) -> None:
        self._service, self._session = service, session
        settings = ChannelSettings(epoch=EPOCH)
        self.channel = DataChannel(Side.CLIENT, settings, service.random)
        self.events: list[ChannelEvent] = []
        self.sent: list[bytes] = []
        self.reachable = True
        self._timer: asyncio.TimerHandle | None = None

    def type(self, data: bytes) -> None:
        self.channel.write(data)
        self.pump()

    def take(self, frames: list[bytes]) -> None:
        events = self.channel.receive(frames, self._service.now())
        self.events += events
        self.channel.consumed(sum(len(e.data) for e in events if isinstance(e, Data)))
        asyncio.get_running_loop().call_soon(self.pump)
        self._service.changed.set()

    def pump(self) -> None:
        while self.reachable and (frames := self.channel.poll(self._service.now())):
            self._service.push(self._session, frames)
        self.events += self.channel.take_events()
        if self._timer is not None:
            self._timer.cancel()
        if (at := self.channel.next_deadline()) is not None and self.reachable:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(at, loop.time() + 0.01), self.pump)

    def vanish(self) -> None:
        """The network swallows all that it sends, and it hears nothing."""
        self.reachable = False
        if self._timer is not None:
            self._timer.cancel()

    @property
    def text(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, Data))

    @property
    def opened(self) -> bool:
        return any(isinstance(event, Opened) for event in self.events)

    @property
    def exit_code(self) -> int | None:
        return next((event.code for event in self.events if isinstance(event, Exited)), None)


class FakeService:
    """`refuse` may answer a call in the service's stead: error by route, taken once each."""

    def __init__(self) -> None:
        self.transport = MemoryTransport(self.handle)
        self.topics = Topics(STAGE, NODE)
        self.random = counted()
        self.sessions: dict[str, FakeSession] = {}
        self.calls: list[str] = []
        self.refuse: dict[str, list[HatchwayError | Answer]] = {}
        #: Seconds until a call is looked at, and until its answer is on its way, by route.
        self.delay: dict[str, float] = {}
        self.late: dict[str, float] = {}
        self.credentials: list[str] = []
        self.signed_by: list[Credentials | None] = []
        self.enrolment: str | None = None
        self.reports: list[dict[str, int]] = []
        self.uploads_now = self.uploads_most = 0
        self.skew = 0.0
        self.changed = asyncio.Event()

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def unix(self) -> float:
        return self.now() + EPOCH

    def new_session(self, number: int = 1, **fields: object) -> FakeSession:
        name = f"a+b=c,d.e@f-{number:017x}"
        made = FakeSession(name, key=bytes([number]) * 32)
        for field_name, value in fields.items():
            setattr(made, field_name, value)
        self.sessions[name] = made
        return made

    def attach(self, session: FakeSession, client: FakeClient | None = None) -> FakeClient:
        """A client connects (again): one generation more."""
        session.generation += 1
        session.connected = True
        session.client = client or session.client or FakeClient(self, session)
        session.client.reachable = True
        session.client.channel.detach(self.now())
        session.client.channel.attach(session.generation, self.now())
        session.client.pump()
        return session.client

    def hint(self, session: FakeSession | str) -> None:
        name = session if isinstance(session, str) else session.session
        self.transport.publish(self.topics.control, json.dumps({"v": 1, "session": name}).encode())

    def push(self, session: FakeSession, frames: list[bytes]) -> None:
        sealed = self.sealed(session, frames)
        if session.client is not None:
            session.client.sent.append(sealed)
        self.transport.publish(self.topics.data(session.session), sealed)

    def sealed(self, session: FakeSession, frames: list[bytes], **header: object) -> bytes:
        generation = header.get("generation", session.generation)
        expires = header.get("expires", int(self.unix()) + 30)
        assert isinstance(generation, int)
        assert isinstance(expires, int)
        return seal(
            AESGCM(session.key),
            SealHeader(KEY_ID, generation, expires),
            frames,
            node=NODE,
            session=session.session,
            nonce=self.random(12),
            mark=self._mark(session, frames, generation),
        )

    def _mark(self, session: FakeSession, frames: list[bytes], generation: int) -> bytes:
        """As the relay marks what a person did; what is no message is not marked."""
        try:
            done = marks.typed([parse(frame) for frame in frames])
        except MalformedMessage:
            return b""
        return self._made(session, done, generation, INPUT) if done is not None else b""

    def _made(self, session: FakeSession, done: Done, generation: int, direction: str) -> bytes:
        mark = marks.of(done, KEY_ID, generation, self.unix())
        return marks.make(
            mark, MARK_SECRET, node=NODE, session=session.session, direction=direction
        )

    def _read(self, session: FakeSession, text: object, direction: str) -> float:
        mark = marks.check(
            marks.from_text(str(text)),
            MARK_SECRET,
            node=NODE,
            session=session.session,
            direction=direction,
        )
        return float(mark.time)

    async def until(self, ready: Callable[[], object]) -> None:
        """Lets virtual time pass until it is so."""
        async with asyncio.timeout(300):
            while not ready():  # virtual time
                await asyncio.sleep(0.01)

    async def settle(self, seconds: float = 0.5) -> None:
        await asyncio.sleep(seconds)

    # --- the agent API --------------------------------------------------------------------------

    async def handle(self, request: Request, credentials: Credentials | None) -> Answer:
        parts = request.path.split("/")
        assert parts[:3] == ["", "agent", NODE]
        route = parts[-1]
        self.calls.append(route)
        self.signed_by.append(credentials)
        await asyncio.sleep(self.delay.get(route, 0.001))
        if waiting := self.refuse.get(route):
            stead = waiting.pop(0)
            return stead if isinstance(stead, Answer) else _error(stead)
        try:
            answer = _answer(await self._route(route, parts, request))
            await asyncio.sleep(self.late.get(route, 0.0))
            return answer
        except HatchwayError as error:
            return _error(error)

    async def _route(self, route: str, parts: list[str], request: Request) -> dict[str, object]:
        if route == "frames":
            return await self._frames(self._session(parts), request)
        body = json.loads(request.body) if request.body else {}
        if route == "channel":
            return self._channel(body)
        if route == "sessions":
            return self._list()
        if route == "reports":
            self.reports.append(body["Dropped"])
            return {}
        session = self._session(parts)
        if route == "open":
            if body["EnrolmentSecret"] != self.enrolment:
                raise NodeRefused()
            session.instance = body["AgentInstanceId"]
        elif route == "end":
            return self._end(session, body)
        elif "ClientSilent" in body:
            session.silent.append(body["ClientSilent"])
            session.connected = session.connected and body["ClientSilent"] != session.generation
        if session.ended or session.status == "Terminated":
            raise SessionEnded()
        if "InputMark" in body:
            session.brought.append(body["InputMark"])
            session.activity = self._read(session, body["InputMark"], INPUT)
        if "OutputMark" in body:
            session.printed = self._read(session, body["OutputMark"], OUTPUT)
        return self._pass(session)

    def _session(self, parts: list[str]) -> FakeSession:
        found = self.sessions.get(unquote(parts[4]))
        if found is None:
            raise DoesNotExistException()
        return found

    def _channel(self, body: dict[str, str]) -> dict[str, object]:
        if self.enrolment not in (None, body["EnrolmentSecret"]):
            raise NodeRefused()
        self.enrolment = body["EnrolmentSecret"]
        key = f"ASIA{len(self.credentials)}"
        self.credentials.append(key)
        return {
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": "secret",
                "SessionToken": "token",
                "Expiration": self.unix() + 3600,
            },
            "IotEndpoint": ENDPOINT,
            "Stage": STAGE,
            "ServerTime": self.unix(),
        }

    def _list(self) -> dict[str, object]:
        items = [
            {
                "SessionId": one.session,
                "Status": one.status,
                "Generation": one.generation,
                "AgentInstanceDigest": token_digest(one.instance) if one.instance else "",
            }
            for one in self.sessions.values()
            if one.ended is None
        ]
        return {"Sessions": items, "ServerTime": self.unix()}

    def _pass(self, session: FakeSession) -> dict[str, object]:
        session.tickets += 1
        session.expires = self.unix() + TICKET_LIFE
        return {
            "SessionId": session.session,
            **session.told,
            "Document": session.document,
            "Status": session.status,
            "Ticket": f"ticket.{session.generation}.{session.tickets}",
            "TicketExpires": session.expires,
            "Generation": session.generation,
            "Connected": session.connected,
            "SealKeyId": KEY_ID,
            "SealKey": base64.b64encode(session.key).decode(),
            "ServerTime": self.unix(),
        }

    async def _frames(self, session: FakeSession, request: Request) -> dict[str, object]:
        self.uploads_now += 1
        self.uploads_most = max(self.uploads_most, self.uploads_now)
        try:
            await asyncio.sleep(self.delay.get("post", 0.002))
        finally:
            self.uploads_now -= 1
        ticket = dict(request.headers)["X-Hatchway-Ticket"]
        if self.unix() >= session.expires:
            raise TicketExpired()
        if session.client is None or int(ticket.split(".")[1]) != session.generation:
            raise ClientGone()
        if not session.connected:
            raise ClientGone()
        frames = from_text(request.body.decode())
        if session.client.reachable:
            session.client.take(frames)
        messages = [parse(frame) for frame in frames]
        numbers = [m.sequence for m in messages if m.message_type is MessageType.OUTPUT]
        session.passed = max(session.passed, *(number + 1 for number in numbers), 0)
        done = marks.printed(messages)
        if done is None:
            return {}
        return {"Mark": marks.to_text(self._made(session, done, session.generation, OUTPUT))}

    def _end(self, session: FakeSession, body: dict[str, object]) -> dict[str, object]:
        code = body.get("ExitCode")
        assert code is None or isinstance(code, int)
        session.ended = (str(body["Reason"]), code)
        session.stated = {n: body[n] for n in ("Sent", "Taken", "Client") if n in body}
        session.status = "Terminated"
        return {}


def _answer(fields: dict[str, object]) -> Answer:
    return Answer(200, json.dumps(fields).encode())


def _error(error: HatchwayError) -> Answer:
    text = json.dumps({"__type": error.code, "message": error.message})
    return Answer(error.status, text.encode())
