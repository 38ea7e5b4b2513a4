"""The agent API, typed: what each call sends, what its answer must be, and its errors."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from agent import VERSION
from agent.activity import Marks
from agent.clock import ServiceClock
from agent.ports import Answer, BadAnswer, Credentials, Request, Transport
from hatchway.core.errors import AccessDeniedException, HatchwayError, NodeRefused, by_code
from hatchway.core.keys import KEY_BYTES
from hatchway.core.marks import MARK_TEXT
from hatchway.core.names import TRACE_HEADER, session_id, trace_root
from hatchway.core.sealing import KEY_ID_BYTES
from hatchway.core.tickets import MAX_TICKET
from hatchway.core.transcript.stated import Stated

#: Seconds for a whole call; API Gateway gives up on a function after 29.
CALL_DEADLINE = 20.0
FRAMES_DEADLINE = 15.0
#: Sessions in a listing; a node that has more has a sick service.
MAX_SESSIONS = 1000
#: Characters of a session document.
MAX_DOCUMENT = 64 * 1024
MAX_TEXT = 4096


class Throttled(HatchwayError):
    """The service asks to wait `after` seconds."""

    code = "ThrottlingException"
    status = 429

    def __init__(self, after: float) -> None:
        super().__init__()
        self.after = after


@dataclass(frozen=True, slots=True)
class Channel:
    """What `channel` gives: credentials for the rest, until `expiration` (service clock)."""

    credentials: Credentials
    expiration: float
    endpoint: str
    stage: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A session of this node that is not ended; `agent_digest` is the SHA-256 of the id of the
    agent process that runs it, or ""."""

    session: str
    status: str
    generation: int
    agent_digest: str


@dataclass(frozen=True, slots=True)
class Pass:
    """What lets a session go on: the ticket, the attached client, the key of its messages."""

    ticket: str
    expires: float
    generation: int
    connected: bool
    key_id: str
    key: bytes = field(repr=False)
    status: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to `open`. `run_as` is the user that the service decided on, or ""."""

    document: str
    first: Pass
    run_as: str = ""
    node_name: str = ""
    stage: str = ""
    recorded: bool = False


class AgentApi:
    """Calls for one node, by one agent process."""

    def __init__(
        self, transport: Transport, clock: ServiceClock, node: str, instance: str, secret: str
    ) -> None:
        self._transport, self._clock, self._node = transport, clock, node
        self._instance, self._secret = instance, secret
        self.credentials: Credentials | None = None
        #: Called when the service refuses the channel credentials.
        self.denied: Callable[[], None] = _nothing

    async def channel(self, platform: str) -> Channel:
        """Signed by the instance itself; proves the enrolment secret."""
        body = {
            "EnrolmentSecret": self._secret,
            "AgentVersion": VERSION,
            "AgentInstanceId": self._instance,
            "Platform": platform,
        }
        fields = await self._post("channel", body, instance_signed=True)
        keys = _mapping(fields, "Credentials")
        credentials = Credentials(
            _text(keys, "AccessKeyId"),
            _text(keys, "SecretAccessKey"),
            _text(keys, "SessionToken"),
        )
        return Channel(
            credentials,
            _number(keys, "Expiration"),
            _text(fields, "IotEndpoint"),
            _text(fields, "Stage"),
        )

    async def sessions(self) -> list[Listed]:
        """All sessions of the node that are not ended."""
        fields = await self._call(Request("GET", self._path("sessions")))
        items = fields.get("Sessions")
        if not isinstance(items, list) or len(items) > MAX_SESSIONS:
            raise BadAnswer("Sessions is not a list.")
        return [_listed(item) for item in items]

    async def open(self, session: str) -> Opened:
        body = {"EnrolmentSecret": self._secret, "AgentInstanceId": self._instance}
        fields = await self._post(f"{self._of(session)}/open", body, session=session)
        document = fields.get("Document", "")
        text = json.dumps(document) if isinstance(document, dict) else document
        if not isinstance(text, str) or len(text) > MAX_DOCUMENT:
            raise BadAnswer("Document is not a session document.")
        return Opened(
            text,
            _pass(fields),
            run_as=_optional(fields, "RunAs"),
            node_name=_optional(fields, "NodeName"),
            stage=_optional(fields, "Stage"),
            recorded=fields.get("Recorded") is True,
        )

    async def ticket(self, session: str, marks: Marks, silent: int | None = None) -> Pass:
        """A new ticket; `silent` is the generation that went silent."""
        body: dict[str, object] = {"AgentInstanceId": self._instance}
        body |= {"InputMark": marks.typed} if marks.typed else {}
        body |= {"OutputMark": marks.printed} if marks.printed else {}
        if silent is not None:
            body["ClientSilent"] = silent
        return _pass(await self._post(f"{self._of(session)}/ticket", body, session=session))

    async def frames(self, session: str, ticket: str, text: str) -> str:
        """Uploads frames for the client: base64 lines. The mark of what was passed on, or ""."""
        headers = (("X-Hatchway-Ticket", ticket), ("Content-Type", "text/plain"))
        path = self._path(f"{self._of(session)}/frames")
        fields = await self._call(Request("POST", path, text.encode("ascii"), headers, upload=True))
        mark = fields.get("Mark", "")
        return mark if isinstance(mark, str) and len(mark) <= MARK_TEXT else ""

    async def end(
        self, session: str, reason: str, code: int | None, stated: Stated | None = None
    ) -> None:
        body: dict[str, object] = {"AgentInstanceId": self._instance, "Reason": reason}
        if code is not None:
            body["ExitCode"] = code
        if stated is not None:
            body |= {"Sent": stated.sent, "Taken": stated.taken}
            body |= {"Client": stated.client} if stated.client else {}
        await self._post(f"{self._of(session)}/end", body, session=session)

    async def report(self, dropped: Mapping[str, int]) -> None:
        await self._post("reports", {"Dropped": dict(dropped)})

    def _path(self, rest: str) -> str:
        return f"/agent/{self._node}/{rest}"

    def _of(self, session: str) -> str:
        return f"sessions/{quote(session, safe='')}"

    async def _post(
        self,
        rest: str,
        body: Mapping[str, object],
        instance_signed: bool = False,
        session: str = "",
    ) -> Mapping[str, object]:
        """`session` is whose trace the call belongs to."""
        encoded = json.dumps(body, separators=(",", ":")).encode()
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
        if session:
            headers += ((TRACE_HEADER, f"Root={trace_root(session)}"),)
        request = Request("POST", self._path(rest), encoded, headers)
        return await self._call(request, instance_signed)

    async def _call(self, request: Request, instance_signed: bool = False) -> Mapping[str, object]:
        if not instance_signed and self.credentials is None:
            raise AccessDeniedException()
        signer = None if instance_signed else self.credentials
        deadline = FRAMES_DEADLINE if request.upload else CALL_DEADLINE
        sent = self._clock.now()
        answer = await self._transport.send(request, signer, deadline)
        try:
            fields = _fields(answer)
        except (AccessDeniedException, NodeRefused):
            if not instance_signed:
                self.denied()
            raise
        if "ServerTime" in fields:
            self._clock.observe(_number(fields, "ServerTime"), sent, self._clock.now())
        return fields


def _nothing() -> None:
    return


def _fields(answer: Answer) -> Mapping[str, object]:
    """The answer's members; the error that it says instead, if any."""
    try:
        fields = json.loads(answer.body) if answer.body else {}
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        if answer.status == 200:
            raise BadAnswer("The answer is not a JSON object.")
        fields = {}
    if answer.status == 200:
        return fields
    raise _error(answer, fields)


def _error(answer: Answer, fields: Mapping[str, object]) -> HatchwayError:
    """By status where the code is API Gateway's own: it knows nothing of ours."""
    if answer.status == 429:
        return Throttled(answer.retry_after)
    code = fields.get("__type")
    if isinstance(code, str) and (kind := by_code(code[:64])).code == code:
        return kind()
    return AccessDeniedException() if answer.status in (401, 403) else by_code("")()


def _pass(fields: Mapping[str, object]) -> Pass:
    ticket, key_id = _text(fields, "Ticket"), _text(fields, "SealKeyId")
    if len(ticket) > MAX_TICKET or not ticket.isascii() or not ticket.isprintable():
        raise BadAnswer("Ticket is not a ticket.")
    if len(key_id) != KEY_ID_BYTES:
        raise BadAnswer("SealKeyId is not a key id.")
    try:
        key = base64.b64decode(_text(fields, "SealKey"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadAnswer("SealKey is not a key.")
    return Pass(
        ticket=ticket,
        expires=_number(fields, "TicketExpires"),
        generation=int(_number(fields, "Generation")),
        connected=fields.get("Connected") is True,
        key_id=key_id,
        key=key,
        status=_text(fields, "Status") if "Status" in fields else "",
    )


def _listed(item: object) -> Listed:
    if not isinstance(item, dict):
        raise BadAnswer("Sessions has an element that is none.")
    try:
        session = session_id(item.get("SessionId"))
    except HatchwayError:
        raise BadAnswer("SessionId is malformed.") from None
    digest = item.get("AgentInstanceDigest") or ""
    if not isinstance(digest, str):
        raise BadAnswer("AgentInstanceDigest is not a text.")
    generation = int(_number(item, "Generation"))
    return Listed(session, _text(item, "Status"), generation, digest)


def _mapping(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise BadAnswer(f"{name} is not an object.")
    return value


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise BadAnswer(f"{name} is not a text.")
    return value


def _optional(fields: Mapping[str, object], name: str) -> str:
    """A text that an earlier service does not send."""
    return _text(fields, name) if fields.get(name) not in (None, "") else ""


def _number(fields: Mapping[str, object], name: str) -> float:
    """Python's parser lets NaN, Infinity and numbers of any length through; nobody means them."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 53:
        raise BadAnswer(f"{name} is not a number.")
    return float(value)
