"""Patterns masked before anything is stored: stars in place of what they match, chunk by chunk.

Output and input are held back to the line's end, so that a match may begin in one chunk and end in
another; a line that grows beyond the limit is let go but for its end. Escape sequences are
looked through: colour in the middle of a secret does not disclose it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hatchway.core.errors import ValidationException
from hatchway.core.transcript.chunks import Chunk, Kind

#: Patterns of one document, and characters of one.
MAX_PATTERNS = 32
MAX_PATTERN = 512
#: Bytes of a line that are held back, and how many of them stay when it is longer.
MAX_LINE = 16 * 1024
KEPT = 2 * 1024
#: Milliseconds that the beginning of a line is held back; a prompt ends in none.
LINE_WITHIN = 30_000

MASKED = "masked"
# What a terminal does not show: escape sequences, strings, and the controls between.
_UNSEEN = re.compile(
    rb"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b[P\]X^_][^\x07\x1b\x9c]{0,512}(?:\x07|\x1b\\)?"
    rb"|\x1b[ -/]{0,8}[0-~]|[\x00-\x06\x0e-\x1a\x7f]"
)
#: A quantifier without end within a group that is repeated without end: time without end.
_RISKY = re.compile(r"[+*}]\)?[+*]|\((?:[^()\\]|\\.)*[+*](?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,\})")


def compile_patterns(texts: Sequence[str]) -> tuple[re.Pattern[bytes], ...]:
    """The patterns, for bytes of UTF-8; ValidationException for too many, long or risky ones."""
    if len(texts) > MAX_PATTERNS:
        raise ValidationException(f"maskPatterns are at most {MAX_PATTERNS}.")
    return tuple(_compile(text) for text in texts)


def _compile(text: str) -> re.Pattern[bytes]:
    if not 0 < len(text) <= MAX_PATTERN:
        raise ValidationException(f"A mask pattern has 1 to {MAX_PATTERN} characters.")
    if _RISKY.search(text):
        raise ValidationException("A mask pattern repeats what is itself repeated without end.")
    try:
        pattern = re.compile(text.encode())
    except (re.error, OverflowError, RecursionError):
        raise ValidationException("A mask pattern is not a regular expression.") from None
    if pattern.match(b""):
        raise ValidationException("A mask pattern matches nothing at all.")
    return pattern


#: What may hold a secret, each kind a stream of its own.
_MASKABLE = frozenset({Kind.OUTPUT, Kind.STDERR, Kind.INPUT})


@dataclass(slots=True)
class _Entry:
    """A chunk that waits; its first `done` bytes are settled. `data` is what will be stored."""

    chunk: Chunk
    data: bytearray
    done: int = 0
    masked: bool = False

    @property
    def settled(self) -> bool:
        return self.done == len(self.data)


@dataclass(slots=True)
class _Stream:
    entries: deque[_Entry] = field(default_factory=deque)
    size: int = 0


class Masker:
    """The chunks of one side, masked and in their order."""

    def __init__(self, patterns: Sequence[re.Pattern[bytes]]) -> None:
        self._patterns = patterns
        self._queue: deque[_Entry] = deque()
        self._streams: dict[Kind, _Stream] = {}
        #: Bytes that were masked.
        self.masked = 0

    @property
    def clean(self) -> bool:
        return not self._queue

    def take(self, chunk: Chunk) -> Iterator[Chunk]:
        """The chunks that are let go: this one too, unless a line of it may go on."""
        if not self._patterns:
            yield chunk
            return
        if chunk.kind is Kind.MARKER and chunk.data:
            # No line to look for a pattern in, and its digest would tell what it was.
            chunk = replace(chunk, data=b"", digest="")
        maskable = chunk.kind in _MASKABLE
        entry = _Entry(chunk, bytearray(chunk.data if maskable else b""))
        self._queue.append(entry)
        if maskable and chunk.data:
            self._hold(entry)
        yield from self.expire(chunk.at)

    def expire(self, at: int) -> Iterator[Chunk]:
        """Lines that have not ended in time go as they are."""
        for stream in self._streams.values():
            if stream.entries and at - stream.entries[0].chunk.at >= LINE_WITHIN:
                self._settle(stream, stream.size, stream.size)
        yield from self._settled()

    def finish(self) -> Iterator[Chunk]:
        """The end: all that waits."""
        for stream in self._streams.values():
            self._settle(stream, stream.size, stream.size)
        yield from self._settled()

    def _hold(self, entry: _Entry) -> None:
        stream = self._streams.setdefault(entry.chunk.kind, _Stream())
        stream.entries.append(entry)
        stream.size += len(entry.data)
        ended = max(entry.data.rfind(b"\n"), entry.data.rfind(b"\r")) + 1
        if ended:
            upto = stream.size - len(entry.data) + ended
            self._settle(stream, upto, upto)
        if stream.size > MAX_LINE:
            self._settle(stream, stream.size, stream.size - KEPT)

    def _settled(self) -> Iterator[Chunk]:
        while self._queue and self._queue[0].settled:
            entry = self._queue.popleft()
            if entry.masked:
                yield replace(entry.chunk.noted(MASKED), data=bytes(entry.data), digest="")
            else:
                yield entry.chunk

    def _settle(self, stream: _Stream, look: int, upto: int) -> None:
        """Masks within the first `look` bytes, and lets the first `upto` of them go."""
        text = b"".join(bytes(entry.data[entry.done :]) for entry in stream.entries)[:look]
        for first, end in self._matches(text):
            _star(stream, first, end)
            self.masked += end - first
        stream.size -= upto
        while upto:
            entry = stream.entries[0]
            step = min(upto, len(entry.data) - entry.done)
            entry.done, upto = entry.done + step, upto - step
            if entry.settled:
                stream.entries.popleft()

    def _matches(self, text: bytes) -> list[tuple[int, int]]:
        seen, places = _visible(text)
        return [
            (places(match.start()), places(match.end() - 1) + 1)
            for pattern in self._patterns
            for match in pattern.finditer(seen)
            if match.end() > match.start()
        ]


def _visible(text: bytes) -> tuple[bytes, Callable[[int], int]]:
    """What a reader sees of `text`, and where each byte of that stands in it."""
    hidden = [match.span() for match in _UNSEEN.finditer(text)]
    if not hidden:
        return text, lambda at: at
    parts, starts, origins, at, length = [], [0], [0], 0, 0
    for first, end in hidden:
        parts.append(text[at:first])
        length += first - at
        at = end
        starts.append(length)
        origins.append(at)
    parts.append(text[at:])

    def place(index: int) -> int:
        which = bisect_right(starts, index) - 1
        return origins[which] + index - starts[which]

    return b"".join(parts), place


def _star(stream: _Stream, first: int, end: int) -> None:
    """Stars over bytes `first` to `end` of what is not settled, except over escape sequences."""
    at = 0
    for entry in stream.entries:
        if at >= end:
            break
        size = len(entry.data) - entry.done
        low, high = max(first - at, 0), min(end - at, size)
        if low < high:
            place = entry.done + low
            part = bytes(entry.data[place : entry.done + high])
            entry.data[place : entry.done + high] = _starred(part)
            entry.masked = True
        at += size


def _starred(part: bytes) -> bytes:
    out, at = [], 0
    for match in _UNSEEN.finditer(part):
        out += [b"*" * (match.start() - at), match[0]]
        at = match.end()
    return b"".join([*out, b"*" * (len(part) - at)])
