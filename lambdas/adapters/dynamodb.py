"""The DynamoDB calls that both stores make: consistent reads, guarded writes, reads of an index."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from hatchway.core.errors import (
    InternalServerError,
    LimitExceededException,
    ThrottlingException,
)
from lambdas.adapters import aws, items
from lambdas.ports import Stale

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

PATIENCE = aws.Patience(connect=1.0, read=2.0, attempts=3)
#: Why a transaction was not made: a condition did not hold, or another was under way.
FAILED, CONFLICT = "ConditionalCheckFailed", "TransactionConflict"
ABSENT = "attribute_not_exists(pk)"
#: Items of one BatchGetItem.
MOST_AT_ONCE = 100
_SERVICE = "DynamoDB"
#: Index 1 has the keys gsi1pk and gsi1sk, and so on.
INDEXES = ("byState", "byOwner", "byTarget")
_LOST: aws.Expected = {
    "ConditionalCheckFailedException": Stale,
    "TransactionConflictException": Stale,
}


#: Seconds of the longest pause before the first attempt again; it doubles, up to the last.
PAUSE, LONGEST_PAUSE = 0.01, 0.32


def attempts(most: int, pause: Callable[[float], None]) -> Iterator[None]:
    """As many attempts at what meets others, with pauses of random length in between."""
    for attempt in range(most):
        if attempt:
            longest = min(LONGEST_PAUSE, PAUSE * 2**attempt)
            pause(longest * secrets.randbelow(1000) / 1000)
        yield


class _Cancelled(Stale):
    """A transaction was not made; the cause says why."""


@cache
def shared_client() -> DynamoDBClient:
    """One client for all stores of a function."""
    client: DynamoDBClient = aws.client("dynamodb", PATIENCE)
    return client


@dataclass(frozen=True, slots=True)
class Index:
    """One partition of index `number`, read in order; `kind` is the key prefix of its items."""

    number: int
    partition: str
    kind: str = "SESSION"

    @property
    def name(self) -> str:
        return INDEXES[self.number - 1]

    @property
    def hash_key(self) -> str:
        return f"gsi{self.number}pk"

    @property
    def range_key(self) -> str:
        return f"gsi{self.number}sk"


@dataclass(frozen=True, slots=True)
class Filters:
    """First and last place, conditions on other attributes, and what those refer to."""

    span: tuple[str, str] | None = None
    text: str = ""
    names: dict[str, str] = field(default_factory=dict)
    values: items.Item = field(default_factory=dict)


NO_FILTERS = Filters()


class Table:
    """A table by its name."""

    def __init__(self, table: str, client: DynamoDBClient | None = None) -> None:
        self._table = table
        self._client = client or shared_client()

    def get(self, key: items.Item) -> items.Item | None:
        """Consistent read."""
        with aws.calling(_SERVICE):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def get_all(self, keys: Sequence[items.Item]) -> list[items.Item]:
        """Consistent reads, MOST_AT_ONCE at most; those that there are, in any order."""
        if len(keys) > MOST_AT_ONCE:
            raise ValueError(f"at most {MOST_AT_ONCE} items are read at once")
        found: list[items.Item] = []
        left: Sequence[Any] = keys
        for _ in range(PATIENCE.attempts):
            if not left:
                return found
            asked: Any = {self._table: {"Keys": left, "ConsistentRead": True}}
            with aws.calling(_SERVICE):
                answer = self._client.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(self._table, [])
            unprocessed: Any = answer.get("UnprocessedKeys") or {}
            left = unprocessed.get(self._table, {}).get("Keys", ())
        if left:
            raise ThrottlingException()
        return found

    def put(self, item: items.Item) -> None:
        with aws.calling(_SERVICE):
            self._client.put_item(TableName=self._table, Item=item)

    def put_new(self, item: items.Item) -> None:
        """Stale where it exists."""
        with aws.calling(_SERVICE, _LOST):
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression=ABSENT)

    def put_version(self, item: items.Item, read: int) -> None:
        """Stale where the stored `version` is not the one read."""
        with aws.calling(_SERVICE, _LOST):
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="#version = :read",
                ExpressionAttributeNames={"#version": "version"},
                ExpressionAttributeValues={":read": {"N": str(read)}},
            )

    def set(
        self, key: items.Item, attribute: str, value: items.Item, condition: str, **more: items.Item
    ) -> items.Item:
        """Sets one attribute (`#it` in the condition) to `:new`; the new item, or Stale."""
        with aws.calling(_SERVICE, _LOST):
            answer = self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET #it = :new",
                ConditionExpression=condition,
                ExpressionAttributeNames={"#it": attribute},
                ExpressionAttributeValues={
                    ":new": value,
                    **{f":{name}": given for name, given in more.items()},
                },
                ReturnValues="ALL_NEW",
            )
        return answer["Attributes"]

    def bind(self, key: items.Item, connection: str, now: float) -> items.Item | None:
        """Binds an unexpired one-time token to its first connection; the same connection again is
        answered alike (a retry), and so is each one for a token that is a spare. None for a token
        that is unknown, expired or used."""
        if not connection:
            raise ValueError("a token is bound to a connection")
        try:
            return self.set(
                key,
                "connection",
                items.text(connection),
                "expires > :now AND (#it IN (:none, :new) OR spare = :yes)",
                now=items.number(now),
                none=items.text(""),
                yes={"BOOL": True},
            )
        except Stale:
            return None

    def delete(self, key: items.Item) -> None:
        with aws.calling(_SERVICE):
            self._client.delete_item(TableName=self._table, Key=key)

    def new(self, item: items.Item, unless: str = "", **values: items.Item) -> items.Item:
        """A write for `transact`, of an item that must not exist or for which `unless` holds."""
        put: items.Item = {"TableName": self._table, "Item": item, "ConditionExpression": ABSENT}
        if unless:
            put["ConditionExpression"] = f"{ABSENT} OR {unless}"
            put["ExpressionAttributeValues"] = {f":{name}": v for name, v in values.items()}
        return {"Put": put}

    def version(self, item: items.Item, read: int) -> items.Item:
        """`put_version` as a write for `transact`."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "#version = :read",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":read": {"N": str(read)}},
            }
        }

    def gone(self, key: items.Item, read: int | None = None) -> items.Item:
        """A write for `transact` that removes an item; with `read`, only of that version."""
        delete: items.Item = {"TableName": self._table, "Key": key}
        if read is not None:
            delete["ConditionExpression"] = "#version = :read"
            delete["ExpressionAttributeNames"] = {"#version": "version"}
            delete["ExpressionAttributeValues"] = {":read": {"N": str(read)}}
        return {"Delete": delete}

    def counted(self, name: str, by: int, now: float, most: int | None = None) -> items.Item:
        """A write for `transact` that changes a count; it fails where there are `most` already."""
        update: items.Item = {
            "TableName": self._table,
            "Key": items.key("COUNT", name),
            "UpdateExpression": "SET changed = :now, gsi1pk = :counts, gsi1sk = :name ADD #n :by",
            "ExpressionAttributeNames": {"#n": "sessions"},
            "ExpressionAttributeValues": {
                ":now": items.number(now),
                ":counts": items.text(items.COUNTS),
                ":name": items.text(name),
                ":by": items.number(by),
            },
        }
        if most is not None:
            update["ConditionExpression"] = "attribute_not_exists(#n) OR #n < :most"
            update["ExpressionAttributeValues"][":most"] = items.number(most)
        return {"Update": update}

    def add(self, key: items.Item, attribute: str, ttl: int, most: int) -> None:
        """Adds one to an attribute of an item that is forgotten at `ttl`; Stale where it is
        `most` already."""
        with aws.calling(_SERVICE, _LOST):
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET #ttl = :ttl ADD #it :one",
                ConditionExpression="attribute_not_exists(#it) OR #it < :most",
                ExpressionAttributeNames={"#it": attribute, "#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":one": items.number(1),
                    ":most": items.number(most),
                    ":ttl": items.number(ttl),
                },
            )

    def delete_if(self, key: items.Item, attribute: str, value: items.Item) -> None:
        """Stale where the attribute has another value, or the item is gone."""
        with aws.calling(_SERVICE, _LOST):
            self._client.delete_item(
                TableName=self._table,
                Key=key,
                ConditionExpression="#it = :value",
                ExpressionAttributeNames={"#it": attribute},
                ExpressionAttributeValues={":value": value},
            )

    def transact(self, writes: Sequence[Any]) -> list[str]:
        """Writes all or nothing; where it was nothing, what was wrong with each write."""
        try:
            with aws.calling(_SERVICE, {"TransactionCanceledException": _Cancelled}):
                # botocore adds the ClientRequestToken that makes its own retries harmless
                self._client.transact_write_items(TransactItems=writes)
        except _Cancelled as cancelled:
            reasons = _reasons(cancelled.__cause__)
            if {"ThrottlingError", "ProvisionedThroughputExceeded"} & set(reasons):
                raise ThrottlingException() from cancelled
            if not set(reasons) & {FAILED, CONFLICT}:
                raise InternalServerError("DynamoDB refused a transaction.") from cancelled
            return reasons
        return []

    def read(
        self,
        index: Index,
        after: str,
        limit: int,
        filters: Filters = NO_FILTERS,
        newest_first: bool = False,
    ) -> tuple[list[items.Item], str]:
        """One read of at most `limit` items behind the place `after`, and the place it came to.

        The place is "" at the end of the partition.
        """
        wanted: dict[str, Any] = {
            "KeyConditionExpression": "#partition = :partition",
            "ExpressionAttributeNames": {"#partition": index.hash_key, **filters.names},
            "ExpressionAttributeValues": {":partition": {"S": index.partition}, **filters.values},
        }
        if filters.span:
            wanted["KeyConditionExpression"] += " AND #place BETWEEN :low AND :high"
            wanted["ExpressionAttributeNames"]["#place"] = index.range_key
            low, high = filters.span
            wanted["ExpressionAttributeValues"] |= {":low": {"S": low}, ":high": {"S": high}}
        if filters.text:
            wanted["FilterExpression"] = filters.text
        if after:
            wanted["ExclusiveStartKey"] = _start(index, after)
        with aws.calling(_SERVICE):
            answer = self._client.query(
                TableName=self._table,
                IndexName=index.name,
                Limit=limit,
                ScanIndexForward=not newest_first,
                **wanted,
            )
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], str(last[index.range_key]["S"]) if last else ""

    def all(self, index: Index, most: int) -> Iterator[items.Item]:
        """Everything in a partition; LimitExceededException where that is more than `most`."""
        after, left = "", most
        while True:
            found, after = self.read(index, after, left + 1)
            left -= len(found)
            if left < 0:
                raise LimitExceededException()
            yield from found
            if not after:
                return


def _start(index: Index, after: str) -> items.Item:
    # A session's place is its start and its id, that of nodes and roles the id alone.
    name = after.partition("#")[2] or after
    return {
        **items.key(index.kind, name),
        index.hash_key: {"S": index.partition},
        index.range_key: {"S": after},
    }


def _reasons(cause: BaseException | None) -> list[str]:
    if not isinstance(cause, ClientError):
        return []
    return [str(reason.get("Code", "")) for reason in cause.response.get("CancellationReasons", [])]
