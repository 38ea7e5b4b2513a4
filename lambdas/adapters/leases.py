"""The table's leases: one run of the archive works on a session at a time."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from hatchway.core.errors import HatchwayError
from lambdas.adapters import items
from lambdas.adapters.dynamodb import Table
from lambdas.ports import CLAIM, Busy, Clock, Stale

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

LEASE = "LEASE"


class TableLeases:
    """The port Leases."""

    def __init__(
        self, table: str, clock: Clock = time.time, client: DynamoDBClient | None = None
    ) -> None:
        self._table, self._clock = Table(table, client), clock

    @contextmanager
    def hold(self, session_id: str, seconds: float) -> Iterator[None]:
        place = items.key(LEASE, session_id)
        try:
            until = self._take(place, seconds)
        except Stale:
            raise Busy("Another run works on this session's recording.") from None
        try:
            yield
        finally:
            # Where that fails it runs out by itself.
            with suppress(HatchwayError):
                self._table.delete_if(place, "until", until)

    @contextmanager
    def once(self, name: str, seconds: float) -> Iterator[bool]:
        place = items.key(LEASE, name)
        try:
            until = self._take(place, CLAIM)
        except Stale:
            yield False
            return
        try:
            yield True
        except BaseException:
            with suppress(HatchwayError):
                self._table.delete_if(place, "until", until)
            raise
        # Where that fails it is done again that much earlier.
        with suppress(HatchwayError):
            self._done(place, until, self._clock() + seconds)

    def _take(self, place: items.Item, seconds: float) -> items.Item:
        """Until when; Stale where somebody has it."""
        now = self._clock()
        # The very moment names the holder: another run's is another.
        until = items.number(now + seconds + random.random())  # noqa: S311 - hides nothing
        free = "attribute_not_exists(#it) OR #it < :now"
        self._table.set(place, "until", until, free, now=items.number(now))
        return until

    def _done(self, place: items.Item, until: items.Item, end: float) -> None:
        """It is over at `end`, and the item is forgotten then."""
        self._table.set(place, "until", items.number(end), "#it = :until", until=until)
        self._table.set(place, "ttl", items.number(int(end)), "attribute_exists(pk)")
