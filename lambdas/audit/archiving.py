"""From the queue to objects that Athena reads: gzip, `{"Records": […]}`, a folder for each hour.

The same records make the same key and the same bytes: a batch that comes again writes over itself.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lambdas.logline import Line
from lambdas.ports import Kept, TrailObjects

PREFIX = "audit"
#: Messages in a batch; the event source mapping's own limit.
MAX_MESSAGES = 10_000

#: Reads a message's body; ValueError for one that is not ours.
Read = Callable[[str], Sequence[Kept]]


@dataclass(frozen=True, slots=True)
class Archiving:
    """Writes batches of the queue."""

    objects: TrailObjects
    read: Read
    stage: str

    def archive(self, records: Sequence[object], line: Line) -> None:
        """One object for each hour; raises what S3 refuses, so that the batch comes again."""
        hours: dict[str, dict[str, Kept]] = defaultdict(dict)
        for each in records[:MAX_MESSAGES]:
            for kept in self._read(each, line):
                hours[folder(kept.time)][_identity(kept)] = kept
        for hour, found in hours.items():
            ordered = sorted(found.values(), key=lambda kept: (kept.time, kept.text))
            self.objects.write(key(hour, self.stage, ordered), content(ordered))
        line.note(objects=len(hours), archived=sum(map(len, hours.values())))

    def _read(self, message: object, line: Line) -> Sequence[Kept]:
        """A message that cannot be read would come again for ever: it is reported instead."""
        body = message.get("body") if isinstance(message, Mapping) else None
        try:
            return self.read(str(body))
        except (ValueError, RecursionError) as error:
            line.count("unreadable")
            line.failed(error)
            return ()


def folder(time: int) -> str:
    """Where the records of an hour are; `time` in unix milliseconds."""
    return f"{PREFIX}/{datetime.fromtimestamp(time / 1000, UTC):%Y/%m/%d/%H}"


def key(hour: str, stage: str, records: Sequence[Kept]) -> str:
    digest = hashlib.sha256("\n".join(each.text for each in records).encode()).hexdigest()
    first = datetime.fromtimestamp(records[0].time / 1000, UTC)
    return f"{hour}/{stage}-{first:%Y%m%dT%H%M%SZ}-{digest[:16]}.json.gz"


def content(records: Sequence[Kept]) -> bytes:
    """One object's bytes: the same for the same records."""
    text = '{"Records":[' + ",".join(each.text for each in records) + "]}"
    return gzip.compress(text.encode(), mtime=0)


def _identity(kept: Kept) -> str:
    """A record's `eventID`: one that came twice is written once."""
    return str(json.loads(kept.text).get("eventID"))
