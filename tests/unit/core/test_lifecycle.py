"""Every (state, event) pair of a session's life is a decision."""

import pytest

from hatchway.core.errors import IllegalTransition
from hatchway.core.lifecycle import ACTIVE, ENDED, REFUSED, TABLE, Event, Status, advance

C, UP, DOWN = Status.CONNECTING, Status.CONNECTED, Status.DISCONNECTED
ENDING, OVER, BROKEN = Status.TERMINATING, Status.TERMINATED, Status.FAILED
NO = None

# Written out again on purpose: states across, events down, as a person reads it.
#                       Connecting  Connected  Disconnected  Terminating  Terminated  Failed
EXPECTED = {
    Event.ONE_SIDE:    (C,          NO,        DOWN,         NO,          NO,         NO),
    Event.BOTH_SIDES:  (UP,         UP,        UP,           NO,          NO,         NO),
    Event.CLIENT_LOST: (C,          DOWN,      DOWN,         ENDING,      OVER,       BROKEN),
    Event.TERMINATE:   (ENDING,     ENDING,    ENDING,       ENDING,      OVER,       BROKEN),
    Event.EXITED:      (OVER,       OVER,      OVER,         OVER,        OVER,       BROKEN),
    Event.FAIL:        (BROKEN,     BROKEN,    BROKEN,       OVER,        OVER,       BROKEN),
    Event.EXPIRE:      (BROKEN,     ENDING,    ENDING,       OVER,        OVER,       BROKEN),
    Event.NODE_LOST:   (BROKEN,     OVER,      OVER,         OVER,        OVER,       BROKEN),
}  # fmt: skip
STATES = (C, UP, DOWN, ENDING, OVER, BROKEN)


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("status", STATES)
def test_each_pair_of_state_and_event_does_what_the_table_says(
    status: Status, event: Event
) -> None:
    expected = EXPECTED[event][STATES.index(status)]
    if expected is None:
        with pytest.raises(IllegalTransition):
            advance(status, event)
    else:
        assert advance(status, event) is expected


def test_every_pair_is_decided_once() -> None:
    pairs = {(status, event) for status in Status for event in Event}
    assert set(TABLE) | REFUSED == pairs
    assert not set(TABLE) & REFUSED


def test_an_ended_session_never_becomes_active_again() -> None:
    assert all(after in ENDED for (before, _), after in TABLE.items() if before in ENDED)
    assert set(Status) == ACTIVE | ENDED


def test_every_active_state_can_end() -> None:
    for status in ACTIVE:
        assert any(TABLE.get((status, event)) in ENDED for event in Event)
