"""The stream API's connections in memory: what each client was sent, and which are closed."""

from __future__ import annotations

from hatchway.core.errors import HatchwayError, PayloadTooLarge

#: API Gateway takes 128 KB.
MAX_MESSAGE = 128 * 1024


class MemoryClients:
    """The port Clients. A connection exists from `open` to `close`; `sent` outlives it. While it
    is among the `young`, its `$connect` has not returned: it looks gone.

    Set `failure` to have every call raise it, until it is None again.
    """

    def __init__(self) -> None:
        self.sent: dict[str, list[str]] = {}
        self.closed: list[str] = []
        self.young: set[str] = set()
        self.failure: HatchwayError | None = None
        self._open: set[str] = set()

    def open(self, connection: str) -> None:
        self._open.add(connection)
        self.sent.setdefault(connection, [])

    def is_open(self, connection: str) -> bool:
        return connection in self._open

    def lose(self, connection: str) -> None:
        """The client went away by itself."""
        self._open.discard(connection)

    def post(self, connection: str, text: str) -> bool:
        self._fail()
        if len(text.encode()) > MAX_MESSAGE:
            raise PayloadTooLarge()
        if connection not in self._open or connection in self.young:
            return False
        self.sent[connection].append(text)
        return True

    def close(self, connection: str, young: bool = False) -> None:
        self._fail()
        if young:
            self.young.discard(connection)  # the second attempt, or the third, comes later
        if connection in self._open - self.young:
            self._open.discard(connection)
            self.closed.append(connection)

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure
