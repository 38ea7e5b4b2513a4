"""A run that fails after it kept something: the next one does what is still to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hatchway.core.errors import InternalServerError, ThrottlingException
from hatchway.core.transcript.evidence import Manifest
from hatchway.core.transcript.stated import Stated
from lambdas.archive.following import Failure, Following
from lambdas.archive.telling import INCOMPLETE
from lambdas.ports import LATE, Look, Session, Why
from tests.unit.archive.world import BUCKET, World
from tests.unit.edge.world import SESSION

LATE_LOOK = (Look(session_id=SESSION, why=Why.LATE), LATE)


class Dying(Following):
    """The function's time is over while a destination takes its part."""

    def follow(self, session: Session, manifest: Manifest) -> Sequence[Failure]:
        raise TimeoutError


@pytest.fixture
def world() -> World:
    """A session of which the node says that more passed than was stored."""
    made = World()
    made.begin(s3BucketName=BUCKET)
    made.print(b"one")
    made.end(stated=Stated(sent=5))
    return made


def die_while_feeding(world: World, why: Why) -> None:
    whole = world.looking
    fed = whole.following
    dying = Dying(fed.archive, fed.groups, fed.buckets, fed.allowed, fed.region)
    world.looking = replace(whole, following=dying)
    with pytest.raises(TimeoutError):
        world.look(why)
    world.looking = whole


def failed(world: World) -> list[object]:
    return [detail["errorCode"] for kind, detail, _ in world.bus.events if "Failed" in kind]


def ids_of(world: World, kind: str) -> list[object]:
    return [detail["id"] for told, detail, _ in world.bus.events if told == kind]


def test_the_last_look_is_asked_for_before_the_destinations_are_fed(world: World) -> None:
    die_while_feeding(world, Why.ENDED)
    assert world.looks.asked == [LATE_LOOK]
    assert world.told == ["Recording Stored"]


def test_where_the_run_dies_before_it_asks_the_next_one_asks_and_tells(world: World) -> None:
    world.looks.failure = ThrottlingException()
    with pytest.raises(ThrottlingException):
        world.look(Why.ENDED)
    assert world.kept.final
    assert world.told == []
    world.looks.failure = None
    assert world.look(Why.ENDED)
    assert world.looks.asked == [LATE_LOOK]
    assert world.told == ["Recording Stored"]


def test_where_the_bus_fails_people_hear_of_it_from_the_next_run(world: World) -> None:
    world.bus.failure = InternalServerError()
    for _ in range(2):
        with pytest.raises(InternalServerError):
            world.look(Why.ENDED)
    assert LATE_LOOK in world.looks.asked
    world.bus.failure = None
    assert world.look(Why.ENDED)
    assert world.told == ["Recording Stored"]
    world.look(Why.LATE)
    assert failed(world) == [INCOMPLETE]


def test_a_destination_that_goes_on_failing_has_it_told_twice_at_most(world: World) -> None:
    world.destinations.failure = ThrottlingException()
    for _ in range(4):
        assert not world.look(Why.ENDED)
    stored = ids_of(world, "Recording Stored")
    assert len(stored) == 2
    assert len(set(stored)) == 1
    assert world.looks.asked == [LATE_LOOK] * 2


def test_one_look_at_an_end_and_the_last_one_tell_it_once(world: World) -> None:
    world.look(Why.ENDED)
    world.look(Why.LATE)
    assert world.told == ["Recording Stored", "Recording Failed"]
    assert world.looks.asked == [LATE_LOOK]


def test_what_is_missing_is_told_where_the_bus_failed_at_first(world: World) -> None:
    world.look(Why.ENDED)
    world.bus.failure = InternalServerError()
    with pytest.raises(InternalServerError):
        world.look(Why.LATE)
    assert failed(world) == []
    world.bus.failure = None
    world.look(Why.LATE)
    assert failed(world) == [INCOMPLETE]
    assert world.counted == ["RecordingFailed"]


def test_what_is_missing_is_told_before_the_gap_is_kept(world: World) -> None:
    """Where the gap cannot be kept it is told again, and both are one by their id."""
    world.look(Why.ENDED)
    world.signer.failure = InternalServerError()
    with pytest.raises(InternalServerError):
        world.look(Why.LATE)
    assert failed(world) == [INCOMPLETE]
    world.signer.failure = None
    world.look(Why.LATE)
    assert len(set(ids_of(world, "Recording Failed"))) == 1
    world.look(Why.LATE)
    assert failed(world) == [INCOMPLETE] * 2
