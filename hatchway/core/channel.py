"""The data channel between client and agent, sans-IO: both ends, one class.

Sequence numbers, acknowledgements, bounded reordering, retransmission, credit, handshake and
liveness are here; sockets, time and randomness are the driver's. The driver

    channel.attach(generation, now)          a path to the peer exists (again)
    events = channel.receive(frames, now)    packed AgentMessages that arrived
    frames = channel.poll(now)               packed AgentMessages to send now, within `budget`
    deadline = channel.next_deadline()       when to poll again though nothing happened
    channel.detach(now)                      the path is gone; nothing is lost

`now` is monotonic seconds. Nothing the peer sends raises: what is malformed is dropped and counted
in `dropped`, what breaks the protocol for good is a `Failed` event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hatchway.core import handshake, payloads
from hatchway.core.channel_settings import (
    BLOCKED_AFTER,
    HANDSHAKE_TIME,
    HELLO_AFTER,
    INPUT_WINDOW,
    KEEPALIVE,
    MAX_ACK_TEXT,
    MAX_FRAMES,
    OUTPUT_WINDOW,
    PAUSE,
    SILENCE,
    SIZE_WAIT,
    ChannelSettings,
    Side,
)
from hatchway.core.compression import inflate
from hatchway.core.errors import MalformedMessage
from hatchway.core.events import (
    ChannelEvent,
    Closed,
    Data,
    Exited,
    Failed,
    Flagged,
    Gap,
    Heard,
    Opened,
    Resized,
    Silent,
)
from hatchway.core.opening import Opening
from hatchway.core.receiving import ACK_DELAY, RIDES_WITHIN, Fate
from hatchway.core.wire import (
    CREDITED,
    FLAG_DEFLATED,
    FLAG_FIN,
    FLAG_SYN,
    MAX_TEXT_MESSAGE,
    AgentMessage,
    FlagValue,
    MessageType,
    PayloadType,
    pack,
    parse,
    text_length,
)

__all__ = [
    "HANDSHAKE_TIME",
    "HELLO_AFTER",
    "INPUT_WINDOW",
    "KEEPALIVE",
    "MAX_FRAMES",
    "OUTPUT_WINDOW",
    "PAUSE",
    "SILENCE",
    "SIZE_WAIT",
    "ChannelEvent",
    "ChannelSettings",
    "Closed",
    "Data",
    "DataChannel",
    "Exited",
    "Failed",
    "Flagged",
    "Gap",
    "Heard",
    "Opened",
    "Resized",
    "Side",
    "Silent",
]


class DataChannel(Opening):
    """One end of a session's data channel."""

    def __init__(
        self, side: Side, settings: ChannelSettings, random: Callable[[int], bytes]
    ) -> None:
        super().__init__(side, settings, random)
        self._generation: int | None = None
        self._heard_at = self._spoke_at = 0.0
        self._silent = self._paused = False

    # --- the path -------------------------------------------------------------------------------

    def attach(self, generation: int, now: float) -> None:
        """A path to the peer exists: connection number `generation` of the client."""
        self._now = now
        if self._generation == generation:
            return
        self._generation = generation
        self._attached_at = self._heard_at = now
        self._spoke_at = now
        self._silent = self._paused = False
        self._hello_at = now + HELLO_AFTER
        self._outbox.resend_all()
        self._inbox.announce()
        if self._side is Side.AGENT and self._request is None:
            self._ask()

    def returned(self, now: float) -> None:
        """The path was away for a while, and is the same: what was on it may be gone, and the peer
        waits longer from attempt to attempt. Its silence so far says nothing of it."""
        self._now = now
        if self.attached:
            self._heard_at, self._silent = now, False
            self._outbox.resend_all()
            self._inbox.announce()

    def detach(self, now: float) -> None:
        """The path is gone. Unacknowledged messages are kept and sent again after `attach`."""
        self._now = now
        self._generation = None

    @property
    def attached(self) -> bool:
        return self._generation is not None

    # --- in -------------------------------------------------------------------------------------

    def receive(self, frames: Iterable[bytes], now: float) -> list[ChannelEvent]:
        """Takes packed messages in any order; what they mean, in order."""
        self._now = now
        for frame in frames:
            try:
                self._take(parse(frame, self._settings.digest))
            except MalformedMessage:
                self.dropped["malformed"] += 1
        return self.take_events()

    def take_events(self) -> list[ChannelEvent]:
        """Events that time, or `consumed`, brought; call it after `poll`."""
        events, self._events = self._events, []
        return events

    def _take(self, message: AgentMessage) -> None:
        if self._over:
            self.dropped["after the end"] += 1
            return
        kind = message.message_type
        if kind is MessageType.ACKNOWLEDGE:
            ack = handshake.parse_acknowledgement(message.payload)
            if not self._outbox.acknowledge(ack, self._now):
                self.dropped["acknowledgement of nothing"] += 1
                return
            if ack.blocked:
                self._inbox.announce()
        elif kind is self._takes:
            self._offer_message(message)
        elif kind is MessageType.CHANNEL_CLOSED and self._side is Side.CLIENT:
            self._closed(message)
        elif kind is MessageType.PAUSE_PUBLICATION or kind is MessageType.START_PUBLICATION:
            self._paused = kind is MessageType.PAUSE_PUBLICATION
            if self._side is Side.AGENT and message.flags & FLAG_SYN:
                self._greeted(message.message_id)
        else:
            self.dropped["wrong direction"] += 1
            return
        self._hear()

    def _hear(self) -> None:
        if self._now - self._heard_at >= PAUSE:
            self._outbox.encourage()
        self._heard_at = self._now
        if self._silent:
            self._silent = False
            self._events.append(Heard())

    def _closed(self, message: AgentMessage) -> None:
        output = handshake.load(message.payload).get("Output")
        self._over = True
        self._events.append(Closed(output if isinstance(output, str) else ""))

    def _offer_message(self, message: AgentMessage) -> None:
        self._paused = False
        if not self._begin(message):
            self.dropped["before the beginning"] += 1
            return
        if self._client is None and message.sequence == 0:
            self._client = message.message_id
        fate = self._inbox.offer(message, self._now)
        if fate is Fate.TAKEN:
            self._deliver()
        elif fate is not Fate.DUPLICATE:
            self.dropped[fate.value] += 1

    def _deliver(self) -> None:
        for message in self._inbox.in_order():
            try:
                self._mean(message)
            except MalformedMessage:
                self.dropped["malformed"] += 1
            if self._over:
                return

    def _mean(self, message: AgentMessage) -> None:
        kind = message.payload_type
        if kind in CREDITED:
            self._data(message)
        elif kind == PayloadType.HANDSHAKE_REQUEST and self._side is Side.CLIENT:
            self._answer(handshake.parse_request(message.payload))
        elif kind == PayloadType.HANDSHAKE_RESPONSE and self._side is Side.AGENT:
            self._agreed(handshake.parse_response(message.payload))
        elif kind == PayloadType.HANDSHAKE_COMPLETE and self._side is Side.CLIENT:
            self._open(handshake.parse_complete(message.payload))
        elif kind == PayloadType.SIZE and self._side is Side.AGENT:
            self._sized = True
            self._events.append(Resized(*handshake.parse_size(message.payload)))
        elif kind == PayloadType.FLAG:
            self._flagged(payloads.parse_flag(message.payload))
        elif kind == PayloadType.EXIT_CODE and self._side is Side.CLIENT:
            self._events.append(Exited(payloads.parse_exit_code(message.payload)))
        elif kind == PayloadType.GAP and self._side is Side.CLIENT:
            self._events.append(Gap(payloads.gap_size(message.payload)))
        else:
            self.dropped["unknown payload"] += 1

    def _flagged(self, value: FlagValue) -> None:
        understood = self._side is Side.AGENT and self._opened and self._inbox.extended
        if value.own and not understood:
            self.dropped["unknown payload"] += 1
            return
        self._events.append(Flagged(value))

    def _data(self, message: AgentMessage) -> None:
        data = message.payload
        if message.flags & FLAG_DEFLATED and self._inbox.extended:
            data = inflate(data)
        if not self._opened:
            if self._side is Side.AGENT or self._request is not None:
                self.dropped["before the handshake"] += 1
                return
            self._open("")  # an agent that sends no handshake: a plain shell
        if not self._inbox.delivered(len(data)):
            self._fail("ProtocolError", "The peer sent more than it was given credit for.")
            return
        self._events.append(Data(data, PayloadType(message.payload_type)))

    # --- out ------------------------------------------------------------------------------------

    def poll(self, now: float, budget: int = MAX_TEXT_MESSAGE) -> list[bytes]:
        """Packed messages to send now: at most `budget` bytes as text (one WebSocket message at
        most). Call it when the last ones are on their way: what waits is coalesced."""
        self._now = now
        self._watch()
        if self._generation is None or self._over:
            return []
        self._outbox.open = self._may_send_data()
        frames = self._hello()
        repeats = self._outbox.repeats
        if not self._paused:
            # Room for an acknowledgement to ride along.
            for frame in self._outbox.frames(now, budget - MAX_ACK_TEXT):
                frames.append(frame)
                budget -= text_length(len(frame))
                if len(frames) == MAX_FRAMES:
                    break
        if self._outbox.repeats > repeats and self._side is Side.CLIENT:
            # Made now: it shows the service how old what is sent again is (`marks.typed`).
            self._inbox.announce()
        if self._outbox.blocked and now - self._spoke_at >= BLOCKED_AFTER:
            self._inbox.announce()
        frames += self._acknowledgements(riding=bool(frames), limit=budget // MAX_ACK_TEXT)
        if frames:
            self._spoke_at = now
        return frames

    def _acknowledgements(self, riding: bool, limit: int) -> list[bytes]:
        if self._inbox.extended and self._now - self._spoke_at >= KEEPALIVE:
            self._inbox.announce()
        due = self._inbox.due
        if due is None or due > self._now + self._rides(riding):
            return []
        blocked = self._outbox.blocked
        return [
            pack(
                AgentMessage(
                    message_type=MessageType.ACKNOWLEDGE,
                    sequence=0,
                    message_id=self._uuid(),
                    created=self._created(),
                    payload=handshake.pack_acknowledgement(
                        replace(ack, blocked=True) if blocked and ack.cumulative else ack
                    ),
                    flags=FLAG_SYN | FLAG_FIN,
                ),
                self._settings.digest,
            )
            for ack in self._inbox.acknowledgements(self._own, limit)
        ]

    def _rides(self, riding: bool) -> float:
        """Seconds by which an acknowledgement is early, where it rides on data."""
        if not riding:
            return 0.0
        return ACK_DELAY if self._side is Side.AGENT else RIDES_WITHIN

    def _watch(self) -> None:
        """Silence and the handshake's time, which no message brings."""
        if self._generation is None or self._over:
            return
        quiet = self._now - self._heard_at
        if self._owed and quiet >= SILENCE and not self._silent:
            self._silent = True
            self._events.append(Silent(quiet))
        late = self._now - self._attached_at >= HANDSHAKE_TIME
        if self._side is Side.AGENT and not self._opened and late:
            self._fail("HandshakeTimeout", "The client did not answer the handshake.")

    @property
    def _owed(self) -> bool:
        """Whether the peer should be heard; a client that waits for a beginning is owed it."""
        return not self._begun or self._inbox.extended or not self._outbox.empty

    def next_deadline(self) -> float | None:
        """When `poll` has something to do though nothing happens; None: never. A time that has
        passed (0.0) means at once."""
        if self._generation is None or self._over:
            return None
        self._outbox.open = self._may_send_data()
        if self._outbox.ready() and not self._paused:
            return 0.0
        times = [
            self._hello_due,
            self._inbox.due,
            None if self._paused else self._outbox.deadline(),
        ]
        if self._owed and not self._silent:
            times.append(self._heard_at + SILENCE)
        if self._inbox.extended:
            times.append(self._spoke_at + KEEPALIVE)
        if self._outbox.blocked:
            times.append(self._spoke_at + BLOCKED_AFTER)
        if self._side is Side.AGENT and not self._opened:
            times.append(self._attached_at + HANDSHAKE_TIME)
        if self._opened and not self._outbox.open:
            times.append(self._opened_at + SIZE_WAIT)
        return min((time for time in times if time is not None), default=None)

    # --- the application's side -----------------------------------------------------------------

    @property
    def writable(self) -> int:
        """How many bytes `write` takes now; read no more than this from the process or terminal.

        While the client is away an agent may go on writing, unless it is `lossless`: what exceeds
        the kept amount gives way, oldest first, to a gap mark.
        """
        if self._over:
            return 0
        away = self._generation is None and self._opened and self._gives_way
        return self._outbox.room(kept=away)

    @property
    def losses(self) -> tuple[int, int]:
        """Bytes that this end gave up for lack of room, and messages that it sent again."""
        return self._outbox.gaps, self._outbox.repeats

    @property
    def _gives_way(self) -> bool:
        return self._side is Side.AGENT and not self._settings.lossless

    def write(self, data: bytes, payload_type: PayloadType = PayloadType.OUTPUT) -> None:
        """Queues output (agent) or input (client) in order; ValueError beyond `writable`."""
        if len(data) > self.writable:
            raise ValueError("more was written than `writable` allows")
        if self._input_over and data:
            raise ValueError("something was written after the end of input")
        self._outbox.write(data, payload_type)
        if self._generation is None and self._gives_way:
            self._outbox.forget_overflow()

    def consumed(self, size: int) -> None:
        """The application took `size` bytes of `Data`: the peer gets credit for as many."""
        self._inbox.consumed(size)
        if not self._over:
            self._deliver()

    def resize(self, columns: int, rows: int) -> None:
        """Client: the terminal's size; the last one wins, and is sent when the session opens."""
        top = handshake.MAX_SIDE
        self._size = min(top, max(1, columns)), min(top, max(1, rows))
        if self._opened:
            self._send_size()

    def flag(self, value: FlagValue) -> bool:
        """Client: asks the agent to end the session, or sends a signal. False where the agent is
        not known to understand it: then nothing is sent."""
        if value.own and not self.extended:
            return False
        self._outbox.control(PayloadType.FLAG, payloads.pack_flag(value))
        return True

    def end_input(self) -> None:
        """Client: no input follows what was written, once. An agent of the original is not told;
        before the session is open it waits."""
        self._input_over = True
        if self._opened:
            self._tell_input_end()

    def exit(self, code: int, *, plain: bool = False) -> None:
        """Agent: the process ended; queued behind all output, for peers that understand it.
        `plain`: a client of the original is sent it too, which prints it as text."""
        if self._inbox.extended or plain:
            self._outbox.write(payloads.pack_exit_code(code), PayloadType.EXIT_CODE)

    @property
    def extended(self) -> bool:
        """The handshake is done, and the peer agreed to Hatchway's extensions."""
        return self._opened and self._inbox.extended

    @property
    def client(self) -> str:
        """Agent: the identity of the client whose input comes, "" before any has."""
        return str(self._client or "")

    @property
    def polled(self) -> int:
        """One past the highest number of this side's in what `poll` gave last; 0 for none."""
        return self._outbox.polled

    @property
    def counted(self) -> tuple[int, int]:
        """One past the highest number that the peer has of this side's, and past the last of the
        peer's that was handed on."""
        return self._outbox.arrived, self._inbox.taken

    @property
    def opened(self) -> bool:
        """The handshake is done (or the peer is one that has none)."""
        return self._opened

    @property
    def drained(self) -> bool:
        """All that was written has been acknowledged."""
        return self._outbox.empty

    @property
    def sendable(self) -> int:
        """Bytes of data that `poll` could send now; a driver may wait for more to go with them."""
        return self._outbox.sendable

    @property
    def held_bytes(self) -> int:
        """Bytes kept for the peer: waiting, or on their way."""
        return self._outbox.held_bytes
