"""From what the relay stored to what is archived: both sides ordered, redacted and numbered.

Deterministic: the same events in the same order give the same chunks, whatever the runs that feed
them. Between two runs `state` is all there is to know, where `clean`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hatchway.core import handshake
from hatchway.core.errors import MalformedMessage, MalformedRecording
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.hidden import HiddenInput, HiddenState, Stretch, parse_report
from hatchway.core.transcript.masking import Masker, compile_patterns
from hatchway.core.transcript.ordering import Orderer, OrderState
from hatchway.core.transcript.stated import Stated
from hatchway.core.wire import MessageType, PayloadType, parse

#: Marks of the service that are remembered.
MAX_MARKS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """What a document wants withheld: `record_hidden` is its recordHiddenInput; `typed` says
    that what is typed is recorded at all, otherwise the client's sizes are."""

    typed: bool = True
    record_hidden: bool = False
    patterns: tuple[str, ...] = ()


@dataclass(slots=True)
class RecorderState:
    """What goes on in the next run. Nothing of what people typed or saw is in it."""

    index: int = 0
    size: str = ""
    #: The service's own marks seen lately: they may be stored twice.
    marks: list[str] = field(default_factory=list)
    node: OrderState = field(default_factory=OrderState)
    client: OrderState = field(default_factory=OrderState)
    hidden: HiddenState = field(default_factory=HiddenState)

    def copy(self) -> RecorderState:
        return RecorderState(
            index=self.index,
            size=self.size,
            marks=list(self.marks),
            node=self.node.copy(),
            client=self.client.copy(),
            hidden=self.hidden.copy(),
        )

    def to_json(self) -> dict[str, object]:
        hidden = self.hidden
        return {
            "index": self.index,
            "size": self.size,
            "marks": list(self.marks),
            "node": self.node.to_json(),
            "client": self.client.to_json(),
            "hidden": {
                "client": hidden.client,
                "at": hidden.at,
                "lost": hidden.lost,
                "known": [[s.first, s.end, s.echo] for s in hidden.known],
            },
        }

    @classmethod
    def of_json(cls, document: Mapping[str, object]) -> RecorderState:
        """MalformedRecording for what `to_json` cannot have made."""
        try:
            hidden = _object(document["hidden"])
            known = hidden["known"]
            if not isinstance(known, list):
                raise MalformedRecording("A recorder's state is damaged.")
            client = OrderState.of_json(_object(document["client"]))
            return cls(
                index=handshake.whole(document["index"], 0, 1 << 62),
                size=str(document["size"]),
                marks=_texts(document["marks"]),
                node=OrderState.of_json(_object(document["node"])),
                client=client,
                hidden=HiddenState(
                    str(hidden["client"]),
                    handshake.whole(hidden["at"], 0, 1 << 62),
                    # Where it was not kept yet: what passed by then may have had gaps.
                    hidden.get("lost", client.expected > 0) is not False,
                    [Stretch(first, end, echo) for first, end, echo in known],
                ),
            )
        except (KeyError, TypeError, ValueError, MalformedMessage):
            raise MalformedRecording("A recorder's state is damaged.") from None


class Recorder:
    """One session's events in, its chunks out."""

    def __init__(self, redaction: Redaction, state: RecorderState | None = None) -> None:
        self._state = state.copy() if state else RecorderState()
        self._redaction = redaction
        self._node = Orderer(Side.NODE, self._state.node)
        self._client = Orderer(Side.CLIENT, self._state.client)
        self._hidden = HiddenInput(self._state.hidden)
        patterns = compile_patterns(redaction.patterns)
        self._maskers = {side: Masker(patterns) for side in Side}
        self.malformed = 0

    @property
    def clean(self) -> bool:
        """Nothing waits for anything: a run may end here, and the next begin."""
        masked = all(masker.clean for masker in self._maskers.values())
        return self._node.clean and self._client.clean and self._hidden.clean and masked

    @property
    def state(self) -> RecorderState:
        """A copy of what the next run needs; meaningful where `clean`."""
        self._state.node = self._node.state
        self._state.client = self._client.state
        self._state.hidden = self._hidden.state
        return self._state.copy()

    @property
    def counts(self) -> Counter[str]:
        """Both sides' mismatches, repeats, gaps and so on; and `withheld` and `masked` bytes."""
        counts = self._node.counts + self._client.counts
        counts["withheld"] += self._hidden.withheld
        counts["masked"] += sum(masker.masked for masker in self._maskers.values())
        return +counts

    def take(self, side: Side, generation: int, at: int, frames: Iterable[bytes]) -> list[Chunk]:
        """The chunks that one event of the relay makes ready; `at` is its unix milliseconds."""
        found: list[Chunk] = []
        for frame in frames:
            if side is Side.NODE:
                found += self._of_node(frame, generation, at)
            else:
                found += self._of_client(frame, generation, at)
        found += self._number(self._expired(at))
        return found

    def mark(self, side: Side, generation: int, at: int, note: str, mark: str = "") -> list[Chunk]:
        """Something that the service itself has to say at this place; `mark` tells repeats."""
        if mark and not self._news(mark):
            return []
        marker = Chunk(at=at, side=side, generation=generation, kind=Kind.MARKER, note=note)
        return list(self._number(self._masked([marker])))

    def finish(self, stated: Stated | None = None, at: int = 0) -> list[Chunk]:
        """All that waits, as it is: the session is over, or nothing may wait any longer. With
        what the node `stated`, that there was no more; `at` is then the time of what is missing."""
        found = [*self._masked(self._node.finish()), *self._masked(self._typed_end())]
        if stated is not None:
            found += self._masked(self._missing(stated, at))
        for masker in self._maskers.values():
            found += masker.finish()
        return list(self._number(found))

    def _missing(self, stated: Stated, at: int) -> Iterator[Chunk]:
        """What the node says there was and nobody stored; sizes alone are not contiguous."""
        yield from self._node.close(stated.sent, at)
        if self._redaction.typed and stated.client:
            yield from self._shown(self._client.close(stated.taken, at, stated.client))
            yield from self._hidden.finish()

    # --- sides ----------------------------------------------------------------------------------

    def _of_node(self, frame: bytes, generation: int, at: int) -> Iterator[Chunk]:
        try:
            message = parse(frame)
        except MalformedMessage:
            self.malformed += 1
            return
        if message.message_type is MessageType.AGENT_SESSION_STATE:
            yield from self._number(self._masked(self._reported(message.payload, at)))
        else:
            yield from self._number(self._masked(self._node.take(frame, generation, at)))

    def _of_client(self, frame: bytes, generation: int, at: int) -> Iterator[Chunk]:
        read = self._typed if self._redaction.typed else self._sizes
        yield from self._number(self._masked(read(frame, generation, at)))

    def _sizes(self, frame: bytes, generation: int, at: int) -> Iterator[Chunk]:
        """Without what is typed the numbers are not contiguous: each size stands alone."""
        try:
            message = parse(frame)
            if message.payload_type != PayloadType.SIZE:
                return
            columns, rows = handshake.parse_size(message.payload)
        except MalformedMessage:
            self.malformed += 1
            return
        size, mark = f"{columns}x{rows}", f"size/{message.message_id}"
        if self._news(mark) and size != self._state.size:
            self._state.size = size
            yield Chunk(
                at=at,
                side=Side.CLIENT,
                generation=generation,
                kind=Kind.RESIZE,
                data=size.encode(),
            )

    def _news(self, mark: str) -> bool:
        """Whether this was not told before, as far as is remembered."""
        marks = self._state.marks
        if mark in marks:
            return False
        marks.append(mark)
        del marks[:-MAX_MARKS]
        return True

    def _typed(self, frame: bytes, generation: int, at: int) -> Iterator[Chunk]:
        yield from self._shown(self._client.take(frame, generation, at))

    def _typed_end(self) -> Iterator[Chunk]:
        yield from self._shown(self._client.finish())
        yield from self._hidden.finish()

    def _shown(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """What of the client's side may be told now; `chunks` is read as it is made."""
        for chunk in chunks:
            if self._client.state.epoch != self._hidden.state.client:
                self._hidden.begin(self._client.state.epoch)
            if self._client.doubted:
                self._hidden.state.lost = True
            if not self._redaction.record_hidden:
                yield from self._hidden.take(chunk)
            else:
                yield chunk

    def _reported(self, payload: bytes, at: int) -> Iterator[Chunk]:
        """The node's report of its terminal releases input."""
        try:
            report = parse_report(payload)
        except MalformedMessage:
            self.malformed += 1
            return
        yield from self._hidden.report(report, at)

    def _expired(self, at: int) -> Iterator[Chunk]:
        yield from self._masked(self._node.expire(at))
        yield from self._masked(self._hidden.release(at))
        for masker in self._maskers.values():
            yield from masker.expire(at)

    def _masked(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            yield from self._maskers[chunk.side].take(chunk)

    def _number(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        for chunk in chunks:
            yield chunk.numbered(self._state.index)
            self._state.index += 1


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_MARKS:
        raise TypeError
    return [str(each) for each in value]
