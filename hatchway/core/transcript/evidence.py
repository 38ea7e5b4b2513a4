"""Evidence: a recording's manifest, the hash chain it states, and what checking it finds.

A segment's lines are hashed one by one, exactly as they are stored. The manifest keeps the first
bytes of each hash (so that what was changed can be named), a chain over each side's hashes (so that
nothing can be), counts, and the code that wrote it; the archive signs the manifest's bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hatchway.core import handshake
from hatchway.core.errors import MalformedMessage, MalformedRecording
from hatchway.core.transcript.chunks import MAX_LINE, Chunk, Kind, Side, dump
from hatchway.core.transcript.ordering import MISMATCH
from hatchway.core.transcript.stated import Stated

VERSION = 1
#: Bytes of one segment's lines: a page of the people API holds one, as text, and Lambda answers
#: 6 MB at most.
MAX_SEGMENT = 2 * 1024 * 1024
#: Bytes of a manifest: it travels in one answer.
MAX_MANIFEST = 4 * 1024 * 1024
#: Chunks whose hashes a manifest keeps one by one; of later ones it names the segment alone.
MAX_LEAVES = 200_000
#: Bytes of a line's hash that the manifest keeps, to name a line; the chain proves it.
LEAF = 8
#: Characters of a name or text in a manifest.
MAX_TEXT = 512
_START = "0" * 64
#: A manifest's `end` while the session lasts, and where its node never said how much there was.
OPEN, UNKNOWN = "open", "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One side's final numbers. `messages` counts sequence numbers, gaps included; `chain` is the
    hash over its lines' hashes, in order."""

    chunks: int = 0
    messages: int = 0
    size: int = 0
    gaps: int = 0
    mismatches: int = 0
    chain: str = _START


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stored object: its name, the SHA-256 of its lines (each with its line feed, unpacked), its
    first chunk's index, and the first LEAF bytes of each line's SHA-256, joined, as base64: "" in
    a recording with more than MAX_LEAVES chunks."""

    name: str
    digest: str
    first: int
    chunks: int
    leaves: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The code that wrote it: function, its version, the SHA-256 that Lambda gives of its code."""

    function: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is signed. Times are unix milliseconds; `previous` is the SHA-256 of the manifest of the
    checkpoint before, "" for the first; `ended` is 0 and `final` False while the session lasts.
    `stated` is how much there was, by the node's word at the end: None where it gave none. `state`
    is the SHA-256 of the checkpoint's state, from which the archive goes on."""

    session: str
    stage: str
    target: str
    owner: str
    started: int
    written: int
    code: Code
    checkpoint: int = 0
    ended: int = 0
    final: bool = False
    previous: str = ""
    stated: Stated | None = None
    state: str = ""
    sides: Mapping[Side, Count] = field(default_factory=lambda: {side: Count() for side in Side})
    segments: tuple[Segment, ...] = ()

    @property
    def chunks(self) -> int:
        return sum(segment.chunks for segment in self.segments)

    @property
    def gaps(self) -> int:
        return sum(count.gaps for count in self.sides.values())

    @property
    def end_known(self) -> bool:
        """Whether a missing end would show: the node has said how much there was."""
        return self.final and self.stated is not None

    @property
    def unstored(self) -> int:
        """The node's last messages of which nothing is said here, not even that they are missing:
        the archive waits two minutes for them."""
        said = self.stated.sent if self.stated is not None else 0
        return max(0, said - self.sides[Side.NODE].messages)


# --- writing ------------------------------------------------------------------------------------


def segment_name(number: int) -> str:
    return f"{number:06d}.jsonl.gz"


def segments(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """The chunks in portions, each small enough for a segment."""
    portion: list[Chunk] = []
    size = 0
    for chunk in chunks:
        length = len(dump(chunk)) + 1
        if portion and size + length > MAX_SEGMENT:
            yield portion
            portion, size = [], 0
        portion.append(chunk)
        size += length
    if portion:
        yield portion


def pack_segment(chunks: Sequence[Chunk]) -> bytes:
    """The object's bytes; the same chunks always give the same."""
    return gzip.compress("".join(dump(chunk) + "\n" for chunk in chunks).encode(), 6, mtime=0)


def read_segment(packed: bytes) -> list[bytes]:
    """The lines of an object; MalformedRecording where it is damaged or too large."""
    limit = MAX_SEGMENT + MAX_LINE
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = inflater.decompress(packed, limit)
    except zlib.error:
        raise MalformedRecording("A segment is damaged.") from None
    if not inflater.eof or inflater.unused_data:
        raise MalformedRecording("A segment is cut off, or too long.")
    return data.split(b"\n")[:-1] if data.endswith(b"\n") else data.split(b"\n")


def extended(manifest: Manifest, portion: Sequence[Chunk]) -> Manifest:
    """The manifest with one segment more."""
    lines = [dump(chunk).encode() for chunk in portion]
    sides = dict(manifest.sides)
    for chunk, line in zip(portion, lines, strict=True):
        sides[chunk.side] = counted(sides[chunk.side], chunk, line)
    room = manifest.chunks + len(portion) <= MAX_LEAVES
    leaves = b"".join(leaf(line) for line in lines) if room else b""
    segment = Segment(
        name=segment_name(len(manifest.segments)),
        digest=digest_of(lines),
        first=portion[0].index,
        chunks=len(portion),
        leaves=base64.b64encode(leaves).decode("ascii"),
    )
    return replace(manifest, sides=sides, segments=(*manifest.segments, segment))


def counted(count: Count, chunk: Chunk, line: bytes) -> Count:
    return Count(
        chunks=count.chunks + 1,
        messages=count.messages + (0 if chunk.late else chunk.messages),
        size=count.size + len(chunk.data),
        gaps=count.gaps + (chunk.kind is Kind.GAP),
        mismatches=count.mismatches + chunk.note.startswith(MISMATCH),
        chain=linked(count.chain, line),
    )


def digest_of(lines: Iterable[bytes]) -> str:
    """A segment's digest."""
    return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()


def leaf(line: bytes) -> bytes:
    return hashlib.sha256(line).digest()[:LEAF]


def linked(chain: str, line: bytes) -> str:
    """The chain with one line more."""
    return hashlib.sha256(bytes.fromhex(chain) + hashlib.sha256(line).digest()).hexdigest()


# --- as text ------------------------------------------------------------------------------------


def dump_manifest(manifest: Manifest) -> bytes:
    """The bytes that are stored and signed."""
    m = manifest
    document = {
        "version": VERSION,
        "session": m.session,
        "stage": m.stage,
        "target": m.target,
        "owner": m.owner,
        "started": m.started,
        "ended": m.ended,
        "final": m.final,
        "checkpoint": m.checkpoint,
        "written": m.written,
        "previous": m.previous,
        "code": {"function": m.code.function, "version": m.code.version, "sha256": m.code.digest},
        "end": _stated_json(m),
        "state": m.state,
        "sides": {side.value: _count_json(count) for side, count in m.sides.items()},
        "segments": [[s.name, s.digest, s.first, s.chunks, s.leaves] for s in m.segments],
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _stated_json(manifest: Manifest) -> object:
    """What the node said; where it said nothing, that."""
    stated = manifest.stated
    if stated is None:
        return UNKNOWN if manifest.final else OPEN
    return {"sent": stated.sent, "taken": stated.taken, "client": stated.client}


def _load_stated(members: object) -> Stated | None:
    """None for a manifest from before ends were stated, too."""
    if members in (None, OPEN, UNKNOWN):
        return None
    if not isinstance(members, dict):
        raise TypeError
    return Stated(
        sent=_whole(members["sent"]),
        taken=_whole(members["taken"]),
        client=_text(members["client"]),
    )


def _count_json(count: Count) -> dict[str, object]:
    return {
        "chunks": count.chunks,
        "messages": count.messages,
        "bytes": count.size,
        "gaps": count.gaps,
        "mismatches": count.mismatches,
        "chain": count.chain,
    }


def load_manifest(data: bytes) -> Manifest:
    """MalformedRecording for anything that `dump_manifest` cannot have made."""
    if len(data) > MAX_MANIFEST:
        raise MalformedRecording("A manifest is too long.")
    try:
        document = json.loads(data)
        if document["version"] != VERSION:
            raise MalformedRecording("A manifest is of another version.")
        code = document["code"]
        return Manifest(
            session=_text(document["session"]),
            stage=_text(document["stage"]),
            target=_text(document["target"]),
            owner=_text(document["owner"]),
            started=_whole(document["started"]),
            ended=_whole(document["ended"]),
            final=document["final"] is True,
            checkpoint=_whole(document["checkpoint"]),
            written=_whole(document["written"]),
            previous=_text(document["previous"]),
            code=Code(
                function=_text(code["function"]),
                version=_text(code["version"]),
                digest=_text(code["sha256"]),
            ),
            stated=_load_stated(document.get("end")),
            state=_text(document.get("state", "")),
            sides={side: _load_count(document["sides"][side.value]) for side in Side},
            segments=tuple(_load_segment(row) for row in document["segments"]),
        )
    except (KeyError, TypeError, ValueError, RecursionError, MalformedMessage):
        raise MalformedRecording("A manifest is damaged.") from None


def _load_count(members: Mapping[str, object]) -> Count:
    return Count(
        chunks=_whole(members["chunks"]),
        messages=_whole(members["messages"]),
        size=_whole(members["bytes"]),
        gaps=_whole(members["gaps"]),
        mismatches=_whole(members["mismatches"]),
        chain=_hex(members["chain"]),
    )


def _load_segment(row: Sequence[object]) -> Segment:
    name, digest, first, chunks, leaves = row
    segment = Segment(
        name=_text(name),
        digest=_hex(digest),
        first=_whole(first),
        chunks=_whole(chunks),
        leaves=leaves if isinstance(leaves, str) else "",
    )
    size = len(base64.b64decode(segment.leaves, validate=True))
    if size not in (0, LEAF * segment.chunks):
        raise ValueError
    return segment


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise TypeError
    return value


def _hex(value: object) -> str:
    text = _text(value)
    if len(bytes.fromhex(text)) != 32:
        raise ValueError
    return text


def _whole(value: object) -> int:
    return handshake.whole(value, 0, 1 << 63)
