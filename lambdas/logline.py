"""One structured log line per invocation: what a handler noted, written once when it is done.

It takes names, codes and counts. Tokens, tickets, keys, credentials and typed content never go in,
and of an unexpected exception only its type and place: its text may quote any of them.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath

from hatchway.core.errors import HatchwayError, InternalServerError

#: Characters of one text in a line, and frames of a traceback.
MAX_TEXT = 512
MAX_FRAMES = 6

Field = str | int | float | bool | None
#: Takes the level (INFO, WARNING, ERROR) and the fields.
Write = Callable[[str, Mapping[str, Field]], None]


def plain(level: str, fields: Mapping[str, Field]) -> None:
    """The line as JSON on standard output, for the functions that must start fast."""
    sys.stdout.write(json.dumps({"level": level, **fields}, separators=(",", ":")) + "\n")
    sys.stdout.flush()


class Line:
    """What one invocation has to say. The level only ever rises; `error` is what the caller was
    refused with."""

    def __init__(self, family: str) -> None:
        self.fields: dict[str, Field] = {"family": family}
        self.level = "INFO"
        self.error: HatchwayError | None = None

    def note(self, **fields: Field) -> None:
        for name, value in fields.items():
            self.fields[name] = value[:MAX_TEXT] if isinstance(value, str) else value

    def count(self, name: str, more: int = 1) -> None:
        before = self.fields.get(name, 0)
        self.fields[name] = (before if isinstance(before, int) else 0) + more

    def warning(self) -> None:
        if self.level == "INFO":
            self.level = "WARNING"

    def refused(self, error: HatchwayError) -> None:
        """A typed error: the peer's fault, or ours when it says so."""
        self.error = error
        self.note(code=error.code, detail=error.message, **error.evidence)
        if error.fault == "server":
            self.failed(error)

    def failed(self, error: Exception) -> None:
        self.level = "ERROR"
        self.error = self.error or InternalServerError()
        self.note(error=type(error).__name__, where=_where(error))


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return " < ".join(f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))


@contextmanager
def line(family: str, write: Write) -> Iterator[Line]:
    """A line that is written when the block ends, however it ends."""
    one = Line(family)
    try:
        yield one
    except Exception as error:
        one.failed(error)
        raise
    finally:
        write(one.level, one.fields)
