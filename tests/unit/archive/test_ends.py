"""A missing end shows: the node says how much there was, and what is not there is a gap."""

from __future__ import annotations

import pytest

from hatchway.core.transcript.chunks import Kind, Side
from hatchway.core.transcript.evidence import Manifest
from hatchway.core.transcript.stated import Stated
from hatchway.core.transcript.verifying import Verification
from lambdas.archive.telling import INCOMPLETE
from lambdas.ports import Why
from tests.unit.archive.world import World
from tests.unit.transcript.frames import ANN, BOB


@pytest.fixture
def world() -> World:
    made = World()
    made.begin({"recordInput": True, "recordHiddenInput": True})
    made.print(b"one")
    made.print(b"two")
    return made


def manifest(world: World) -> Manifest:
    signed = world.kept.signed
    assert signed is not None
    return signed.manifest


def looked(world: World) -> None:
    """Both looks at an end."""
    world.look(Why.ENDED)
    world.look(Why.LATE)


def failed(world: World) -> list[object]:
    return [detail["errorCode"] for kind, detail, _ in world.bus.events if "Failed" in kind]


def test_what_was_stated_and_is_there_is_a_known_end(world: World) -> None:
    world.end(stated=Stated(sent=2))
    looked(world)
    assert manifest(world).end_known
    assert manifest(world).gaps == 0
    assert world.told == ["Recording Stored"]
    assert world.bus.events[0][1]["complete"] is True


def test_messages_that_passed_and_were_not_stored_are_a_gap_an_event_and_an_alarm(
    world: World,
) -> None:
    world.end(stated=Stated(sent=5))
    world.look(Why.ENDED)
    assert manifest(world).unstored == 3
    assert world.bus.events[0][1]["complete"] is False
    world.look(Why.LATE)
    *_, gap = world.chunks
    assert (gap.kind, gap.side, gap.sequence, gap.data) == (Kind.GAP, Side.NODE, 2, b"3 messages")
    assert manifest(world).sides[Side.NODE].messages == 5
    assert (manifest(world).unstored, manifest(world).gaps) == (0, 1)
    assert failed(world) == [INCOMPLETE]
    assert world.counted == ["RecordingFailed"]
    world.look(Why.LATE)
    assert failed(world) == [INCOMPLETE]  # once


def test_what_shows_itself_between_the_two_looks_is_in_its_place(world: World) -> None:
    world.end(stated=Stated(sent=3))
    world.look(Why.ENDED)
    world.print(b"three")
    world.look(Why.LATE)
    assert world.shown == b"onetwothree"
    assert manifest(world).gaps == 0
    assert failed(world) == []


def test_what_comes_after_the_gap_is_late(world: World) -> None:
    world.end(stated=Stated(sent=3))
    looked(world)
    world.print(b"three")
    world.look(Why.LATE)
    assert world.chunks[-1].note.startswith("late")
    assert manifest(world).sides[Side.NODE].messages == 3


def test_a_node_that_died_leaves_an_end_that_is_not_known(world: World) -> None:
    world.end()
    looked(world)
    assert manifest(world).final
    assert not manifest(world).end_known
    assert world.bus.events[0][1]["complete"] is False
    assert failed(world) == []
    assert b'"end":"unknown"' in world.kept.signed.text  # type: ignore[union-attr]


def test_what_the_node_says_after_the_first_manifest_is_in_the_next(world: World) -> None:
    world.end()
    world.look(Why.ENDED)
    world.say(Stated(sent=2))
    world.look(Why.LATE)
    assert manifest(world).end_known
    assert manifest(world).checkpoint == 1
    world.look(Why.LATE)
    assert manifest(world).checkpoint == 1


def test_a_session_that_goes_on_has_an_open_end(world: World) -> None:
    world.clock.advance(120)
    world.look()
    assert b'"end":"open"' in world.kept.signed.text  # type: ignore[union-attr]


def test_a_cap_on_what_is_recorded_is_no_failure() -> None:
    world = World()
    world.begin({"maxRecordedBytesPerMinute": 65536})
    world.print(b"one")
    world.end(stated=Stated(sent=5))
    looked(world)
    assert manifest(world).gaps == 1
    assert failed(world) == []


@pytest.mark.parametrize(
    ("client", "first", "missing"), [(str(ANN), 2, b"3 messages"), (str(BOB), 0, b"5 messages")]
)
def test_what_was_typed_and_not_stored_is_a_gap_of_the_clients(
    world: World, client: str, first: int, missing: bytes
) -> None:
    """Of the client that is known, and of one of which nothing was stored at all."""
    world.type(b"l", 0)
    world.type(b"s", 1)
    world.end(stated=Stated(sent=2, taken=5, client=client))
    looked(world)
    *_, gap = world.chunks
    assert (gap.side, gap.kind, gap.sequence, gap.data) == (Side.CLIENT, Kind.GAP, first, missing)
    assert failed(world) == [INCOMPLETE]
    verification = Verification(manifest(world))
    for segment in manifest(world).segments:
        verification.check(world.stored(segment.name))
    assert verification.finish() == []


def test_where_typing_is_not_recorded_nothing_typed_is_missing() -> None:
    world = World()
    world.begin()
    world.print(b"one")
    world.end(stated=Stated(sent=1, taken=5, client=str(ANN)))
    looked(world)
    assert manifest(world).gaps == 0
    assert failed(world) == []
