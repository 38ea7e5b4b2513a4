"""Input that was typed while the terminal asked for a secret: withheld, with a mark in its place.

The node reports, by bytes of one client's input, whether its terminal would have echoed them
(`EchoReport`, in an AgentSessionState message that the relay records and nobody else gets). What
it has not reported on is withheld too: a report that was lost must not disclose a password.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hatchway.core import handshake
from hatchway.core.errors import MalformedMessage
from hatchway.core.transcript.chunks import Chunk, Kind

#: Stretches that one report tells of, the latest.
MAX_STRETCHES = 64
#: Stretches of one client that are remembered.
MAX_REMEMBERED = 1024
#: Bytes, and milliseconds, that input waits for the node's report.
MAX_WAITING_BYTES = 512 * 1024
REPORT_WITHIN = 60_000
SCHEMA_VERSION = 1
_MOST = 1 << 62

HIDDEN = "typed while the terminal did not echo: {size} bytes withheld"
UNREPORTED = "the node did not say whether the terminal echoed: {size} bytes withheld"
UNPLACED = (
    "what was typed before was not stored, so nobody knows of the echo: {size} bytes withheld"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes `first` up to (not including) `end` of a client's input, from its beginning."""

    first: int
    end: int
    echo: bool


@dataclass(frozen=True, slots=True)
class EchoReport:
    """What a node says of its terminal; `client` is the message id of the client's first one."""

    client: str = ""
    stretches: tuple[Stretch, ...] = ()


def pack_report(report: EchoReport) -> bytes:
    """The payload of the AgentSessionState message."""
    rows = [[s.first, s.end, s.echo] for s in report.stretches[-MAX_STRETCHES:]]
    document = {"SchemaVersion": SCHEMA_VERSION, "Client": report.client, "Input": rows}
    return json.dumps(document, separators=(",", ":")).encode()


def parse_report(payload: bytes) -> EchoReport:
    """MalformedMessage for anything that `pack_report` cannot have made."""
    document = handshake.load(payload)
    rows, client = document.get("Input", []), document.get("Client", "")
    if not isinstance(rows, list) or len(rows) > MAX_STRETCHES or not isinstance(client, str):
        raise MalformedMessage("A report of the terminal is damaged.")
    return EchoReport(client[:36], tuple(_stretch(row) for row in rows))


def _stretch(row: object) -> Stretch:
    if not isinstance(row, list) or len(row) != 3 or type(row[2]) is not bool:
        raise MalformedMessage("A report of the terminal is damaged.")
    first = handshake.whole(row[0], 0, _MOST)
    return Stretch(first, handshake.whole(row[1], first, _MOST), row[2])


class EchoLog:
    """The node's half: what was fed while the terminal echoed, and while it did not."""

    def __init__(self) -> None:
        self._client = ""
        self._at = 0
        self._stretches: list[Stretch] = []

    def fed(self, client: str, size: int, echo: bool) -> None:
        """`size` more bytes of this client's input went to the terminal."""
        if client != self._client:
            self._client, self._at = client, 0
            self._stretches.clear()
        if size <= 0:
            return
        first, self._at = self._at, self._at + size
        last = self._stretches[-1] if self._stretches else None
        if last is not None and last.echo is echo:
            self._stretches[-1] = replace(last, end=self._at)
        else:
            self._stretches.append(Stretch(first, self._at, echo))
            del self._stretches[:-MAX_STRETCHES]

    def report(self) -> EchoReport:
        return EchoReport(self._client, tuple(self._stretches))


@dataclass(slots=True)
class _Input:
    """A chunk of the client's side that waits, and which bytes of its input it holds; `placed`
    says that this is known."""

    chunk: Chunk
    client: str
    first: int
    since: int
    placed: bool


@dataclass(slots=True)
class HiddenState:
    """What is kept between two runs when nothing waits: how far the input has come, and what the
    node said of it. `lost`: some of it was not stored, so that no byte after it has a place."""

    client: str = ""
    at: int = 0
    lost: bool = False
    known: list[Stretch] = field(default_factory=list)

    def copy(self) -> HiddenState:
        return replace(self, known=list(self.known))


class HiddenInput:
    """Lets the client's chunks pass once the node has reported on them, in their order."""

    def __init__(self, state: HiddenState | None = None) -> None:
        self.state = state or HiddenState()
        self._reports: dict[str, list[Stretch]] = {self.state.client: self.state.known}
        self._waiting: deque[_Input] = deque()
        self._waiting_bytes = 0
        #: Bytes that were withheld.
        self.withheld = 0

    @property
    def clean(self) -> bool:
        return not self._waiting

    def begin(self, client: str) -> None:
        """Another client: its input counts from 0. What came before the first one's first message
        was its own: what was lost then is lost to it."""
        if client != self.state.client:
            known = self._reports.setdefault(client, [])
            for old in [c for c in self._reports if c != client][:-1]:
                if all(waiting.client != old for waiting in self._waiting):
                    del self._reports[old]
            lost = self.state.lost and not self.state.client
            self.state = HiddenState(client, 0, lost, known)

    def take(self, chunk: Chunk) -> Iterator[Chunk]:
        """A chunk of the client's side, in order; those that may be stored now."""
        size = len(chunk.data) if chunk.kind is Kind.INPUT else 0
        state = self.state
        state.lost = state.lost or chunk.unstored or chunk.late
        waiting = _Input(chunk, state.client, state.at, chunk.at, placed=not state.lost)
        self._waiting.append(waiting)
        self._waiting_bytes += size
        self.state.at += size
        while self._waiting_bytes > MAX_WAITING_BYTES:
            yield self._let_go(self._pop())
        yield from self.release(chunk.at)

    def report(self, report: EchoReport, at: int) -> Iterator[Chunk]:
        """What the node says; a report tells again what earlier ones told."""
        if report.stretches:
            known = self._reports.setdefault(report.client, [])
            _merge(known, report.stretches)
            while len(self._reports) > 3:  # the current client's, and those just before and after
                del self._reports[
                    next(c for c in self._reports if c not in (report.client, self.state.client))
                ]
        yield from self.release(at)

    def release(self, at: int) -> Iterator[Chunk]:
        """What is reported on, or has waited too long."""
        while self._waiting:
            head = self._waiting[0]
            echo = self._echo(head)
            if echo is None and head.placed and at - head.since < REPORT_WITHIN:
                return
            yield self._let_go(self._pop())

    def finish(self) -> Iterator[Chunk]:
        """The end: what was never reported on is withheld."""
        while self._waiting:
            yield self._let_go(self._pop())

    def _let_go(self, waiting: _Input) -> Chunk:
        """As it is where all of it was echoed."""
        echo = self._echo(waiting)
        if echo:
            return waiting.chunk
        if not waiting.placed:
            return self._withhold(waiting.chunk, UNPLACED)
        return self._withhold(waiting.chunk, UNREPORTED if echo is None else HIDDEN)

    def _pop(self) -> _Input:
        head = self._waiting.popleft()
        if head.chunk.kind is Kind.INPUT:
            self._waiting_bytes -= len(head.chunk.data)
        return head

    def _echo(self, waiting: _Input) -> bool | None:
        """Whether all of its bytes would have been echoed; None where the node has not said."""
        if waiting.chunk.kind is not Kind.INPUT:
            return True
        if not waiting.placed:
            return None
        first, end = waiting.first, waiting.first + len(waiting.chunk.data)
        hidden = False
        for stretch in self._reports.get(waiting.client, ()):
            if stretch.first <= first < stretch.end:
                hidden = hidden or not stretch.echo
                first = min(end, stretch.end)
            if first >= end:
                return not hidden
        return None

    def _withhold(self, chunk: Chunk, why: str) -> Chunk:
        size = len(chunk.data)
        self.withheld += size
        noted = chunk.noted(why.format(size=size))
        return replace(noted, kind=Kind.MARKER, data=b"", digest="")


def _merge(known: list[Stretch], told: Sequence[Stretch]) -> None:
    """Adds what is new. What was once said stays: a node cannot take back that it was hidden."""
    end = known[-1].end if known else 0
    for stretch in sorted(told, key=lambda s: s.first):
        if stretch.end <= end:
            continue
        first = max(stretch.first, end)
        last = known[-1] if known else None
        if last is not None and last.echo is stretch.echo and last.end == first:
            known[-1] = replace(last, end=stretch.end)
        else:
            known.append(Stretch(first, stretch.end, stretch.echo))
        end = stretch.end
    del known[:-MAX_REMEMBERED]
