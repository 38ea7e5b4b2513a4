"""The local terminal, or what stands for it in a pipeline: the one seam between systems."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from hatchway.core.errors import ValidationException


class Terminal(Protocol):
    """Entered, it passes every key on as bytes; left, it is as it was before."""

    @property
    def keyboard(self) -> bool:
        """Input comes from a person's terminal, key by key."""

    @property
    def screen(self) -> bool:
        """Output goes to a person's terminal."""

    def __enter__(self) -> Terminal: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def size(self) -> tuple[int, int]:
        """Columns and rows."""

    def watch_size(self, changed: Callable[[], None]) -> None:
        """Calls `changed` whenever the size may have changed, while the terminal is entered."""

    async def read(self, limit: int) -> bytes:
        """Some input; nothing at its end."""

    async def write(self, data: bytes) -> None:
        """Output, complete when it returns; BrokenPipeError when nobody takes it any more."""

    async def write_error(self, data: bytes) -> None:
        """The same for the remote process's standard error."""


def open_terminal() -> Terminal:
    """This process's terminal: standard input, output and error."""
    if os.name != "posix":
        raise ValidationException("start-session needs a POSIX terminal; Windows is not done yet.")
    from hatchway.client.posix_terminal import PosixTerminal

    return PosixTerminal()
