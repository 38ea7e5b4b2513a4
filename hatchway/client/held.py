"""A session held open for synchronous code: what a shell and a command have in common."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from hatchway.client.background import Background
from hatchway.client.records import Started
from hatchway.core.errors import HatchwayError

if TYPE_CHECKING:
    from hatchway.client.service import Hatchway
    from hatchway.client.stream import Stream

#: Seconds until the session runs, and until its stream is closed.
OPEN_SECONDS = 60.0

H = TypeVar("H", bound="Held")


class Held:
    """A context manager over a stream in a thread of its own; where the block is left, the session
    is ended, unless it is over already."""

    def __init__(self, hatchway: Hatchway, started: Started) -> None:
        self.session_id = started.session_id
        self._hatchway, self._started = hatchway, started
        self._background = Background()
        self._stream: Stream | None = None

    def __enter__(self: H) -> H:
        self._background.start()
        try:
            self._background.wait(self._open(), OPEN_SECONDS)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._stream is not None:
                self._background.wait(self._stream.__aexit__(None, None, None), OPEN_SECONDS)
            if not self._is_over:
                self._hatchway.terminate(self.session_id)
        except HatchwayError:
            if error is None:
                raise
        finally:
            self._background.close()

    @property
    def _is_over(self) -> bool:
        """Whether the session has ended by itself."""
        return False

    async def _open(self) -> None:
        """Opens the stream, in its thread; returns when the session may be used."""
        raise NotImplementedError
