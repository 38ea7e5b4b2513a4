"""Progress on stderr, step by step, with times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

_WIDTH = 58


@dataclass(slots=True)
class Progress:
    """Prints each step as it begins and how long it took when it ends."""

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    _open: bool = field(default=False, init=False)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        begun = self.clock()
        self._write(f"{text:<{_WIDTH}}")
        self._open = True
        try:
            yield
        except BaseException:
            self._finish(text, "failed")
            raise
        self._finish(text, f"{self.clock() - begun:.1f} s")

    def note(self, text: str) -> None:
        """A line of its own, also in the middle of a step."""
        self._write(f"\n  {text}\n" if self._open else f"{text}\n")
        self._open = False

    def _finish(self, text: str, result: str) -> None:
        self._write(f"{result}\n" if self._open else f"{text:<{_WIDTH}}{result}\n")
        self._open = False

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
