"""How a data channel begins: the handshake of both ends, greetings, and the first size.

It holds what both halves of a channel share. What comes after the beginning is in `channel`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from hatchway.core import handshake, payloads
from hatchway.core.channel_settings import (
    HELLO_EVERY,
    INPUT_WINDOW,
    OUTPUT_WINDOW,
    SESSION_TYPES,
    SIZE_WAIT,
    ChannelSettings,
    Side,
)
from hatchway.core.events import ChannelEvent, Failed, Opened
from hatchway.core.handshake import Extensions, HandshakeRequest, HandshakeResponse
from hatchway.core.receiving import Inbox
from hatchway.core.sending import Outbox
from hatchway.core.wire import FLAG_SYN, AgentMessage, FlagValue, MessageType, PayloadType, pack


class Opening:
    """The beginning of one end of a session's data channel."""

    def __init__(
        self, side: Side, settings: ChannelSettings, random: Callable[[int], bytes]
    ) -> None:
        agent = side is Side.AGENT
        self._side = side
        self._settings = settings
        self._random = random
        self._sends = MessageType.OUTPUT if agent else MessageType.INPUT
        self._takes = MessageType.INPUT if agent else MessageType.OUTPUT
        window = INPUT_WINDOW if agent else OUTPUT_WINDOW
        told = {} if agent else settings.environment
        self._offer = Extensions(window, environment=told) if settings.extensions else None
        self._request: HandshakeRequest | None = None
        self._window = window
        self._outbox = Outbox(self._pack, settings.compress)
        self._inbox = Inbox(window)
        #: This end's identity, which a client's first message bears, and the client's.
        self._own = self._uuid()
        self._client: UUID | None = None
        #: A client takes nothing before the peer's first message.
        self._begun = agent
        self._hello_at = 0.0
        self._events: list[ChannelEvent] = []
        self._now = 0.0
        self._attached_at = 0.0
        self._opened = False
        self._opened_at = 0.0
        self._sized = False
        self._size: tuple[int, int] | None = None
        self._over = False
        #: A client: no input follows; and whether the agent is told so.
        self._input_over = self._input_end_told = False
        #: What was not taken, by kind: the peer's faults and the network's.
        self.dropped: Counter[str] = Counter()

    # --- greetings -------------------------------------------------------------------------------

    def _greeted(self, client: UUID) -> None:
        """A client asks for a beginning. The one that is known has it already, and one that comes
        before anybody answered gets what was sent; any other takes the place of the known one."""
        if self._client in (None, client):
            return
        self._client = client
        owed = min(self._inbox.owed, self._window - handshake.MIN_WINDOW)
        self._inbox = Inbox(self._window, owed)
        if self._offer:
            self._offer = replace(self._offer, window=self._window - owed)
        self._outbox.restart(self._settings.replay(self._outbox.held_bytes))
        self._opened = self._sized = False
        self._attached_at = self._now
        self._ask()

    def _begin(self, message: AgentMessage) -> bool:
        """Whether the peer's beginning has been seen: its first message says that it is one."""
        if not self._begun and (message.sequence == 0 or message.flags & FLAG_SYN):
            self._begun = True
            self._inbox.begin(message.sequence)
        return self._begun

    def _hello(self) -> list[bytes]:
        """A client that hears of no beginning asks for one; what it offers is its identity."""
        due = self._hello_due
        if due is None or due > self._now:
            return []
        self._hello_at = self._now + HELLO_EVERY
        hello = AgentMessage(
            message_type=MessageType.START_PUBLICATION,
            sequence=0,
            message_id=self._own,
            created=self._created(),
            payload=b"hello",
            flags=FLAG_SYN,
        )
        return [pack(hello)]

    @property
    def _hello_due(self) -> float | None:
        asks = self._side is Side.CLIENT and self._offer is not None and not self._begun
        return self._hello_at if asks else None

    def _may_send_data(self) -> bool:
        if not self._opened:
            return False
        waits = self._side is Side.AGENT and not self._inbox.extended and not self._sized
        return not waits or self._now - self._opened_at >= SIZE_WAIT

    # --- handshake ------------------------------------------------------------------------------

    def _ask(self) -> None:
        settings = self._settings
        self._request = HandshakeRequest(
            settings.version, settings.session_type, settings.properties, self._offer
        )
        self._outbox.control(PayloadType.HANDSHAKE_REQUEST, handshake.pack_request(self._request))

    def _answer(self, request: HandshakeRequest) -> None:
        if self._request is not None:
            self.dropped["second handshake"] += 1
            return
        if not self._offer:
            request = replace(request, extensions=None)
        self._request = request
        response = HandshakeResponse(
            self._settings.version, request.session_type in SESSION_TYPES, self._offer
        )
        self._outbox.control(
            PayloadType.HANDSHAKE_RESPONSE, handshake.pack_response(response, request)
        )
        self._extend(request.extensions)

    def _agreed(self, response: HandshakeResponse) -> None:
        if self._opened:
            self.dropped["second handshake"] += 1
            return
        if not response.accepted:
            self._fail("UnsupportedSessionType", "The client does not know the session type.")
            return
        self._outbox.answered(self._now)
        self._extend(response.extensions if self._offer else None)
        self._outbox.control(
            PayloadType.HANDSHAKE_COMPLETE,
            handshake.pack_complete(self._now - self._attached_at, self._settings.message),
        )
        extensions = response.extensions if self._offer else None
        self._open(self._settings.message, extensions.environment if extensions else {})

    def _extend(self, peer: Extensions | None) -> None:
        if peer is None:
            return
        self._outbox.extend(peer)
        self._inbox.extended = True

    def _open(self, message: str, environment: Mapping[str, str] | None = None) -> None:
        if self._opened:
            self.dropped["second handshake"] += 1
            return
        self._opened = True
        self._opened_at = self._now
        request = self._request
        self._send_size()
        self._tell_input_end()
        self._events.append(
            Opened(
                session_type=request.session_type if request else "Standard_Stream",
                properties=request.properties if request else {},
                message=message,
                extended=self._inbox.extended,
                environment=environment or {},
            )
        )

    def _fail(self, code: str, message: str) -> None:
        self._over = True
        self._events.append(Failed(code, message))

    def _send_size(self) -> None:
        if self._size:
            self._outbox.control(PayloadType.SIZE, handshake.pack_size(*self._size))

    def _tell_input_end(self) -> None:
        wanted = self._side is Side.CLIENT and self._input_over and self._inbox.extended
        if wanted and not self._input_end_told:
            self._input_end_told = True
            self._outbox.write(payloads.pack_flag(FlagValue.END_OF_INPUT), PayloadType.FLAG)

    # --- messages -------------------------------------------------------------------------------

    def _pack(self, sequence: int, payload_type: int, payload: bytes, flags: int) -> bytes:
        if payload_type == PayloadType.GAP and not self._inbox.extended:
            payload_type, payload = PayloadType.OUTPUT, payloads.gap_text(payload)
        return pack(
            AgentMessage(
                message_type=self._sends,
                sequence=sequence,
                message_id=self._uuid() if sequence else self._own,
                created=self._created(),
                payload=payload,
                payload_type=payload_type,
                flags=flags,
            ),
            self._settings.digest,
        )

    def _created(self) -> int:
        return max(1, int((self._now + self._settings.epoch) * 1000))

    def _uuid(self) -> UUID:
        return UUID(bytes=self._random(16), version=4)
