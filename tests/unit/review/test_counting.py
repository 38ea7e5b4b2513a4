"""Counts that drifted are put right; what starts or ends meanwhile is never counted away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Count
from lambdas.review import counting
from lambdas.review.counting import FORGOTTEN, SETTLED
from tests.unit.review.world import Reviewed
from tests.unit.sessions.world import NODE, Person, allow

NAME = f"node/{NODE}"


def john_of(world: Reviewed) -> Person:
    return world.user("john", allow("ssm:*"))


def count(world: Reviewed) -> int | None:
    return {each.name: each.sessions for each in world.sessions.counts()}.get(NAME)


def drift(world: Reviewed, sessions: int) -> None:
    """The count is wrong from now on."""
    read = next(each for each in world.sessions.counts() if each.name == NAME)
    assert world.sessions.recount(read, sessions)


@pytest.mark.parametrize("wrong", [1, 7, -3])
def test_a_wrong_count_is_put_right(world: Reviewed, wrong: int) -> None:
    john = john_of(world)
    world.started(john)
    world.started(john)
    drift(world, wrong)
    world.clock.advance(SETTLED)
    line = world.review()
    assert count(world) == 2
    assert (line.fields["drift"], line.level) == (1, "WARNING")
    assert "drift" not in world.review().fields


def test_a_count_that_just_changed_is_left_alone(world: Reviewed) -> None:
    world.started(john_of(world))
    drift(world, 7)
    world.clock.advance(SETTLED - 0.1)
    world.review()
    assert count(world) == 7


def test_a_caller_who_was_locked_out_by_a_wrong_count_can_start_again(world: Reviewed) -> None:
    john = john_of(world)
    world.started(john)
    drift(world, 1000)
    assert world.start(john).code == "LimitExceededException"
    world.clock.advance(SETTLED)
    world.review()
    assert world.start(john).status == 200


def test_a_count_that_was_lost_is_made_anew(world: Reviewed) -> None:
    world.started(john_of(world))
    for each in world.sessions.counts():
        world.sessions.recount(each, 0)
    assert world.sessions.counts() == []
    world.review()
    assert {each.sessions for each in world.sessions.counts()} == {1}


def test_a_count_of_nothing_is_forgotten_after_a_while(world: Reviewed) -> None:
    john = john_of(world)
    world.terminate(john, world.started(john).session_id)
    world.review()
    assert count(world) == 0
    world.clock.advance(FORGOTTEN)
    assert world.review().level == "INFO"
    assert count(world) is None


class Starting(MemorySessions):
    """Another session starts while the review looks."""

    world: Reviewed | None = None

    def counts(self) -> Sequence[Count]:
        found = super().counts()
        world, self.world = self.world, None
        if world is not None:
            world.clock.advance(1)
            world.started(john_of(world))
        return found


def test_a_session_that_starts_between_counting_and_writing_is_not_counted_away() -> None:
    world = Reviewed()
    world.sessions = sessions = Starting(world.clock)
    world.rebuild()
    world.started(john_of(world))
    drift(world, 7)
    world.clock.advance(SETTLED)
    sessions.world = world
    world.review()
    assert count(world) == 8  # wrong still, and put right by the next review, once it stands still
    world.clock.advance(SETTLED)
    world.review()
    assert count(world) == 2


class Throttled(MemorySessions):
    where = ""

    def counts(self) -> Sequence[Count]:
        if self.where == "counts":
            raise ThrottlingException()
        return super().counts()

    def recount(self, read: Count, sessions: int) -> bool:
        raise ThrottlingException()


@pytest.mark.parametrize("where", ["counts", "recount"])
def test_a_review_does_not_hang_on_its_counts(where: str) -> None:
    world = Reviewed()
    world.sessions = sessions = Throttled(world.clock)
    sessions.where = where
    world.rebuild()
    john = john_of(world)
    session = world.attached(john)
    world.clock.advance(FORGOTTEN)
    sessions.active_on(NODE)
    world.again(john)
    world.sessions._counts[NAME] = Count(name=NAME, sessions=9, changed=1.0)
    line = world.review()
    assert world.now(session).end_reason == "access revoked"
    assert (line.fields["failed"], line.level) == (1, "WARNING")


def test_one_run_writes_a_named_number_of_counts(
    monkeypatch: pytest.MonkeyPatch, world: Reviewed
) -> None:
    monkeypatch.setattr(counting, "MAX_WRITES", 2)
    world.started(john_of(world))
    for each in world.sessions.counts():
        world.sessions.recount(each, 5)
    world.clock.advance(SETTLED)
    assert world.review().fields["drift"] == 2
    assert world.review().fields["drift"] == 1


@given(st.lists(st.sampled_from(["start", "end", "drift", "wait"]), max_size=40))
def test_whatever_happens_the_counts_are_right_a_while_after(happens: list[str]) -> None:
    world = Reviewed()
    john = john_of(world)
    running: list[str] = []
    for event in happens:
        world.clock.advance(1)
        if event == "start" and len(running) < 5:
            running.append(world.started(john).session_id)
        elif event == "end" and running:
            world.terminate(john, running.pop(0))
        elif event == "drift" and count(world) is not None:
            drift(world, 3)
        elif event == "wait":
            world.clock.advance(SETTLED)
            world.review()
    world.clock.advance(SETTLED)
    world.review()
    active = [s for s in world.sessions.active().sessions if s.status is not Status.TERMINATED]
    assert {each.sessions for each in world.sessions.counts()} - {0} == {len(active)} - {0}
