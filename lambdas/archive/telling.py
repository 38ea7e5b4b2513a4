"""What is told of recordings: events for whoever listens, metrics that alarms look at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hatchway.core.transcript.chunks import Chunk
from lambdas.details.recordings import (
    StoredRecording,
    recording_failed,
    recording_mismatch,
    recording_stored,
)
from lambdas.details.told import Told
from lambdas.ledger import Kept, prefix_of
from lambdas.logline import Line
from lambdas.ports import Clock, EventBus, Session
from lambdas.telemetry import Count

#: What is told where the node says that more passed than was stored.
INCOMPLETE = "RecordingIncomplete"
#: Metrics of the namespace Hatchway; infra/alarms.py has an alarm for each.
FAILED, MISMATCHES = "RecordingFailed", "RecordingMismatch"
_NUMBER = re.compile(r"message (?P<number>[0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Telling:
    """Tells; `bucket` is the archive's."""

    bus: EventBus
    count: Count
    clock: Clock
    stage: str
    bucket: str

    def stored(self, session: Session, kept: Kept, line: Line) -> None:
        if kept.signed is None:
            return
        manifest = kept.signed.manifest
        prefix = prefix_of(session.session_id, session.started)
        sides = manifest.sides.values()
        stored = StoredRecording(
            manifest=f"s3://{self.bucket}/{prefix}manifest.json",
            chunks=manifest.chunks,
            size=sum(side.size for side in sides),
            gaps=manifest.gaps,
            mismatches=sum(side.mismatches for side in sides),
            complete=manifest.end_known and not manifest.unstored,
            signed=True,
        )
        self._put(recording_stored(self.stage, session, stored, self.clock()))
        line.count("stored")

    def mismatch(self, session: Session, chunk: Chunk, line: Line) -> None:
        found = _NUMBER.search(chunk.note)
        number = int(found["number"]) if found else 0
        self._put(
            recording_mismatch(
                self.stage,
                session,
                chunk.side.value,
                number,
                self.clock(),
                generation=chunk.generation,
            )
        )
        self.count(MISMATCHES, 1)
        line.warning()

    def failed(self, session: Session, destination: str, code: str, line: Line) -> None:
        self._put(recording_failed(self.stage, session, destination, code, self.clock()))
        self.count(FAILED, 1)
        line.count("failed")

    def _put(self, told: Told) -> None:
        self.bus.put(told.detail_type, told.detail, told.time)
