"""One look at one session's recording: what is new is kept, and told where it is to be told.

Whoever looks holds the session's lease. Looking again changes nothing but what is new since, so
that messages may come twice, late, or after a run that died.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hatchway.core import documents
from hatchway.core.errors import HatchwayError, MalformedRecording
from hatchway.core.lifecycle import ENDED
from hatchway.core.recording import Mode
from hatchway.core.transcript import ordering
from hatchway.core.transcript.chunks import Chunk
from hatchway.core.transcript.ordering import UNSTORED
from lambdas.archive.following import Failure, Following
from lambdas.archive.telling import INCOMPLETE, Telling
from lambdas.endings import End
from lambdas.ledger import Kept, Ledger
from lambdas.logline import Line
from lambdas.passing import ReadOn, read_on, redaction_of
from lambdas.ports import (
    LATE,
    Clients,
    Clock,
    Downlink,
    Leases,
    Look,
    Looks,
    NodeStore,
    PassedLog,
    Random,
    Session,
    SessionStore,
    Why,
)
from lambdas.terminating import begin_end, conclude
from lambdas.terms import terms_of

#: Seconds after an end at which it is looked at.
SETTLE = 5
#: Seconds that a run may take, and more than the function has: what died lets go after them.
LEASE = 330.0
#: Seconds that something new waits for a checkpoint, and bytes of it that do not wait.
CHECKPOINT, LARGE = 120.0, 1_000_000
#: What a line of the log says was found, where any was.
ODD = ("malformed", "missing", ordering.LATE, ordering.AGAIN)
#: Seconds within which the same is not told again by looks that find it anew.
HOUR = 3600.0
#: Portions of one run; the rest is the next one's.
PORTIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Looks at sessions' recordings."""

    sessions: SessionStore
    nodes: NodeStore
    clients: Clients
    downlink: Downlink
    log: PassedLog
    ledger: Ledger
    following: Following
    telling: Telling
    looks: Looks
    leases: Leases
    clock: Clock
    random: Random
    floor: Mode

    def look(self, look: Look, line: Line) -> bool:
        """Does what is to be done now; False where a destination did not take its part, which is
        to be tried again. Busy where another run is at it."""
        session = self.sessions.get(look.session_id)
        if session is None:  # forgotten already
            line.count("unknown")
            return True
        if self.clock() - session.ended < SETTLE:  # what was on its way is stored by then
            self.looks.ask([look], SETTLE)
            return True
        if look.why is Why.FAILED:
            self._end(session, End.UNRECORDED, line)
            self.telling.failed(session, "recordings", "RecordingUnavailable", line)
        if terms_of(session, self.floor).mode is Mode.OFF:
            return True
        with self.leases.hold(session.session_id, LEASE):
            return self._look(session, look, line)

    def _look(self, session: Session, look: Look, line: Line) -> bool:
        try:
            before = self.ledger.kept(session)
        except MalformedRecording as error:
            return self._tampered(session, look, error, line)
        kept = self._kept(session, before, look, line)
        if kept.signed is None:
            return True
        if kept.final and not before.final:
            self._settled(session, kept, line)
        elif kept.final and look.why is Why.ENDED:  # the run that kept the end may have died
            self._settled_again(session, kept, line)
        try:
            failures = self.following.follow(session, kept.signed.manifest)
        except MalformedRecording as error:  # what it has of where the destinations are
            return self._tampered(session, look, error, line)
        self._failed(session, failures, line)
        return not failures

    def _settled(self, session: Session, kept: Kept, line: Line) -> None:
        """All of it is in the archive. The last look is asked for first, and before destinations
        are fed: nothing else finds what the node stated and is not stored."""
        self.looks.ask([Look(session_id=session.session_id, why=Why.LATE)], LATE)
        self.telling.stored(session, kept, line)

    def _settled_again(self, session: Session, kept: Kept, line: Line) -> None:
        """Once more at most, however often a destination has the end come again."""
        with self.leases.once(f"{session.session_id}/settled", HOUR) as first:
            if first:
                self._settled(session, kept, line)

    def _kept(self, session: Session, kept: Kept, look: Look, line: Line) -> Kept:
        """What the archive has when this run has kept what is new, in portions."""
        for _ in range(PORTIONS):
            found = self._read(session, kept, look)
            if found.mismatches:
                self._contradicted(session, found.mismatches, line)
            if not self._due(session, kept, found):
                return kept
            final = session.status in ENDED and not found.more
            # Told first: once the gap is kept nothing is missing any more. The same event again,
            # where the run dies in between, has the same id.
            self._incomplete(session, found, line)
            kept = self.ledger.keep(session, kept, found.chunks, found.progress, final=final)
            line.count("checkpoints")
            line.count("chunks", len(found.chunks))
            self._noted(found, line)
            if not found.more:
                return kept
        self.looks.ask([look])
        return kept

    def _read(self, session: Session, kept: Kept, look: Look) -> ReadOn:
        return read_on(
            self.log,
            session.session_id,
            redaction_of(session),
            kept.progress,
            until=int(self.clock() * 1000) + 1,
            final=session.status in ENDED,
            stated=session.stated if look.why is Why.LATE else None,
        )

    def _due(self, session: Session, kept: Kept, found: ReadOn) -> bool:
        """Whether a checkpoint is worth its price now."""
        if session.status in ENDED and (not kept.final or _said_later(session, kept)):
            return True
        if not found.chunks:
            return False
        if session.status in ENDED or found.more or found.mismatches or _streams(session):
            return True
        waited = self.clock() - found.chunks[0].at / 1000
        return waited >= CHECKPOINT or sum(len(c.data) for c in found.chunks) >= LARGE

    # --- what it leads to -----------------------------------------------------------------------

    def _contradicted(self, session: Session, mismatches: Sequence[Chunk], line: Line) -> None:
        line.count("mismatches", len(mismatches))
        self._end(session, End.CONTRADICTED, line)
        for chunk in mismatches:
            self.telling.mismatch(session, chunk, line)

    def _noted(self, found: ReadOn, line: Line) -> None:
        """What is odd in what passed; repeats are not."""
        for name in ODD:
            if found.counts[name]:
                line.count(name, found.counts[name])

    def _incomplete(self, session: Session, found: ReadOn, line: Line) -> None:
        """The node says that more passed than was stored. A cap on what is recorded is no
        failure."""
        missing = found.counts[UNSTORED]
        if missing:
            line.warning()
            line.count(UNSTORED, missing)
            if not terms_of(session, self.floor).cap:
                self.telling.failed(session, "recordings", INCOMPLETE, line)

    def _failed(self, session: Session, failures: Sequence[Failure], line: Line) -> None:
        for failure in failures:
            line.warning()
            line.note(code=failure.error.code, detail=failure.error.message)
            self.telling.failed(session, failure.destination, failure.error.code, line)
        if failures:
            self._unrecorded(session, line)

    def _tampered(
        self, session: Session, look: Look, error: MalformedRecording, line: Line
    ) -> bool:
        """Somebody else has put there what the archive has: nothing is added, and it is told once
        an hour, however many looks find it. Of a session that runs the next minute looks anew; the
        look at an end comes again, and is put aside in the end."""
        line.warning()
        line.note(code=error.code, detail=error.message)
        with self.leases.once(f"{session.session_id}/archive", HOUR) as first:
            if first:
                self.telling.failed(session, "archive", error.code, line)
        self._unrecorded(session, line)
        if look.why is Why.RUNS:
            return True
        raise error

    def _unrecorded(self, session: Session, line: Line) -> None:
        if terms_of(session, self.floor).mode is Mode.REQUIRED:
            self._end(session, End.UNRECORDED, line)

    def _end(self, session: Session, reason: End, line: Line) -> None:
        """Through the code that ends every session; over already is over."""
        if session.status in ENDED:
            return
        try:
            conclude(self, begin_end(self, session, reason))
            line.count("ended")
        except HatchwayError as error:  # the next look tries again: what it found is not kept yet
            line.warning()
            line.note(ending=error.code)
            raise


def _said_later(session: Session, kept: Kept) -> bool:
    """The node has said how much there was since the manifest was written."""
    return kept.signed is not None and kept.signed.manifest.stated != session.stated


def _streams(session: Session) -> bool:
    inputs = documents.read(session.document).inputs
    return bool(inputs.cloud_watch_log_group_name) and inputs.cloud_watch_streaming_enabled
