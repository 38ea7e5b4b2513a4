"""Reading on in what passed: from the log's events to chunks, as far as nothing waits.

Deterministic but for how far it gets: what is read again gives the same chunks, and what was told
already is told by its numbers. The archive keeps what this gives; a live view shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from hatchway.core import documents, recording
from hatchway.core.errors import MalformedRecording
from hatchway.core.transcript.chunks import Chunk, Kind
from hatchway.core.transcript.recorder import Recorder, Redaction
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
) -> ReadOn:
    """What passed before `until` (unix milliseconds) and is new since `progress`.

    `final`: no event comes any more, so that nothing waits for one. `live`: for a look at what is
    there, of which the progress is not kept: nothing waits either.
    """
    recorder = Recorder(redaction, progress.state)
    reader = _Reader(log, session_id, until, progress.since)
    told: list[Chunk] = []
    ready, reached = 0, progress
    for at, text in reader.events():
        told += _taken(recorder, at, text, reader.counts)
        if recorder.clean:
            ready, reached = len(told), Progress(recorder.state, max(at, progress.since))
    waits = reader.last - (reached.since or reader.first) > PATIENCE
    if (final and not reader.more) or live or waits:
        told += recorder.finish()
        ready, reached = len(told), Progress(recorder.state, max(reader.last, reached.since))
    return ReadOn(tuple(told[:ready]), reached, reader.more, reader.counts + recorder.counts)


def _taken(recorder: Recorder, at: int, text: str, counts: Counter[str]) -> list[Chunk]:
    try:
        passed = recording.load(text)
    except MalformedRecording:
        counts["malformed"] += 1
        return []
    chunks = recorder.take(passed.side, passed.generation, at, passed.frames)
    if passed.note:
        chunks += recorder.mark(passed.side, passed.generation, at, passed.note, passed.mark)
    return chunks


class _Reader:
    """Pages of the log, within the bounds of one run."""

    def __init__(self, log: PassedLog, session_id: str, until: int, since: int) -> None:
        self._log, self._session, self._until, self._since = log, session_id, until, since
        self.first = self.last = 0
        self.more = False
        self.counts: Counter[str] = Counter()

    def events(self) -> Iterator[tuple[int, str]]:
        token, size, first = "", 0, max(0, self._since - OVERLAP)
        for _ in range(MAX_PAGES):
            page = self._log.read(self._session, first, token)
            for at, text in page.events:
                self.more = size >= MAX_READ and at < self._until
                if self.more or at >= self._until:
                    return
                size += len(text) if at > self._since else 0  # what is read again comes on top
                self.first, self.last = self.first or at, max(self.last, at)
                yield at, text
            token = page.next_token
            if not token:
                return
        self.more = True
