"""One event, and what all of them begin with."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VERSION", "Detail", "Told", "head"]

#: Of all details. Members are added without a new version; none is taken away or changes its sense.
VERSION = "1"

Detail = dict[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """One event to put on the bus; `time` in unix seconds."""

    detail_type: str
    detail: Detail
    time: float


def head(stage: str, identity: str, time: float) -> Detail:
    """`identity` is the same each time the same thing is told."""
    return {"version": VERSION, "stage": stage, "time": time, "id": identity}
