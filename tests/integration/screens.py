"""What stands on the screen of a terminal in which the CLI runs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pexpect
import pyte

from tests.integration.terminal import PATIENCE, Terminal

READ = 64 * 1024


class Screen:
    """Takes all that the terminal prints from now on; `run` and `leave` want it left alone."""

    def __init__(self, shell: Terminal, rows: int = 24, columns: int = 80) -> None:
        self._child = shell.child
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)

    def resize(self, rows: int, columns: int) -> None:
        self._screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def send(self, text: str) -> None:
        self._child.send(text)

    @property
    def lines(self) -> list[str]:
        """All rows, without the blanks at their ends."""
        return [line.rstrip() for line in self._screen.display]

    def shows(self, text: str, row: int | None = None) -> None:
        """Waits until `text` stands somewhere, or in this row (-1 is the last)."""
        self.until(lambda: text in ("\n".join(self.lines) if row is None else self.lines[row]))

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            left = deadline - time.monotonic()
            shown = "\n".join(self.lines)
            assert left > 0, f"not on the screen in time:\n{shown}"
            try:
                self._stream.feed(self._child.read_nonblocking(READ, timeout=left))
            except pexpect.TIMEOUT:
                continue
