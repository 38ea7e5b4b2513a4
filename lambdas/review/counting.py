"""Counts that have drifted from the sessions there are, put right.

They change in the transactions that start and end sessions, so that nothing here is needed unless
somebody changed the table by hand, or restored it, or sessions are older than their counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lambdas import quotas
from lambdas.logline import Line
from lambdas.ports import Count, Session, SessionStore

#: Seconds for which a count must have stood still: the index of sessions has then caught up with
#: the start or end that changed it last.
SETTLED = 10.0
#: Seconds after which a count of nothing is forgotten: nodes and role sessions come and go.
FORGOTTEN = 3600.0
#: Counts put right or forgotten in one run.
MAX_WRITES = 200


def put_right(
    store: SessionStore,
    counts: Sequence[Count],
    sessions: Iterable[Session],
    now: float,
    line: Line,
) -> None:
    """`counts` were read before `sessions`, and each is written only if it is still as read: what
    started or ended in between is never counted away."""
    found = quotas.recounted(sessions)
    known = {count.name: count for count in counts}
    missing = [Count(name=n, sessions=0, changed=0.0) for n in found if n not in known]
    writes = 0
    for count in (*counts, *missing):
        sessions_found = found.get(count.name, 0)
        if writes == MAX_WRITES or not _due(count, sessions_found, now):
            continue
        writes += 1
        if store.recount(count, sessions_found) and count.sessions != sessions_found:
            line.count("drift")
            line.warning()


def _due(count: Count, found: int, now: float) -> bool:
    still = now - count.changed
    if count.sessions != found:
        return still >= SETTLED
    return found == 0 and still >= FORGOTTEN
