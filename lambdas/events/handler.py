"""Records of the table's stream in, events out; what could not be put is asked for again.

Source: Lambda developer guide, "Reporting batch item failures" for DynamoDB streams: everything
from the first failure on is delivered again, so that it stops there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hatchway.core.errors import HatchwayError
from lambdas.details import Told, node_change, session_changes
from lambdas.logline import Line
from lambdas.ports import EventBus, Node, Session

#: Records in a batch; the event source mapping's own limit for streams.
MAX_RECORDS = 10_000

Image = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Images:
    """How the table's items read; its adapter knows."""

    kind_of: Callable[[Image], str]
    session_of: Callable[[Image], Session]
    node_of: Callable[[Image], Node]


@dataclass(frozen=True, slots=True)
class Events:
    """Tells of changes."""

    bus: EventBus
    images: Images
    stage: str

    def handle(self, event: Mapping[str, object], line: Line) -> dict[str, object]:
        """A partial batch response: the sequence number of the first record that failed."""
        records = event.get("Records")
        listed = records[:MAX_RECORDS] if isinstance(records, list) else []
        line.note(records=len(listed))
        for record in listed:
            try:
                for told in self._told(record, line):
                    self.bus.put(told.detail_type, told.detail, told.time)
                    line.count("events")
            except HatchwayError as error:
                line.refused(error)
                return _failed_from(record)
        return {"batchItemFailures": []}

    def _told(self, record: Mapping[str, object], line: Line) -> Sequence[Told]:
        """The events of one record. One that cannot be read would block the stream for a day: it
        is left out and reported."""
        try:
            change = _mapping(record["dynamodb"])
            new, old = change.get("NewImage"), change.get("OldImage")
            if new is None:  # TTL or an administrator took it away: no change of state
                return ()
            images = _mapping(new), _mapping(old) if old is not None else None
            return self._change(*images, _written(change))
        except (KeyError, TypeError, ValueError) as error:
            line.count("unreadable")
            line.failed(error)
            return ()

    def _change(self, new: Image, old: Image | None, written: float) -> Sequence[Told]:
        kind, images = self.images.kind_of(new), self.images
        if kind == "SESSION":
            before = images.session_of(old) if old is not None else None
            return session_changes(self.stage, before, images.session_of(new), written)
        if kind == "NODE":
            earlier = images.node_of(old) if old is not None else None
            told = node_change(self.stage, earlier, images.node_of(new))
            return (told,) if told is not None else ()
        return ()


def _failed_from(record: Mapping[str, object]) -> dict[str, object]:
    number = _mapping(record["dynamodb"])["SequenceNumber"]
    failures: Sequence[Mapping[str, object]] = [{"itemIdentifier": number}]
    return {"batchItemFailures": failures}


def _written(change: Mapping[str, object]) -> float:
    """When the change was written, as DynamoDB says it; 0 where it does not."""
    time = change.get("ApproximateCreationDateTime")
    return float(time) if isinstance(time, int | float) else 0.0


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("a part of the record is not a map")
    return value
