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
from lambdas.ports import Busy, Clock, Stale

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
        now, place = self._clock(), items.key(LEASE, session_id)
        # The very moment names the holder: another run's is another.
        until = items.number(now + seconds + random.random())  # noqa: S311 - hides nothing
        free = "attribute_not_exists(#it) OR #it < :now"
        try:
            self._table.set(place, "until", until, free, now=items.number(now))
        except Stale:
            raise Busy("Another run works on this session's recording.") from None
        try:
            yield
        finally:
            # Where that fails it runs out by itself.
            with suppress(HatchwayError):
                self._table.delete_if(place, "until", until)
