"""Hints from the control channel: coalesced and rate-limited, for anyone may have sent them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from hatchway.core.errors import ValidationException
from hatchway.core.names import session_id

#: Bytes of a hint: a session id and little else.
MAX_HINT = 512
#: Sessions waiting to be looked at; beyond, one listing looks at all of them.
MAX_PENDING = 64
#: Hints acted upon: so many at once, then so many a second.
BURST = 32
PER_SECOND = 10.0
#: Seconds between listings that a flood may cause.
LISTING_GAP = 15.0

_VERSION = 1


class Hints:
    """`consider(session)` for each session hinted at, `list_all()` when there are too many,
    `dropped(kind)` for what is no hint."""

    def __init__(
        self,
        consider: Callable[[str], None],
        list_all: Callable[[], None],
        dropped: Callable[[str], None],
    ) -> None:
        self._consider, self._list_all, self._dropped = consider, list_all, dropped
        self._loop = asyncio.get_running_loop()
        self._pending: dict[str, None] = {}
        self._tokens, self._filled = float(BURST), self._loop.time()
        self._next_listing = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def take(self, payload: bytes) -> None:
        """A message from the control topic."""
        session = _session(payload)
        if session is None:
            self._dropped("malformedHint")
        elif session in self._pending:
            return
        elif len(self._pending) < MAX_PENDING:
            self._pending[session] = None
            self._work()
        else:
            self._flood()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._pending.clear()

    def _flood(self) -> None:
        self._dropped("hintFlood")
        if self._loop.time() >= self._next_listing:
            self._next_listing = self._loop.time() + LISTING_GAP
            self._list_all()

    def _work(self) -> None:
        if self._timer is not None:
            return
        self._fill()
        while self._pending and self._tokens >= 1:
            self._tokens -= 1
            session = next(iter(self._pending))
            del self._pending[session]
            self._consider(session)
        if self._pending:
            self._timer = self._loop.call_later((1 - self._tokens) / PER_SECOND, self._again)

    def _again(self) -> None:
        self._timer = None
        self._work()

    def _fill(self) -> None:
        now = self._loop.time()
        self._tokens = min(BURST, self._tokens + (now - self._filled) * PER_SECOND + 1e-9)
        self._filled = now


def _session(payload: bytes) -> str | None:
    """The session that a hint names; None for what is not one."""
    if len(payload) > MAX_HINT:
        return None
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.get("v") != _VERSION:
        return None
    try:
        return session_id(fields.get("session"))
    except ValidationException:
        return None
