"""What the archive has of a session, on to where its document wants it: as it grows, or whole.

Every destination is fed from the archive's own segments, so that one that fails keeps nothing else
back, and goes on later from where it was. `destinations.json` in the recording says where that is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hatchway.core.documents import Inputs, read
from hatchway.core.errors import HatchwayError, MalformedRecording
from hatchway.core.transcript.chunks import Chunk, load
from hatchway.core.transcript.evidence import Manifest, read_segment
from hatchway.core.transcript.text import Line as TextLine
from hatchway.core.transcript.text import LineResolver
from lambdas.archive.streaming import Streamed, events_of
from lambdas.destinations import Allowed, log_key
from lambdas.ledger import prefix_of
from lambdas.ports import (
    EVENT_OVERHEAD,
    MAX_BATCH,
    MAX_EVENTS,
    MAX_LOG_EVENT,
    Archive,
    Buckets,
    LogGroups,
    Session,
)

PLACE = "destinations.json"
S3, CLOUDWATCH = "s3", "cloudwatch"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the destinations are: chunks and lines that CloudWatch Logs has, and the chunks that
    were in the text when it was stored (-1: it was not)."""

    streamed: int = 0
    lines: int = 0
    text: int = -1


@dataclass(frozen=True, slots=True)
class Failure:
    """A destination that did not take the log, and why."""

    destination: str
    error: HatchwayError


@dataclass(frozen=True, slots=True)
class Following:
    """Feeds the destinations of sessions."""

    archive: Archive
    groups: LogGroups
    buckets: Buckets
    allowed: Allowed
    region: str

    def follow(self, session: Session, manifest: Manifest) -> Sequence[Failure]:
        """Brings every destination up to `manifest`; those that wait for the end, when it is
        final. Gives the failures: what failed is tried again by the next call."""
        inputs = read(session.document).inputs
        bucket, group = inputs.s3_bucket_name, inputs.cloud_watch_log_group_name
        streams = bool(group) and inputs.cloud_watch_streaming_enabled
        if not (bucket or group) or not (streams or manifest.final):
            return ()
        prefix = prefix_of(session.session_id, session.started)
        place, failures = self._place(prefix), list[Failure]()
        if group:
            place = self._logged(session, inputs, manifest, place, failures)
        if bucket and manifest.final and place.text != manifest.chunks:
            place = self._stored(session, inputs, manifest, place, failures)
        return failures

    # --- CloudWatch Logs ------------------------------------------------------------------------

    def _logged(
        self,
        session: Session,
        inputs: Inputs,
        manifest: Manifest,
        place: Place,
        failures: list[Failure],
    ) -> Place:
        try:
            self.allowed.check(inputs)
            if inputs.cloud_watch_streaming_enabled:
                return self._stream(session, inputs, manifest, place)
            return self._whole(session, inputs, manifest, place) if manifest.final else place
        except HatchwayError as error:
            failures.append(Failure(CLOUDWATCH, error))
            return self._place(prefix_of(session.session_id, session.started))

    def _stream(self, session: Session, inputs: Inputs, manifest: Manifest, place: Place) -> Place:
        """One event for each chunk, in the original's form."""
        chunks = self.chunks(session, manifest, place.streamed)
        for batch in batches(events_of(session, chunks, self.region)):
            self._append(session, inputs, [(event.at, event.text) for event in batch])
            place = self._kept(session, replace(place, streamed=batch[-1].index + 1))
        return place

    def _whole(self, session: Session, inputs: Inputs, manifest: Manifest, place: Place) -> Place:
        """One event for each line of the text."""
        latest, made = 0, list[Streamed]()
        for line in self.lines(session, manifest):
            latest = max(latest, line.at)
            if line.number > place.lines:
                made.append(Streamed(line.number, latest, line.text or " "))
            if len(made) >= MAX_EVENTS:
                place = self._written(session, inputs, made, place)
                made.clear()
        return self._written(session, inputs, made, place)

    def _written(
        self, session: Session, inputs: Inputs, made: Sequence[Streamed], place: Place
    ) -> Place:
        for batch in batches(made):
            self._append(session, inputs, [(event.at, event.text) for event in batch])
            place = self._kept(session, replace(place, lines=batch[-1].index))
        return place

    def _append(self, session: Session, inputs: Inputs, events: Sequence[tuple[int, str]]) -> None:
        self.groups.append(inputs.cloud_watch_log_group_name, session.session_id, events)

    # --- S3 -------------------------------------------------------------------------------------

    def _stored(
        self,
        session: Session,
        inputs: Inputs,
        manifest: Manifest,
        place: Place,
        failures: list[Failure],
    ) -> Place:
        try:
            self.allowed.check(inputs)
            lines = (f"{line.text}\n".encode() for line in self.lines(session, manifest))
            key = log_key(inputs, session.session_id)
            self.buckets.put(inputs.s3_bucket_name, key, lines)
            return self._kept(session, replace(place, text=manifest.chunks))
        except HatchwayError as error:
            failures.append(Failure(S3, error))
            return place

    # --- the archive ----------------------------------------------------------------------------

    def lines(self, session: Session, manifest: Manifest) -> Iterator[TextLine]:
        """The text, line by line."""
        resolver = LineResolver()
        for chunk in self.chunks(session, manifest, 0):
            yield from resolver.take(chunk)
        yield from resolver.finish()

    def chunks(self, session: Session, manifest: Manifest, first: int) -> Iterator[Chunk]:
        """The recording's chunks from index `first` on; one segment in memory at a time."""
        prefix = prefix_of(session.session_id, session.started)
        for segment in manifest.segments:
            if segment.first + segment.chunks <= first:
                continue
            packed = self.archive.get(prefix + segment.name)
            if packed is None:
                raise MalformedRecording("A segment of the recording is missing.")
            for line in read_segment(packed):
                chunk = load(line)
                if chunk.index >= first:
                    yield chunk

    def _place(self, prefix: str) -> Place:
        data = self.archive.get(prefix + PLACE)
        if data is None:
            return Place()
        try:
            return Place(**json.loads(data))
        except (ValueError, TypeError):
            raise MalformedRecording("A recording's place at its destinations is lost.") from None

    def _kept(self, session: Session, place: Place) -> Place:
        members = {"streamed": place.streamed, "lines": place.lines, "text": place.text}
        prefix = prefix_of(session.session_id, session.started)
        self.archive.put(prefix + PLACE, json.dumps(members).encode())
        return place


def batches(events: Iterable[Streamed]) -> Iterator[list[Streamed]]:
    """Events in portions that CloudWatch Logs takes at once; one that is too long is cut."""
    held, size = list[Streamed](), 0
    for event in events:
        cut = replace(event, text=_cut(event.text))
        length = len(cut.text.encode()) + EVENT_OVERHEAD
        if held and (size + length > MAX_BATCH or len(held) >= MAX_EVENTS):
            yield held
            held, size = [], 0
        held.append(cut)
        size += length
    if held:
        yield held


def _cut(text: str) -> str:
    most = MAX_LOG_EVENT - EVENT_OVERHEAD
    if len(text) * 4 <= most:
        return text
    return text.encode()[:most].decode(errors="ignore")
