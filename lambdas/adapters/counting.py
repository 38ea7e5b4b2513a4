"""Counts of sessions and of starts in the table, as writes of the transactions that they go with.

A count that is wrong only makes a limit wrong for a while: an end never fails for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hatchway.core.names import Owner
from lambdas import quotas
from lambdas.adapters import items
from lambdas.adapters.dynamodb import Index, Table
from lambdas.ports import Clock, Count, Limits, Session, Stale

#: Counts that are read at once: one per user, node and account with sessions of late.
MAX_COUNTS = 50_000
_ALL = Index(1, items.COUNTS, "COUNT")


class Counts:
    """The counts of one table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def start(self, session: Session, limits: Limits | None) -> list[items.Item]:
        """The writes that count a session in, in the order of `quotas.names`."""
        now = self._clock()
        return [
            self._table.counted(name, 1, now, most)
            for name, most in quotas.limited(session, limits)
        ]

    def end(self, session: Session) -> list[items.Item]:
        """The writes that count it out. Without a condition: where the count was lost it becomes
        negative, until it is put right."""
        now = self._clock()
        return [self._table.counted(name, -1, now) for name in quotas.names(session)]

    def spend(self, owner: Owner, most: int) -> None:
        """ThrottlingException where `owner` has begun as many in this minute."""
        if not self._spent("RATE", "starts", owner, most):
            raise quotas.too_fast(most)

    def spend_question(self, owner: Owner, most: int) -> None:
        """ThrottlingException where `owner` has asked as many questions in this minute."""
        if not self._spent("ASKED", "questions", owner, most):
            raise quotas.too_many_questions(most)

    def _spent(self, kind: str, attribute: str, owner: Owner, most: int) -> bool:
        name, end = quotas.window(owner, self._clock())
        try:
            self._table.add(items.key(kind, name), attribute, int(end) + items.MARGIN, most)
        except Stale:
            return False
        return True

    def all(self) -> Sequence[Count]:
        return [items.count_of(item) for item in self._table.all(_ALL, MAX_COUNTS)]

    def correct(self, read: Count, sessions: int) -> bool:
        key, changed = items.key("COUNT", read.name), items.number(read.changed)
        try:
            if not read.changed:
                self._table.put_new(items.of_count(replace(read, sessions=sessions), self._clock()))
            elif sessions:
                self._table.set(
                    key, "sessions", items.number(sessions), "changed = :read", read=changed
                )
            else:
                self._table.delete_if(key, "changed", changed)
        except Stale:
            return False
        return True
