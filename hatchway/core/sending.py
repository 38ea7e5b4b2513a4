"""The sending half of a data channel: what waits, what is on its way, what must go again.

Data waits unnumbered and gets its sequence number when it is sent, so that a size change or a flag
goes before a megabyte that was pasted earlier. It knows no clock and no path; `channel` drives it.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hatchway.core.compression import MAX_INFLATED, MIN_DEFLATED, Compress, deflate, inflate
from hatchway.core.handshake import MAX_WINDOW, Acknowledgement, Extensions
from hatchway.core.wire import (
    CREDITED,
    FLAG_DEFLATED,
    FLAG_SYN,
    MAX_PAYLOAD,
    ORIGINAL_PAYLOAD,
    AgentMessage,
    PayloadType,
    parse,
    text_length,
)

#: Bytes on their way to a peer that gives no credit (the original has no window of its own).
ORIGINAL_WINDOW = 256 * 1024
#: Bytes that may wait, unsent, beyond what is on its way.
MAX_WAITING = 256 * 1024
#: Bytes that may wait while the peer is away; older ones then give way, and a gap says so.
MAX_KEPT = 1024 * 1024
#: Messages on their way at once, however small.
MAX_IN_FLIGHT = 1024
#: Control messages (sizes, flags) that may wait.
MAX_CONTROL = 64

INITIAL_RTT = 0.1
MIN_RTO, INITIAL_RTO, MAX_RTO = 0.15, 0.3, 5.0
MIN_REORDER = 0.02
#: A peer that acknowledges each message once may lose that one acknowledgement: after so many
#: sendings, when later messages have arrived, the message counts as arrived.
ORIGINAL_ATTEMPTS = 4

#: Messages sent as they are after one that would not shrink: output stays of a kind for a while.
PLAIN_RUN = 7

#: What keeps its place among the data; a flag there is the end of input.
_MARKS = frozenset({PayloadType.GAP, PayloadType.EXIT_CODE})

#: Builds a packed message: sequence, payload type, payload, flags.
Packer = Callable[[int, int, bytes, int], bytes]


@dataclass(slots=True)
class RoundTrip:
    """Round-trip time and its variation, as the original estimates them (RFC 6298's weights)."""

    rtt: float = INITIAL_RTT
    variation: float = 0.0
    rto: float = INITIAL_RTO

    def sample(self, seconds: float) -> None:
        self.variation = 0.75 * self.variation + 0.25 * abs(self.rtt - seconds)
        self.rtt = 0.875 * self.rtt + 0.125 * seconds
        self.rto = min(MAX_RTO, max(MIN_RTO, self.rtt + max(0.01, 4 * self.variation)))

    @property
    def reordering(self) -> float:
        """How much later a message may overtake an earlier one without that being a loss."""
        return max(MIN_REORDER, self.rtt / 4)


@dataclass(slots=True)
class _Sent:
    frame: bytes
    size: int
    at: float
    times: int = 1


@dataclass(slots=True)
class _Segment:
    payload_type: int
    data: bytearray


class Outbox:
    """Numbers, sends, and sends again until acknowledged."""

    def __init__(self, pack: Packer, compress: Compress = zlib.compress) -> None:
        self._pack, self._deflater = pack, compress
        self._control: deque[tuple[int, bytes]] = deque()
        self._waiting: deque[_Segment] = deque()
        self._waiting_bytes = 0
        self._sent: dict[int, _Sent] = {}
        self._in_flight_bytes = 0
        self._lost: dict[int, None] = {}
        self._next = self._first = 0
        self._data_sent = 0
        self._credit: int | None = None
        self._max_payload = ORIGINAL_PAYLOAD
        self._compress = False
        self._ratio = 0.5
        self._plain = 0
        self._backoff = 1.0
        self._newest_arrival = 0.0
        self.round_trip = RoundTrip()
        self.gaps = 0
        #: Messages that were sent again.
        self.repeats = 0
        #: One past the highest number that the peer has, and that the last `frames` gave.
        self.arrived = self.polled = 0
        #: Data may be numbered and sent (the handshake is done).
        self.open = False

    # --- what the application hands in ----------------------------------------------------------

    def write(self, data: bytes, payload_type: int) -> None:
        if not data:
            return
        last = self._waiting[-1] if self._waiting else None
        if last is not None and last.payload_type == payload_type and payload_type in CREDITED:
            last.data += data
        else:
            self._waiting.append(_Segment(payload_type, bytearray(data)))
        if payload_type in CREDITED:
            self._waiting_bytes += len(data)

    def control(self, payload_type: int, payload: bytes) -> None:
        """Sent before waiting data, without credit; the oldest gives way beyond MAX_CONTROL."""
        if len(self._control) >= MAX_CONTROL:
            self._control.popleft()
        self._control.append((payload_type, payload))

    def room(self, kept: bool) -> int:
        """Bytes that `write` takes; `kept`: the peer is away and overflow becomes a gap."""
        if kept:
            return MAX_KEPT
        return max(0, MAX_WAITING - self._waiting_bytes)

    def forget_overflow(self) -> None:
        """Drops the oldest waiting output beyond MAX_KEPT; a gap mark stands in its place."""
        excess = self._waiting_bytes - MAX_KEPT
        lost = 0
        while excess > 0:
            first = self._waiting[0]
            if first.payload_type == PayloadType.GAP:
                lost += int.from_bytes(self._waiting.popleft().data, "big")
                continue
            cut = min(excess, len(first.data))
            del first.data[:cut]
            self._waiting_bytes -= cut
            self.gaps += cut
            excess, lost = excess - cut, lost + cut
            if not first.data:
                self._waiting.popleft()
        if lost:
            mark = bytearray(lost.to_bytes(8, "big"))
            self._waiting.appendleft(_Segment(PayloadType.GAP, mark))

    def extend(self, peer: Extensions) -> None:
        """The peer agreed: its window, payload size and compression hold from now on."""
        self._credit = max(self._credit or 0, peer.window)
        self._max_payload = min(peer.max_payload, MAX_PAYLOAD)
        self._compress = peer.compression

    def restart(self, before: bytes = b"") -> None:
        """Another peer: numbers go on, so that nothing old is taken for new; what nobody has
        acknowledged waits again, behind the output `before`; and nothing is agreed upon."""
        for _, sent in sorted(self._sent.items(), reverse=True):
            self._wait_again(parse(sent.frame))
        if before:
            self._waiting.appendleft(_Segment(PayloadType.OUTPUT, bytearray(before)))
            self._waiting_bytes += len(before)
        self._in_flight_bytes = 0
        self._sent.clear()
        self._lost.clear()
        self._control.clear()
        self._first = self._next
        self._data_sent = 0
        self._credit, self._max_payload, self._compress = None, ORIGINAL_PAYLOAD, False
        self._backoff = 1.0
        self._newest_arrival = 0.0
        self.round_trip = RoundTrip()

    def _wait_again(self, message: AgentMessage) -> None:
        data = message.payload
        if message.flags & FLAG_DEFLATED:
            data = inflate(data)
        if message.payload_type in CREDITED:
            self._waiting_bytes += len(data)
        elif message.payload_type not in _MARKS:
            return
        self._waiting.appendleft(_Segment(message.payload_type, bytearray(data)))

    # --- what the peer says ---------------------------------------------------------------------

    def answered(self, now: float) -> None:
        """The peer's answer shows that everything sent so far has arrived."""
        for sequence in list(self._sent):
            self._arrived(sequence, now)

    def acknowledge(self, ack: Acknowledgement, now: float) -> bool:
        """False for a number that was never sent: the acknowledgement is then ignored whole."""
        if max((ack.sequence, *ack.received)) >= self._next:
            return False
        if ack.cumulative:
            if self._credit is not None:
                ceiling = self._data_sent + MAX_WINDOW
                self._credit = max(self._credit, min(ack.credit, ceiling))
            for sequence in [n for n in self._sent if n <= ack.sequence]:
                self._arrived(sequence, now)
            for sequence in ack.received:
                self._arrived(sequence, now)
        else:
            self._arrived(ack.sequence, now)
        self._find_losses(now)
        return True

    def _arrived(self, sequence: int, now: float) -> None:
        sent = self._sent.pop(sequence, None)
        if sent is None:
            return
        self.arrived = max(self.arrived, sequence + 1)
        self._lost.pop(sequence, None)
        self._in_flight_bytes -= sent.size
        self._backoff = 1.0
        if sent.times == 1:  # Karn: an answer to a repeated message says nothing about time
            self.round_trip.sample(max(0.0, now - sent.at))
            self._newest_arrival = max(self._newest_arrival, sent.at)

    def _find_losses(self, now: float) -> None:
        """A message is lost when one sent clearly later has arrived (RFC 8985's idea)."""
        slack = self.round_trip.reordering
        for sequence, sent in list(self._sent.items()):
            if sent.at + slack >= self._newest_arrival or sequence in self._lost:
                continue
            if self._credit is None and sent.times >= ORIGINAL_ATTEMPTS:
                self._arrived(sequence, now)
            elif now - sent.at > self.round_trip.rtt + slack:
                self._lost[sequence] = None

    # --- what goes out --------------------------------------------------------------------------

    def resend_all(self) -> None:
        """A new path: whatever was on the old one may be gone."""
        self._lost = dict.fromkeys(self._sent)
        self._backoff = 1.0

    def encourage(self) -> None:
        """The peer is heard again: what is overdue need not wait for the longest time."""
        self._backoff = 1.0

    def frames(self, now: float, budget: int) -> Iterator[bytes]:
        """Packed messages to send now, repeats first, while `budget` bytes of text last."""
        self.polled = 0
        self._expire(now)
        for make in (self._repeat, self._next_control, self._next_data):
            while (frame := make(now, budget)) is not None:
                budget -= text_length(len(frame))
                yield frame

    def _expire(self, now: float) -> None:
        limit = self.round_trip.rto * self._backoff
        expired = [n for n, sent in self._sent.items() if now - sent.at >= limit]
        if expired and any(n not in self._lost for n in expired):
            self._lost |= dict.fromkeys(expired)
            self._backoff = min(self._backoff * 2, MAX_RTO / self.round_trip.rto)

    def _repeat(self, now: float, budget: int) -> bytes | None:
        for sequence in self._lost:
            sent = self._sent[sequence]
            if text_length(len(sent.frame)) > budget:
                return None
            del self._lost[sequence]
            sent.at = now
            sent.times += 1
            self.repeats += 1
            self.polled = max(self.polled, sequence + 1)
            return sent.frame
        return None

    def _next_control(self, now: float, budget: int) -> bytes | None:
        if not self._control or len(self._sent) >= MAX_IN_FLIGHT + MAX_CONTROL:
            return None
        payload_type, payload = self._control[0]
        if text_length(120 + len(payload)) > budget:
            return None
        self._control.popleft()
        return self._number(payload_type, payload, 0, 0, now)

    def _next_data(self, now: float, budget: int) -> bytes | None:
        if not self.open or not self._waiting or len(self._sent) >= MAX_IN_FLIGHT:
            return None
        room = min(self._max_payload, (budget - 4) // 4 * 3 - 120)
        segment = self._waiting[0]
        if segment.payload_type not in CREDITED:
            if room < len(segment.data):
                return None
            return self._next_mark(now)
        credit = self._spendable()
        if room <= 0 or credit <= 0:
            return None
        return self._next_chunk(segment, min(room, self._max_payload), credit, now)

    def _next_mark(self, now: float) -> bytes:
        segment = self._waiting.popleft()
        return self._number(segment.payload_type, bytes(segment.data), 0, 0, now)

    def _next_chunk(self, segment: _Segment, room: int, credit: int, now: float) -> bytes:
        available = min(len(segment.data), credit)
        payload, size, flags = b"", 0, 0
        if self._compress and available >= MIN_DEFLATED:
            payload, size = self._compressed(segment.data, room, available)
            flags = FLAG_DEFLATED if payload else 0
        if not payload:
            size = min(room, available)
            payload = bytes(memoryview(segment.data)[:size])
        del segment.data[:size]
        if not segment.data:
            self._waiting.popleft()
        self._waiting_bytes -= size
        self._data_sent += size
        return self._number(segment.payload_type, payload, size, flags, now)

    def _compressed(self, data: bytearray, room: int, available: int) -> tuple[bytes, int]:
        if self._plain:
            self._plain -= 1
            return b"", 0
        found = self._deflated(data, room, available)
        if not found[0]:
            self._plain = PLAIN_RUN
        return found

    def _deflated(self, data: bytearray, room: int, available: int) -> tuple[bytes, int]:
        """The beginning of `data` compressed into `room` bytes, and how much of it that was."""
        sure = min(available, room)
        likely = min(available, MAX_INFLATED, int(room * 0.9 / self._ratio))
        for size in dict.fromkeys((max(likely, sure), sure)):  # each once
            packed = deflate(bytes(memoryview(data)[:size]), room, self._deflater)
            if packed is not None:
                self._ratio = max(0.02, 0.7 * self._ratio + 0.3 * len(packed) / size)
                return packed, size
            self._ratio = min(1.0, self._ratio * 1.5)
        return b"", 0

    def _number(
        self, payload_type: int, payload: bytes, size: int, flags: int, now: float
    ) -> bytes:
        sequence = self._next
        self._next = self.polled = sequence + 1
        flags |= FLAG_SYN if sequence == self._first else 0
        frame = self._pack(sequence, payload_type, payload, flags)
        self._sent[sequence] = _Sent(frame, size, now)
        self._in_flight_bytes += size
        return frame

    def _spendable(self) -> int:
        if self._credit is None:
            return ORIGINAL_WINDOW - self._in_flight_bytes
        return self._credit - self._data_sent

    # --- what the driver asks -------------------------------------------------------------------

    def ready(self) -> bool:
        """Something can be sent at once."""
        if self._lost or (self._control and len(self._sent) < MAX_IN_FLIGHT + MAX_CONTROL):
            return True
        if not self.open or not self._waiting or len(self._sent) >= MAX_IN_FLIGHT:
            return False
        return self._waiting[0].payload_type not in CREDITED or self._spendable() > 0

    @property
    def sendable(self) -> int:
        """Bytes of data that wait and that the peer gives credit for."""
        return min(self._waiting_bytes, max(0, self._spendable())) if self.open else 0

    @property
    def blocked(self) -> bool:
        """Data waits, nothing is on its way, and the peer's credit is spent."""
        waits = self.open and bool(self._waiting) and not self._sent
        return waits and self._credit is not None and not self.ready()

    def deadline(self) -> float | None:
        """When the oldest message on its way counts as lost."""
        if not self._sent:
            return None
        oldest = min(sent.at for sent in self._sent.values())
        return oldest + self.round_trip.rto * self._backoff

    @property
    def empty(self) -> bool:
        return not (self._sent or self._control or self._waiting)

    @property
    def held_bytes(self) -> int:
        """Bytes of data kept here: waiting and on their way."""
        return self._waiting_bytes + self._in_flight_bytes
