"""Frames of one side, put in the order in which they were meant, each once.

The relay stores what passes as it passes: repeats, late ones, several clients. `Orderer` yields a
chunk for every sequence number; what never came is a gap, and the same number with another content
is a mismatch. Its memory is bounded, and it knows no clock: times are those of the frames.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from hatchway.core import handshake
from hatchway.core.compression import inflate
from hatchway.core.errors import MalformedMessage, MalformedRecording
from hatchway.core.transcript.chunks import LATE as LATE
from hatchway.core.transcript.chunks import UNNUMBERED, Chunk, Kind, Side
from hatchway.core.wire import (
    CREDITED,
    FLAG_DEFLATED,
    FLAG_SYN,
    AgentMessage,
    MessageType,
    PayloadType,
    parse,
)

#: Messages, and bytes of payload, that may wait for an earlier one; beyond, that one is a gap. The
#: log may show an event a minute late: 500 messages of each second wait for it.
MAX_WAITING = 32 * 1024
MAX_WAITING_BYTES = 8 * 1024 * 1024
#: Milliseconds that a message waits for an earlier one. A sender repeats for as long as its peer
#: is there, so what is later than this was lost with the client that it was for.
GAP_AFTER = 120_000
#: Messages that wait for the first one of a client that seems to have taken over, and milliseconds.
#: The log may show an event a minute late.
MAX_HELD = 1024
HELD_FOR = 60_000
#: Messages whose content is remembered, to be compared with a later one of the same number: twice
#: as many as a sender has on its way at once. Who repeats an older one is told of.
MAX_REMEMBERED = 2048
#: Stretches that were given up, of which a late message may still come.
MAX_GIVEN_UP = 1024
_FINGERPRINT = 16
_EXIT_CODE = b"EXIT_CODE: "
_MOST = 1 << 63

MISMATCH = "mismatch"
AGAIN = "again"
UNSTORED = "unstored"
_STREAMS = {Side.NODE: MessageType.OUTPUT, Side.CLIENT: MessageType.INPUT}
_NAMES = {
    PayloadType.HANDSHAKE_REQUEST: "handshake request",
    PayloadType.HANDSHAKE_RESPONSE: "handshake response",
    PayloadType.HANDSHAKE_COMPLETE: "handshake complete",
    PayloadType.ENC_CHALLENGE_REQUEST: "encryption challenge",
    PayloadType.ENC_CHALLENGE_RESPONSE: "encryption challenge answered",
}


@dataclass(frozen=True, slots=True)
class _Waiting:
    message: AgentMessage
    generation: int
    at: int


@dataclass(slots=True)
class OrderState:
    """What an orderer remembers between two runs; `to_json` and `of_json` are inverse."""

    expected: int = 0
    #: The message id of a client's first message: another one is another client.
    epoch: str = ""
    generation: int = 0
    #: The generation with which this client began; what comes with a lower one is another's.
    begun: int = 0
    #: The generation in which this client was last known to be there: in a later one it may be
    #: another, whose first message was not read yet.
    confirmed: int = 0
    offered: bool = False
    #: What each number was (`_mark`), and the generation in which it came.
    seen: dict[int, tuple[str, int]] = field(default_factory=dict)
    #: First and last number of what was given up and has not come since, in their order.
    given_up: list[tuple[int, int]] = field(default_factory=list)

    def copy(self) -> OrderState:
        return replace(self, seen=dict(self.seen), given_up=list(self.given_up))

    def to_json(self) -> dict[str, object]:
        return {
            "expected": self.expected,
            "epoch": self.epoch,
            "generation": self.generation,
            "begun": self.begun,
            "confirmed": self.confirmed,
            "offered": self.offered,
            "seen": [[number, *known] for number, known in self.seen.items()],
            "givenUp": [list(pair) for pair in self.given_up],
        }

    @classmethod
    def of_json(cls, document: Mapping[str, object]) -> OrderState:
        """MalformedRecording for what `to_json` cannot have made."""
        try:
            generation, begun = _number(document["generation"]), _number(document["begun"])
            given_up = _pairs(document["givenUp"], MAX_GIVEN_UP)
            return cls(
                expected=_number(document["expected"]),
                epoch=str(document["epoch"]),
                generation=generation,
                begun=begun,
                confirmed=_number(document.get("confirmed", begun or generation)),
                offered=document["offered"] is True,
                seen=_seen(document["seen"]),
                given_up=[(_number(first), _number(last)) for first, last in given_up],
            )
        except (KeyError, TypeError, ValueError, MalformedMessage):
            raise MalformedRecording("An orderer's state is damaged.") from None


class Orderer:
    """Orders one side. `counts` says what was repeated, late, malformed or a mismatch."""

    def __init__(self, side: Side, state: OrderState | None = None) -> None:
        self._side = side
        self.state = state or OrderState()
        self._early: dict[int, _Waiting] = {}
        self._early_bytes = 0
        #: By generation and number: what contradicts or repeats a client's, and may be another's.
        self._held: dict[tuple[int, int], _Waiting] = {}
        #: Something that is held is not this client's: what follows may not be, either.
        self.doubted = False
        #: The numbers that wait, and since when; with some that wait no more.
        self._numbers: list[int] = []
        self._since: list[tuple[int, int]] = []
        #: What a client that has been replaced, or nobody, said: counted, never silently.
        self.counts: Counter[str] = Counter()

    @property
    def clean(self) -> bool:
        """Nothing waits: `state` is all there is to know."""
        return not self._early and not self._held

    def take(self, frame: bytes, generation: int, at: int) -> Iterator[Chunk]:
        """The chunks that this packed message makes readable, in order. Messages outside the
        sequence (acknowledgements and the like) make none."""
        try:
            message = parse(frame)
        except MalformedMessage:
            self.counts["malformed"] += 1
            return
        if message.message_type is not _STREAMS[self._side]:
            return
        if generation < self.state.begun:
            self.counts["replaced"] += 1  # no node takes it either
            return
        its: list[_Waiting] = []
        if message.sequence == 0 and self._side is Side.CLIENT:
            its = yield from self._client(message, generation, at)
        for waiting in (_Waiting(message, generation, at), *its):
            yield from self._take(waiting)

    def expire(self, at: int) -> Iterator[Chunk]:
        """Gives up on what has been waited for since `GAP_AFTER` before `at`."""
        if self._held and at - next(iter(self._held.values())).at >= HELD_FOR:
            yield from self._let_go()
        while self._since and at - self._since[0][0] >= GAP_AFTER:
            if self._since[0][1] in self._early:
                yield from self._skip()
            else:
                heappop(self._since)

    def finish(self) -> Iterator[Chunk]:
        """The end: all that waits, with gaps where something never came."""
        while self._early:
            yield from self._skip()
        yield from self._let_go()

    def close(self, count: int, at: int, epoch: str = "") -> Iterator[Chunk]:
        """After `finish`: there were `count` messages, of the client `epoch` where it is one's.
        What is missing at the end is a gap; counted as UNSTORED."""
        if epoch and epoch != self.state.epoch:
            generation = self.state.generation
            self.state = OrderState(epoch=epoch, generation=generation, confirmed=generation)
        first, missing = self.state.expected, count - self.state.expected
        if missing <= 0:
            return
        self.counts[UNSTORED] += missing
        yield Chunk(
            at=at,
            side=self._side,
            generation=self.state.generation,
            sequence=first,
            kind=Kind.GAP,
            data=b"%d messages" % missing,
            note=f"messages {first} to {count - 1} passed, says the node, and were not stored",
        )
        self._give_up(count)

    # --- taking ---------------------------------------------------------------------------------

    def _client(
        self, message: AgentMessage, generation: int, at: int
    ) -> Generator[Chunk, None, list[_Waiting]]:
        """A client's first message: the first client's, a repeat, or that of one who took over.
        Returns what was held and has its turn now."""
        state, epoch = self.state, str(message.message_id)
        later = generation > state.confirmed
        if state.epoch == epoch:
            state.confirmed = max(state.confirmed, generation)
            return self._released(lambda held: held <= generation)
        if not state.epoch and not (later and state.confirmed):
            # What came before its first message is its own.
            state.epoch, state.begun, state.confirmed = epoch, generation, generation
            return []
        if not later:
            return []
        its = self._released(lambda held: held >= generation)
        yield from self.finish()
        note = f"client {generation} took over: its numbers begin again"
        yield self._marker(note, generation, at)
        self.state = OrderState(
            epoch=epoch, generation=generation, begun=generation, confirmed=generation
        )
        return its

    def _released(self, whether: Callable[[int], bool]) -> list[_Waiting]:
        """Of what is held, that of these generations: it is known whose it was."""
        self.doubted = False
        keys = [key for key in self._held if whether(key[0])]
        return [self._held.pop(key) for key in keys]

    def _again(self, waiting: _Waiting, mark: str) -> Iterator[Chunk]:
        """A number that is known, of the same client: a repeat, or a contradiction."""
        if mark == _mark(waiting.message):
            self.counts["repeated"] += 1
        else:
            self.counts[MISMATCH] += 1
            yield self._mismatch(waiting)

    def _hold(self, waiting: _Waiting) -> Iterator[Chunk]:
        """It may be another client's, who is known by its first message."""
        key = (waiting.generation, waiting.message.sequence)
        held = self._held.setdefault(key, waiting)
        if held is not waiting:
            yield from self._again(waiting, _mark(held.message))
        while len(self._held) > MAX_HELD:
            yield from self._told(self._held.pop(next(iter(self._held))))
        yield from self.expire(waiting.at)

    def _let_go(self) -> Iterator[Chunk]:
        """The first message did not come: nobody is accused for it."""
        while self._held:
            yield from self._told(self._held.pop(next(iter(self._held))))

    def _told(self, waiting: _Waiting) -> Iterator[Chunk]:
        number = waiting.message.sequence
        known = self._known(number)
        if known is not None and known[0] == _mark(waiting.message):
            self.counts["repeated"] += 1
            return
        self.counts[LATE] += 1
        note = f"{LATE}: message {number} of a client whose first one was not stored"
        yield self._marker(note, waiting.generation, waiting.at)

    def _take(self, waiting: _Waiting) -> Iterator[Chunk]:
        state, message = self.state, waiting.message
        state.generation = max(state.generation, waiting.generation)
        state.confirmed = state.confirmed or waiting.generation
        number = message.sequence
        known = self._known(number)
        if known is not None:
            later = waiting.generation > max(state.confirmed, known[1])
            another = later and self._side is Side.CLIENT
            self.doubted = self.doubted or (another and known[0] != _mark(message))
            yield from self._hold(waiting) if another else self._again(waiting, known[0])
            return
        self._remember(number, (_mark(message), waiting.generation))
        if number < state.expected:
            yield self._late(waiting)
            return
        self._wait(number, waiting)
        yield from self._ready()
        while len(self._early) > MAX_WAITING or self._early_bytes > MAX_WAITING_BYTES:
            yield from self._skip()
        yield from self.expire(waiting.at)

    def _known(self, number: int) -> tuple[str, int] | None:
        """Mark and generation of the message of this number, while remembered or waiting."""
        waiting = self._early.get(number)
        if waiting:
            return _mark(waiting.message), waiting.generation
        return self.state.seen.get(number)

    def _remember(self, number: int, known: tuple[str, int]) -> None:
        seen = self.state.seen
        seen[number] = known
        while len(seen) > MAX_REMEMBERED:
            del seen[next(iter(seen))]

    def _wait(self, number: int, waiting: _Waiting) -> None:
        self._early[number] = waiting
        self._early_bytes += len(waiting.message.payload)
        if number != self.state.expected:
            heappush(self._numbers, number)
            heappush(self._since, (waiting.at, number))

    def _ready(self) -> Iterator[Chunk]:
        while (waiting := self._early.pop(self.state.expected, None)) is not None:
            self._early_bytes -= len(waiting.message.payload)
            self.state.expected += 1
            yield self._chunk(waiting)
        if not self._early:
            self._numbers.clear()
            self._since.clear()

    def _skip(self) -> Iterator[Chunk]:
        """What is expected does not come: a gap up to the next that is there."""
        while self._numbers[0] not in self._early:
            heappop(self._numbers)
        following = self._numbers[0]
        missing = following - self.state.expected
        self.counts["missing"] += missing
        waiting = self._early[following]
        yield Chunk(
            at=waiting.at,
            side=self._side,
            generation=waiting.generation,
            sequence=self.state.expected,
            kind=Kind.GAP,
            data=b"%d messages" % missing,
            note=f"messages {self.state.expected} to {following - 1} were not stored in time",
        )
        self._give_up(following)
        yield from self._ready()

    def _give_up(self, following: int) -> None:
        """`following` is expected, and nothing before it any more."""
        self.state.given_up.append((self.state.expected, following - 1))
        del self.state.given_up[:-MAX_GIVEN_UP]
        self.state.expected = following

    def _late(self, waiting: _Waiting) -> Chunk:
        """Of a number that was given up: shown, but not in its place. Any other is none that a
        sender had on its way still: kept, since nobody can tell whether it is the same."""
        number = waiting.message.sequence
        if self._returns(number):
            self.counts[LATE] += 1
            return replace(self._chunk(waiting), note=f"{LATE}: its place was given up")
        self.counts[AGAIN] += 1
        note = f"{AGAIN}: message {number} came after its content was forgotten"
        return self._marker(note, waiting.generation, waiting.at, waiting.message)

    def _returns(self, number: int) -> bool:
        """Whether it was given up and has not come since; then it is so no more."""
        stretches = self.state.given_up
        place = bisect_right(stretches, (number, _MOST)) - 1
        if place < 0 or number > stretches[place][1]:
            return False
        first, last = stretches[place]
        around = [(first, number - 1), (number + 1, last)]
        stretches[place : place + 1] = [(low, high) for low, high in around if low <= high]
        del stretches[:-MAX_GIVEN_UP]
        return True

    def _mismatch(self, waiting: _Waiting) -> Chunk:
        note = f"{MISMATCH}: message {waiting.message.sequence} came again with another content"
        return self._marker(note, waiting.generation, waiting.at, waiting.message)

    def _marker(
        self, note: str, generation: int, at: int, message: AgentMessage | None = None
    ) -> Chunk:
        return Chunk(
            at=at,
            side=self._side,
            generation=generation,
            sequence=UNNUMBERED,
            kind=Kind.MARKER,
            data=self._spoken(message.payload) if message else b"",
            digest=_digest(message) if message and self._side is Side.NODE else "",
            note=note,
        )

    def _spoken(self, payload: bytes) -> bytes:
        """A payload that is not understood is kept; not where somebody may have typed it."""
        return payload if self._side is Side.NODE else b""

    # --- meaning --------------------------------------------------------------------------------

    def _chunk(self, waiting: _Waiting) -> Chunk:
        message = waiting.message
        kind, data, note = self._meaning(message)
        return Chunk(
            at=waiting.at,
            side=self._side,
            generation=waiting.generation,
            sequence=message.sequence,
            kind=kind,
            data=data,
            digest=_digest(message),
            note=note,
        )

    def _meaning(self, message: AgentMessage) -> tuple[Kind, bytes, str]:
        kind = message.payload_type
        if kind in CREDITED:
            return self._data(message)
        if kind == PayloadType.HANDSHAKE_REQUEST:
            self._offers(message.payload)
            again = bool(message.sequence and message.flags & FLAG_SYN)
            note = "another client took over: what it had not got is sent again" if again else ""
            return Kind.MARKER, b"", note or _NAMES[PayloadType.HANDSHAKE_REQUEST]
        read = _READERS.get(kind)
        try:
            if read is not None:
                return read(message.payload)
        except (MalformedMessage, ValueError):
            return Kind.MARKER, self._spoken(message.payload), f"malformed payload of type {kind}"
        if kind in _NAMES:
            return Kind.MARKER, b"", _NAMES[PayloadType(kind)]
        return Kind.MARKER, self._spoken(message.payload), f"payload of type {kind}"

    def _data(self, message: AgentMessage) -> tuple[Kind, bytes, str]:
        typed = self._side is Side.CLIENT
        kind = Kind.STDERR if message.payload_type == PayloadType.STDERR else Kind.OUTPUT
        kind = Kind.INPUT if typed else kind
        # Only the node's offer passes here; a client takes compressed data after it agreed, and
        # one that did not would have shown the bytes as they are.
        if not message.flags & FLAG_DEFLATED or not (self.state.offered or typed):
            return kind, message.payload, ""
        try:
            return kind, inflate(message.payload), ""
        except MalformedMessage:
            note = "compressed data that cannot be read: not shown"
            return Kind.MARKER, self._spoken(message.payload), note

    def _offers(self, payload: bytes) -> None:
        try:
            self.state.offered = handshake.parse_request(payload).extensions is not None
        except MalformedMessage:
            self.state.offered = False


def _number(value: object) -> int:
    return handshake.whole(value, 0, _MOST)


def _pairs(value: object, most: int) -> list[tuple[object, object]]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError
    return [(first, second) for first, second in value]


def _seen(value: object) -> dict[int, tuple[str, int]]:
    """In states from before they were kept, no generations."""
    if not isinstance(value, list) or len(value) > MAX_REMEMBERED:
        raise ValueError
    rows = [(number, mark, *rest) for number, mark, *rest in value]
    return {_number(row[0]): (str(row[1]), _number(row[2]) if row[2:] else 0) for row in rows}


_Reading = tuple[Kind, bytes, str]


def _size(payload: bytes) -> _Reading:
    columns, rows = handshake.parse_size(payload)
    return Kind.RESIZE, b"%dx%d" % (columns, rows), ""


def _gap(payload: bytes) -> _Reading:
    lost = int.from_bytes(payload[:8], "big")
    return Kind.GAP, b"%d bytes" % lost, f"{lost} bytes of output were lost at the node"


def _exit(payload: bytes) -> _Reading:
    code = int(payload.removeprefix(_EXIT_CODE)[:10])
    return Kind.EXIT, b"%d" % code, ""


def _flag(payload: bytes) -> _Reading:
    return Kind.MARKER, b"", f"flag {int.from_bytes(payload[:4], 'big')}"


_READERS: dict[int, Callable[[bytes], _Reading]] = {
    PayloadType.SIZE: _size,
    PayloadType.GAP: _gap,
    PayloadType.EXIT_CODE: _exit,
    PayloadType.FLAG: _flag,
}


def _digest(message: AgentMessage) -> str:
    return hashlib.sha256(message.payload).hexdigest()


def _mark(message: AgentMessage) -> str:
    """What a repeat must be equal in: payload, its type and its flags."""
    what = b"%d/%d/" % (message.payload_type, message.flags)
    return hashlib.sha256(what + message.payload).hexdigest()[: 2 * _FINGERPRINT]
