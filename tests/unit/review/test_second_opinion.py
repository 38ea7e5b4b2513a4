"""The second opinion counts in the review as it does at the start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import AccessDeniedException, ThrottlingException
from hatchway.core.lifecycle import Status
from hatchway.core.policy import Outcome
from lambdas.memory.simulator import MemorySimulator
from lambdas.opinion import Mode, SecondOpinion
from lambdas.review import handler
from tests.unit.review.test_warnings import until
from tests.unit.review.world import Reviewed
from tests.unit.sessions.world import allow

START = allow("ssm:StartSession")


@pytest.fixture
def simulator(world: Reviewed) -> MemorySimulator:
    made = MemorySimulator()
    world.second = SecondOpinion(made, Mode.BOTH)
    return made


def test_what_only_iam_sees_ends_a_session(world: Reviewed, simulator: MemorySimulator) -> None:
    """A service control policy, for one."""
    session = world.attached(world.user("john", START))
    world.review()
    assert world.now(session).status is Status.CONNECTED
    simulator.outcome = Outcome.EXPLICITLY_DENIED
    world.review()
    assert world.now(session).end_reason == "access revoked"


def test_what_iam_alone_decides_is_not_ended_by_us_and_nobody_is_warned(
    world: Reviewed, simulator: MemorySimulator
) -> None:
    world.second = SecondOpinion(simulator, Mode.SIMULATOR)
    john = world.user("john", START)
    session = world.attached(john)
    world.again(john)
    world.review()
    assert world.now(session).status is Status.CONNECTED
    assert world.notices(session) == []


def test_a_date_that_both_see_is_warned_of(world: Reviewed, simulator: MemorySimulator) -> None:
    session = world.attached(world.user("john", until(world, 90)))
    world.review()
    assert world.notices(session) == [{"notice": "accessEnding", "Seconds": 90}]


def test_where_the_simulator_does_not_answer_nothing_is_ended(
    world: Reviewed, simulator: MemorySimulator
) -> None:
    session = world.attached(world.user("john", START))
    simulator.failure = ThrottlingException()
    line = world.review()
    assert (line.fields["unasked"], line.level) == (1, "WARNING")
    assert world.now(session).status is Status.CONNECTED


def test_an_owner_whom_the_simulator_does_not_know_has_no_permission(
    world: Reviewed, simulator: MemorySimulator
) -> None:
    session = world.attached(world.user("john", START))
    unrecorded = world.started(world.user("john", START))
    world.sessions.update(unrecorded, replace(unrecorded, about=None))
    simulator.failure = AccessDeniedException()
    assert world.review().fields["revoked"] == 2
    assert world.now(session).end_reason == "access revoked"


def test_a_simulator_that_takes_too_long_leaves_the_rest_to_the_next_run(
    world: Reviewed, simulator: MemorySimulator
) -> None:
    john = world.user("john", START)
    for _ in range(4):
        world.attached(john)

    class Slow:
        def simulate(self, source_arn: str, request: object) -> Outcome:
            world.clock.advance(handler.BUDGET / 1.5)
            return Outcome.ALLOWED

    world.second = SecondOpinion(Slow(), Mode.BOTH)
    assert world.review().fields["unasked"] == 2
