"""The log: one JSON object a line, to standard error. It never sees what was typed or printed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from enum import IntEnum

#: Characters of one value; what comes from elsewhere is cut.
MAX_VALUE = 256

Value = str | int | float | bool | None


class Level(IntEnum):
    """How much is said."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40


def standard_error(line: str) -> None:
    """Writes past Python's buffers; a log that is gone stops nothing."""
    try:
        os.write(2, line.encode())
    except OSError:
        return


class Log:
    """Writes events of at least `level`."""

    def __init__(
        self,
        level: Level = Level.INFO,
        write: Callable[[str], None] = standard_error,
        unix: Callable[[], float] = time.time,
    ) -> None:
        self._level, self._write, self._unix = level, write, unix

    def debug(self, event: str, **fields: Value) -> None:
        self._emit(Level.DEBUG, event, fields)

    def info(self, event: str, **fields: Value) -> None:
        self._emit(Level.INFO, event, fields)

    def warning(self, event: str, **fields: Value) -> None:
        self._emit(Level.WARNING, event, fields)

    def error(self, event: str, **fields: Value) -> None:
        self._emit(Level.ERROR, event, fields)

    def _emit(self, level: Level, event: str, fields: dict[str, Value]) -> None:
        if level < self._level:
            return
        record = {"time": round(self._unix(), 3), "level": level.name.lower(), "event": event}
        cut = {name: _cut(value) for name, value in fields.items() if value is not None}
        self._write(json.dumps(record | cut, separators=(",", ":")) + "\n")


def _cut(value: Value) -> Value:
    return value[:MAX_VALUE] if isinstance(value, str) else value
