"""Reading on in what passed: from the log's events to chunks, as far as nothing waits.

Deterministic but for how far it gets: an event that was read is known when it is read again, and
gives nothing. The archive keeps what this gives; a live view shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hatchway.core import documents, recording
from hatchway.core.errors import MalformedRecording
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.known import Mark, mark
from hatchway.core.transcript.recorder import Recorder, Redaction
from hatchway.core.transcript.stated import Stated
from lambdas.ledger import Progress
from lambdas.ports import PassedLog, Session

#: Milliseconds that are read again: CloudWatch Logs may show an event that much later than others.
OVERLAP = 60_000
#: Bytes of events that are read at once, of which the chunks are kept in memory.
MAX_READ = 24 * 1024 * 1024
#: Pages of one run: some may be empty. What stands behind them is for the next.
MAX_PAGES = 200
#: Milliseconds for which something may wait before all is let go as it is.
PATIENCE = 300_000
#: What the record says of an event that the relay did not write so, or that cannot be opened.
UNREADABLE = "an event of what passed cannot be read"


@dataclass(frozen=True, slots=True)
class ReadOn:
    """The chunks that are new, and how far this came. `more` says that there are events left,
    `counts` what was found on the way (mismatches, repeats, gaps, malformed events …)."""

    chunks: tuple[Chunk, ...]
    progress: Progress
    more: bool
    counts: Counter[str]

    @property
    def mismatches(self) -> tuple[Chunk, ...]:
        """The markers of messages that came again with another content."""
        return tuple(
            c for c in self.chunks if c.kind is Kind.MARKER and c.note.startswith("mismatch")
        )


def redaction_of(session: Session) -> Redaction:
    """What the session's document wants withheld; InvalidDocument for one that cannot be read."""
    asked = documents.read(session.document).inputs.hatchway
    return Redaction(
        typed=asked.record_input,
        record_hidden=asked.record_hidden_input,
        patterns=tuple(asked.mask_patterns),
    )


def read_on(
    log: PassedLog,
    session_id: str,
    redaction: Redaction,
    progress: Progress,
    *,
    until: int,
    final: bool = False,
    live: bool = False,
    stated: Stated | None = None,
) -> ReadOn:
    """What passed before `until` (unix milliseconds) and is new since `progress`.

    `final`: no event comes any more, so that nothing waits for one; what the node `stated` tells
    then what is missing at the end. `live`: for a look at what is there, of which the progress is
    not kept: nothing waits either.
    """
    recorder = Recorder(redaction, progress.state)
    reader = _Reader(log, session_id, until, progress)
    told: list[Chunk] = []
    ready, read, state, since = 0, 0, progress.state, progress.since
    for at, text in reader.events():
        told += _taken(recorder, at, text, reader.counts)
        if recorder.clean:
            ready, read, state = len(told), len(reader.marks), recorder.state
            since = max(at, since)
    # What a whole portion waits for would be waited for again in the next.
    waits = reader.last - (since or reader.first) > PATIENCE or (reader.more and not read)
    if (final and not reader.more) or live or waits:
        told += recorder.finish(stated if final else None, max(reader.last, since))
        ready, read, state = len(told), len(reader.marks), recorder.state
        since = max(reader.last, since)
    known = progress.known.after(reader.marks[:read], since, OVERLAP) if read else progress.known
    reached = Progress(state, since, known)
    return ReadOn(tuple(told[:ready]), reached, reader.more, reader.counts + recorder.counts)


def _taken(recorder: Recorder, at: int, text: str, counts: Counter[str]) -> list[Chunk]:
    try:
        passed = recording.load(text)
    except MalformedRecording:
        counts["malformed"] += 1
        return recorder.mark(Side.NODE, 0, at, UNREADABLE)
    chunks = recorder.take(passed.side, passed.generation, at, passed.frames)
    if passed.note:
        chunks += recorder.mark(passed.side, passed.generation, at, passed.note, passed.mark)
    return chunks


class _Reader:
    """Pages of the log, within the bounds of one run; `marks` are of the events it gave."""

    def __init__(self, log: PassedLog, session_id: str, until: int, progress: Progress) -> None:
        self._log, self._session, self._until = log, session_id, until
        self._since = max(0, progress.since - OVERLAP, progress.known.floor)
        self._known = {each.fingerprint for each in progress.known.marks}
        self.first = self.last = 0
        self.more = False
        self.marks: list[Mark] = []
        self.counts: Counter[str] = Counter()

    def events(self) -> Iterator[tuple[int, str]]:
        """Those that are new, by time as far as the log has them."""
        token, size, pages = "", 0, 0
        while pages < MAX_PAGES:
            page = self._log.read(self._session, self._since, token)
            before = len(self.marks)
            for at, text in page.events:
                if at >= self._until:
                    return
                found = mark(at, text)
                if found.fingerprint in self._known:
                    continue
                self.more = size >= MAX_READ
                if self.more:
                    return
                size += len(text)
                self.first, self.last = self.first or at, max(self.last, at)
                self._known.add(found.fingerprint)
                self.marks.append(found)
                yield at, text
            # What was read already is bounded by itself.
            pages += len(self.marks) > before or not page.events
            token = page.next_token
            if not token:
                return
        self.more = True
