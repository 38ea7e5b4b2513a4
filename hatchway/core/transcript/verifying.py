"""Checking a recording against its signed manifest: what was changed, removed, moved or added.

Findings come in the recording's order: the first one is where it stops being what was stored.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hatchway.core.errors import MalformedRecording
from hatchway.core.transcript.chunks import UNNUMBERED, Chunk, Side, load
from hatchway.core.transcript.evidence import (
    LEAF,
    Count,
    Manifest,
    Segment,
    counted,
    digest_of,
    leaf,
)

#: Findings of one recording; a segment that is damaged throughout needs no thousand of them.
MAX_FINDINGS = 100


class Fault(StrEnum):
    """What is not as it was stored."""

    NO_MANIFEST = "no manifest"
    SIGNATURE = "signature"
    MANIFEST = "manifest"
    SEGMENT_MISSING = "segment missing"
    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    ADDED = "added"
    COUNTS = "counts"
    NOT_FINAL = "not final"
    UNKNOWN_SESSION = "unknown session"
    UNKNOWN_START = "start without session"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault; `chunk` is the index of the first chunk that it is about, -1 for none."""

    fault: Fault
    text: str
    chunk: int = -1


@dataclass(slots=True)
class Verification:
    """Checks segments one after another; `findings` grows, and `finish` adds what is missing."""

    manifest: Manifest
    findings: list[Finding] = field(default_factory=list)
    _next: int = 0
    _index: int = 0
    _expected: dict[Side, int] = field(default_factory=dict)
    _counts: dict[Side, Count] = field(default_factory=lambda: {side: Count() for side in Side})

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What to give to `check`, in this order."""
        return self.manifest.segments

    def check(self, lines: Sequence[bytes] | None) -> None:
        """The next segment's lines as they are stored now; None: there is no such object, or one
        that cannot be read."""
        segment = self.segments[self._next]
        self._next += 1
        if segment.first != self._index:
            self._find(Fault.MANIFEST, f"{segment.name} does not follow the one before it", -1)
        self._index = segment.first + segment.chunks
        if lines is None:
            last = segment.first + segment.chunks - 1
            text = f"{segment.name} is missing or unreadable: chunks {segment.first} to {last}"
            self._find(Fault.SEGMENT_MISSING, text, segment.first)
            return
        if not self._compare(segment, lines) or self.findings:
            return
        for line in lines:
            self._count(line)

    def finish(self) -> list[Finding]:
        """All findings. Call it when every segment has been checked."""
        whole = self._next == len(self.segments) and not self.findings
        for side in Side:
            if whole and self._counts[side] != self.manifest.sides[side]:
                text = f"the {side.value}'s chain or numbers are not what the manifest states"
                self._find(Fault.COUNTS, text, -1)
        return self.findings

    def _find(self, fault: Fault, text: str, chunk: int) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(fault, text, chunk))

    def _compare(self, segment: Segment, lines: Sequence[bytes]) -> bool:
        """Names the first line that differs, or the segment; False where one does."""
        if digest_of(lines) == segment.digest:
            return True
        if not segment.leaves:
            text = f"{segment.name} was changed, somewhere in its {segment.chunks} chunks"
            self._find(Fault.CHANGED, text, segment.first)
            return False
        stored, found = _split(base64.b64decode(segment.leaves)), [leaf(line) for line in lines]
        same = 0
        while same < min(len(found), len(stored)) and found[same] == stored[same]:
            same += 1
        fault, text = _difference(stored[same:], found[same:])
        self._find(fault, f"chunk {segment.first + same} {text}", segment.first + same)
        return False

    def _count(self, line: bytes) -> None:
        try:
            chunk = load(line)
        except MalformedRecording:
            self._find(Fault.MANIFEST, "a chunk was stored that cannot be read", -1)
            return
        self._counts[chunk.side] = counted(self._counts[chunk.side], chunk, line)
        self._follow(chunk)

    def _follow(self, chunk: Chunk) -> None:
        """A side's numbers are contiguous, but for what is marked as late and another client's."""
        if chunk.sequence == UNNUMBERED or chunk.late:
            return
        expected = self._expected.get(chunk.side, 0)
        anew = chunk.side is Side.CLIENT and chunk.sequence == 0
        if chunk.sequence != expected and not anew:
            text = f"chunk {chunk.index} is number {chunk.sequence}, not {expected}"
            self._find(Fault.COUNTS, text, chunk.index)
        self._expected[chunk.side] = chunk.sequence + chunk.messages


def _split(leaves: bytes) -> list[bytes]:
    return [leaves[at : at + LEAF] for at in range(0, len(leaves), LEAF)]


def _difference(stored: Sequence[bytes], found: Sequence[bytes]) -> tuple[Fault, str]:
    """How what is found first differs from what was stored."""
    if not found and not stored:
        return Fault.CHANGED, "follows what was changed so that its hash begins alike"
    if not found:
        return Fault.REMOVED, f"and {len(stored) - 1} after it were removed"
    if not stored:
        return Fault.ADDED, "is none of the archive's: something was added"
    if stored[0] not in found and found[0] not in stored:
        return Fault.CHANGED, "was changed"
    if stored[0] not in found:
        return Fault.REMOVED, "was removed"
    if found[0] not in stored:
        return Fault.ADDED, "is none of the archive's: something was added before it"
    return Fault.REORDERED, "is not in its place: chunks were reordered"


def follows(manifest: Manifest, previous: Manifest, previous_bytes: bytes) -> list[Finding]:
    """What speaks against `manifest` being the checkpoint after `previous`."""
    kept = manifest.segments[: len(previous.segments)] == previous.segments
    named = manifest.previous == hashlib.sha256(previous_bytes).hexdigest()
    if kept and named:
        return []
    text = f"checkpoint {manifest.checkpoint} does not continue {previous.checkpoint}"
    return [Finding(Fault.MANIFEST, text)]


# --- all of them --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A session as something else knows it: the table, or the audit trail. Times are unix seconds;
    `ended` is 0 while it lasts."""

    session: str
    started: float
    ended: float = 0.0


#: Seconds after a session's end in which the archive writes its last manifest.
FINAL_WITHIN = 900.0
#: Seconds after a session's start in which the archive writes its first manifest.
FIRST_WITHIN = 900.0


def missing(known: Known, manifest: Manifest | None, now: float) -> list[Finding]:
    """What a session's own state says is missing from its recording: all of it, or its tail."""
    over = known.ended and now - known.ended > FINAL_WITHIN
    if manifest is None:
        late = now - known.started > FIRST_WITHIN
        text = "there is no manifest, though the session exists"
        return [Finding(Fault.NO_MANIFEST, text)] if late or over else []
    if over and not manifest.final:
        text = f"the last checkpoint is {manifest.checkpoint}, and the tail is missing"
        return [Finding(Fault.NOT_FINAL, text, manifest.chunks)]
    return []


def started(told: Iterable[str], known: Iterable[str]) -> list[Finding]:
    """Sessions whose start the audit trail tells of, and of which there is nothing else."""
    lost = sorted(set(told) - set(known))
    return [
        Finding(Fault.UNKNOWN_START, f"{session} was started, and neither table nor archive has it")
        for session in lost
    ]


def unknown(recorded: Iterable[str], known: Iterable[str]) -> list[Finding]:
    """Recordings of sessions that nothing else knows of."""
    strangers = sorted(set(recorded) - set(known))
    return [
        Finding(Fault.UNKNOWN_SESSION, f"{session} has a recording, and is not known")
        for session in strangers
    ]
