"""Sessions as they change: looked at again and again, and told once for each change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hatchway.core.errors import (
    DoesNotExistException,
    InternalServerError,
    ServiceUnreachable,
    ThrottlingException,
)

if TYPE_CHECKING:
    from hatchway.client.records import SessionRecord
    from hatchway.client.service import Hatchway

#: What the next look may mend.
_PASSING = (ServiceUnreachable, ThrottlingException, InternalServerError)


def changes(
    hatchway: Hatchway,
    state: str,
    filters: Mapping[str, str],
    seen: Sequence[SessionRecord],
    pause: Callable[[], None],
) -> Iterator[SessionRecord]:
    """Sessions that are new or differ from those `seen`, oldest first, for ever; of one that is
    not on the list any more, what it has become. `pause` waits between two looks."""
    known = {session.session_id: session for session in seen}
    while True:
        pause()
        try:
            found = list(hatchway.sessions(state, filters))
            gone = _gone(hatchway, known, found)
        except _PASSING:
            continue
        fresh = [each for each in reversed(found) if known.get(each.session_id) != each]
        known = {session.session_id: session for session in found}
        yield from (*gone, *fresh)


def _gone(
    hatchway: Hatchway, known: Mapping[str, SessionRecord], found: Sequence[SessionRecord]
) -> list[SessionRecord]:
    there = {session.session_id for session in found}
    gone = []
    for name in known.keys() - there:
        try:
            gone.append(hatchway.session(name))
        except DoesNotExistException:
            continue  # forgotten
    return gone
