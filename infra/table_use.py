"""What each family does in the table, item kind by item kind, and the statements that allow it.

`tests/infra/test_table_use.py` holds this against what the families' code can reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Beginnings of partition keys: docs/protocol.md, "Table".
SESSION, TOKEN, CONNECTION, NODE, ROLE, REQUEST, COUNT, RATE, ASKED, DOCUMENT = (
    "SESSION",
    "TOKEN",
    "CONNECTION",
    "NODE",
    "ROLE",
    "REQUEST",
    "COUNT",
    "RATE",
    "ASKED",
    "DOCUMENT",
)

#: Of lifecycle connections, where the deployment has them.
LIFECYCLETOKEN, LIFECYCLE = "LIFECYCLETOKEN", "LIFECYCLE"
LEASE = "LEASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableUse:
    """The kinds of item that a family reads, writes, deletes and reads many of at once, and the
    indexes that it reads.

    The update that ends a session counts it out: whoever writes SESSION writes COUNT.
    """

    reads: frozenset[str]
    writes: frozenset[str]
    deletes: frozenset[str] = frozenset()
    batches: frozenset[str] = frozenset()
    indexes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Allowed:
    """One statement: actions on `resources`, on items of `kinds` only where there are any."""

    actions: Sequence[str]
    resources: Sequence[str]
    kinds: frozenset[str] = frozenset()

    @property
    def condition(self) -> Mapping[str, object] | None:
        """ForAllValues holds where a request names no key; each of these actions names one."""
        if not self.kinds:
            return None
        patterns = [f"{kind}#*" for kind in sorted(self.kinds)]
        return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": patterns}}


def allowed(use: TableUse, table: str) -> Iterator[Allowed]:
    """The statements for a table's ARN.

    A transaction needs what its puts and updates need one by one; both stand in one statement,
    since it may be judged by all of its keys at once. Queries are tied to indexes, not to keys:
    AWS documents no leading keys for the rest of a page in an index, and no index holds tokens,
    connections, requests or rates.
    """
    if use.reads:
        yield Allowed(("dynamodb:GetItem",), [table], use.reads)
    if use.writes:
        yield Allowed(("dynamodb:PutItem", "dynamodb:UpdateItem"), [table], use.writes)
    if use.deletes:
        yield Allowed(("dynamodb:DeleteItem",), [table], use.deletes)
    if use.batches:
        yield Allowed(("dynamodb:BatchGetItem",), [table], use.batches)
    if use.indexes:
        indexes = [f"{table}/index/{name}" for name in sorted(use.indexes)]
        yield Allowed(("dynamodb:Query",), indexes)


#: By family; the others reach no table.
USES: Final[Mapping[str, TableUse]] = {
    "connect": TableUse(
        reads=frozenset({SESSION, CONNECTION, ROLE}),
        writes=frozenset({SESSION, COUNT, TOKEN, CONNECTION, LIFECYCLETOKEN, LIFECYCLE}),
        deletes=frozenset({CONNECTION, LIFECYCLE}),
        indexes=frozenset({"byOwner"}),
    ),
    "sessions": TableUse(
        reads=frozenset({SESSION, REQUEST, NODE, ROLE, DOCUMENT}),
        writes=frozenset({SESSION, COUNT, RATE, ASKED, TOKEN, REQUEST, NODE, ROLE, LIFECYCLETOKEN}),
        deletes=frozenset({ROLE}),
        indexes=frozenset({"byState", "byOwner", "byTarget"}),
    ),
    "agents": TableUse(
        reads=frozenset({SESSION, NODE}),
        writes=frozenset({SESSION, COUNT}),
        indexes=frozenset({"byTarget"}),
    ),
    "nodes": TableUse(
        reads=frozenset({NODE, ROLE}),
        writes=frozenset({NODE}),
        indexes=frozenset({"byTarget"}),
    ),
    "documents": TableUse(
        reads=frozenset({DOCUMENT, ROLE}),
        writes=frozenset({DOCUMENT}),
        deletes=frozenset({DOCUMENT}),
        indexes=frozenset({"byState"}),
    ),
    "recordings": TableUse(reads=frozenset({SESSION, ROLE}), writes=frozenset()),
    "archive": TableUse(
        reads=frozenset({SESSION, NODE}),
        writes=frozenset({SESSION, COUNT, LEASE}),
        deletes=frozenset({LEASE}),
        indexes=frozenset({"byState"}),
    ),
    "sweep": TableUse(
        reads=frozenset({SESSION, NODE}),
        writes=frozenset({SESSION, COUNT}),
        batches=frozenset({NODE}),
        deletes=frozenset({LIFECYCLE}),
        indexes=frozenset({"byState", "byTarget"}),
    ),
    "push": TableUse(
        reads=frozenset(),
        writes=frozenset(),
        deletes=frozenset({LIFECYCLE}),
        indexes=frozenset({"byOwner"}),
    ),
    "review": TableUse(
        reads=frozenset({SESSION, NODE, ROLE}),
        writes=frozenset({SESSION, COUNT}),
        deletes=frozenset({COUNT}),
        indexes=frozenset({"byState"}),
    ),
}
