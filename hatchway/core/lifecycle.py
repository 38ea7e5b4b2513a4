"""The life of a session: one table of (state, event) → state, and what is refused.

Each pair stands in one of the two. It decides states and nothing else: who may cause an event is
policy, and writing it is the store's.
"""

from __future__ import annotations

from enum import StrEnum

from hatchway.core.errors import IllegalTransition


class Status(StrEnum):
    """Session states, named as in Systems Manager."""

    CONNECTING = "Connecting"
    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"
    FAILED = "Failed"


class Event(StrEnum):
    """What happens to a session.

    ONE_SIDE: client or agent attached, the other has not yet. BOTH_SIDES: now both are there.
    CLIENT_LOST: its connection ended. TERMINATE: someone entitled to asked for the end.
    EXITED: the agent reports that the process ended (or that it never started: FAIL).
    EXPIRE: a time limit of the state or session passed. NODE_LOST: the node is gone for good.
    """

    ONE_SIDE = "one side attached"
    BOTH_SIDES = "both sides attached"
    CLIENT_LOST = "client lost"
    TERMINATE = "terminate"
    EXITED = "exited"
    FAIL = "fail"
    EXPIRE = "expire"
    NODE_LOST = "node lost"


ENDED = frozenset({Status.TERMINATED, Status.FAILED})
ACTIVE = frozenset(Status) - ENDED

_C, _UP, _DOWN = Status.CONNECTING, Status.CONNECTED, Status.DISCONNECTED
_ENDING, _OVER, _BROKEN = Status.TERMINATING, Status.TERMINATED, Status.FAILED

TABLE: dict[tuple[Status, Event], Status] = {
    (_C, Event.ONE_SIDE): _C,
    (_C, Event.BOTH_SIDES): _UP,
    (_C, Event.CLIENT_LOST): _C,
    (_C, Event.TERMINATE): _ENDING,
    (_C, Event.EXITED): _OVER,
    (_C, Event.FAIL): _BROKEN,
    (_C, Event.EXPIRE): _BROKEN,
    (_C, Event.NODE_LOST): _BROKEN,
    # A second client takes the session over, an agent attaches again: both sides are still there.
    (_UP, Event.BOTH_SIDES): _UP,
    (_UP, Event.CLIENT_LOST): _DOWN,
    (_UP, Event.TERMINATE): _ENDING,
    (_UP, Event.EXITED): _OVER,
    (_UP, Event.FAIL): _BROKEN,
    (_UP, Event.EXPIRE): _ENDING,
    (_UP, Event.NODE_LOST): _OVER,
    # The agent may attach while the client is away; `$disconnect` may come twice or late.
    (_DOWN, Event.ONE_SIDE): _DOWN,
    (_DOWN, Event.BOTH_SIDES): _UP,
    (_DOWN, Event.CLIENT_LOST): _DOWN,
    (_DOWN, Event.TERMINATE): _ENDING,
    (_DOWN, Event.EXITED): _OVER,
    (_DOWN, Event.FAIL): _BROKEN,
    (_DOWN, Event.EXPIRE): _ENDING,
    (_DOWN, Event.NODE_LOST): _OVER,
    # Nobody may attach any more; the end waits for the agent's word, or for its time to pass.
    (_ENDING, Event.CLIENT_LOST): _ENDING,
    (_ENDING, Event.TERMINATE): _ENDING,
    (_ENDING, Event.EXITED): _OVER,
    (_ENDING, Event.FAIL): _OVER,
    (_ENDING, Event.EXPIRE): _OVER,
    (_ENDING, Event.NODE_LOST): _OVER,
    # Permanent. Asking again for an end that has come, or learning of it late, changes nothing.
    **{
        (over, event): over
        for over in (_OVER, _BROKEN)
        for event in Event
        if event not in (Event.ONE_SIDE, Event.BOTH_SIDES)
    },
}
#: The pairs that change nothing but raise: each would be a fault of whoever tried.
REFUSED: frozenset[tuple[Status, Event]] = frozenset(
    {
        # Both sides were there: whoever attaches now finds the other, or its place.
        (_UP, Event.ONE_SIDE),
        # Nobody attaches to what is ending, or has ended.
        *(
            (gone, event)
            for gone in (_ENDING, _OVER, _BROKEN)
            for event in (Event.ONE_SIDE, Event.BOTH_SIDES)
        ),
    }
)


def advance(status: Status, event: Event) -> Status:
    """The state after `event`; IllegalTransition for a pair that is refused."""
    try:
        return TABLE[status, event]
    except KeyError:
        raise IllegalTransition(f"A session that is {status} cannot {event}.") from None
