"""Which of its two invokers an event comes from: a log group's subscription, or the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.audit.archiving import Archiving
from lambdas.audit.gathering import Gathering
from lambdas.logline import Line


@dataclass(frozen=True, slots=True)
class Audit:
    gathering: Gathering
    archiving: Archiving

    def handle(self, event: Mapping[str, object], line: Line) -> dict[str, object]:
        """Raises what could not be done: then the invoker tries again, and in the end keeps it."""
        if "awslogs" in event:
            line.note(event="GATHER")
            self.gathering.gather(event, line)
            return {}
        line.note(event="ARCHIVE")
        records = event.get("Records")
        self.archiving.archive(records if isinstance(records, list) else [], line)
        return {}
