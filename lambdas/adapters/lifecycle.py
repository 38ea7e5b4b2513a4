"""Lifecycle tokens and connections in the table: their items, and reads by owner and by expiry."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatchway.core.names import Owner
from lambdas.adapters import items
from lambdas.adapters.dynamodb import Filters, Index, Table
from lambdas.ports import Clock, LifecycleConnection, LifecycleToken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

TOKEN, CONNECTION = "LIFECYCLETOKEN", "LIFECYCLE"
#: The partition of all connections, in the order in which they expire.
ALL = "LIFECYCLES"
#: Sort before and behind every place.
FIRST, LAST = "0", ":"


class TableLifecycle:
    """The port LifecycleConnections."""

    def __init__(
        self, table: str, clock: Clock = time.time, client: DynamoDBClient | None = None
    ) -> None:
        self._table = Table(table, client)
        self._clock = clock

    def issue(self, token: LifecycleToken) -> None:
        self._table.put_new(_of_token(token))

    def use(self, digest: str, connection: str, now: float) -> LifecycleToken | None:
        used = self._table.bind(items.key(TOKEN, digest), connection, now)
        return _token_of(used) if used is not None else None

    def open(self, connection: LifecycleConnection) -> None:
        place = _place(connection)
        self._table.put(
            {
                **items.key(CONNECTION, connection.connection),
                "gsi1pk": items.text(ALL),
                "gsi1sk": items.text(place),
                "gsi2pk": items.text(_partition(connection.owner)),
                "gsi2sk": items.text(place),
                "owner_account": items.text(connection.owner.account),
                "owner_userid": items.text(connection.owner.userid),
                "expires": items.number(connection.expires),
                "ttl": items.number(int(connection.expires) + items.MARGIN),
            }
        )

    def close(self, connection: str) -> None:
        self._table.delete(items.key(CONNECTION, connection))

    def of(self, owner: Owner, now: float, most: int) -> Sequence[LifecycleConnection]:
        return self._read(Index(2, _partition(owner), CONNECTION), (_behind(now), LAST), most)

    def due(self, now: float, most: int) -> Sequence[LifecycleConnection]:
        return self._read(Index(1, ALL, CONNECTION), (FIRST, _behind(now)), most)

    def _read(
        self, index: Index, span: tuple[str, str], most: int
    ) -> Sequence[LifecycleConnection]:
        found, _ = self._table.read(index, "", most, Filters(span=span))
        return tuple(map(_connection_of, found))


def _partition(owner: Owner) -> str:
    return f"{CONNECTION}#{owner.key}"


def _moment(now: float) -> str:
    """Sorts as the time does: whole milliseconds, 15 digits."""
    return f"{int(now * 1000):015d}"


def _behind(now: float) -> str:
    """Sorts behind all that expire at this moment."""
    return f"{_moment(now)}~"


def _place(connection: LifecycleConnection) -> str:
    return f"{_moment(connection.expires)}#{connection.connection}"


def _of_token(token: LifecycleToken) -> items.Item:
    return {
        **items.key(TOKEN, token.digest),
        "owner_account": items.text(token.owner.account),
        "owner_userid": items.text(token.owner.userid),
        "owner_arn": items.text(token.arn),
        "about": items.of_circumstances(token.about),
        "api": items.text(token.api),
        "expires": items.number(token.expires),
        "connection": items.text(token.connection),
        "ttl": items.number(int(token.expires) + items.MARGIN),
    }


def _token_of(image: items.Image) -> LifecycleToken:
    return LifecycleToken(
        digest=image["pk"]["S"].partition("#")[2],
        owner=_owner(image),
        arn=image["owner_arn"]["S"],
        about=items.circumstances_of(image["about"]["M"]),
        api=image["api"]["S"],
        expires=float(image["expires"]["N"]),
        connection=image["connection"]["S"],
    )


def _connection_of(image: items.Image) -> LifecycleConnection:
    return LifecycleConnection(
        connection=image["pk"]["S"].partition("#")[2],
        owner=_owner(image),
        expires=float(image["expires"]["N"]),
    )


def _owner(image: items.Image) -> Owner:
    return Owner(image["owner_account"]["S"], image["owner_userid"]["S"])
