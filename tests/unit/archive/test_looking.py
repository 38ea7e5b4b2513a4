"""Looking at recordings: nothing lost, nothing twice, and what contradicts itself is ended."""

from __future__ import annotations

import pytest

from hatchway.core.errors import InternalServerError
from hatchway.core.lifecycle import Status
from hatchway.core.transcript.chunks import Kind
from lambdas.adapters import looks as forms
from lambdas.archive.handler import WAIT
from lambdas.archive.looking import CHECKPOINT, LARGE, SETTLE
from lambdas.endings import End
from lambdas.ports import LATE, Busy, Look, Why
from tests.unit.archive.world import World
from tests.unit.edge.world import SESSION


@pytest.fixture
def world() -> World:
    return World()


def test_the_end_of_a_session_puts_all_that_passed_into_the_archive(world: World) -> None:
    world.begin()
    for part in (b"one ", b"two ", b"three"):
        world.print(part)
    world.end()
    assert world.look(Why.ENDED)
    assert world.shown == b"one two three"
    assert world.kept.final
    assert world.told == ["Recording Stored"]


def test_little_that_is_new_waits_for_its_checkpoint(world: World) -> None:
    world.begin()
    world.print(b"a")
    world.look()
    assert world.bucket.objects == {}
    world.clock.advance(CHECKPOINT)
    world.look()
    assert world.shown == b"a"
    assert not world.kept.final


def test_much_that_is_new_does_not_wait(world: World) -> None:
    world.begin()
    for _ in range(LARGE // 20_000 + 1):
        world.print(b"x" * 20_000)
    world.look()
    assert len(world.shown) >= LARGE


def test_what_was_kept_is_not_kept_again(world: World) -> None:
    world.begin()
    world.print(b"a")
    world.clock.advance(CHECKPOINT)
    world.look()
    world.print(b"b")
    world.end()
    for _ in range(3):
        world.look(Why.ENDED)
    assert world.shown == b"ab"
    assert [chunk.index for chunk in world.chunks] == [0, 1]
    assert set(world.told) == {"Recording Stored"}


def test_a_repeat_is_kept_once(world: World) -> None:
    world.begin()
    world.print(b"a", 0)
    world.print(b"a", 0)
    world.print(b"b", 1)
    world.end()
    world.look(Why.ENDED)
    assert world.shown == b"ab"


def test_what_never_passed_is_a_gap_in_the_record(world: World) -> None:
    world.begin()
    world.print(b"a", 0)
    world.print(b"c", 2)
    world.end()
    world.look(Why.ENDED)
    assert [chunk.kind for chunk in world.chunks] == [Kind.OUTPUT, Kind.GAP, Kind.OUTPUT]
    [(_, detail, _)] = world.bus.events
    assert detail["gaps"] == 1


def test_what_is_odd_in_what_passed_stands_in_the_log_line(world: World) -> None:
    world.begin()
    world.print(b"a", 0)
    world.print(b"c", 2)
    world.recordings.append(SESSION, "rubbish", int(world.clock() * 1000))
    world.end()
    world.look(Why.ENDED)
    assert (world.line.fields["missing"], world.line.fields["malformed"]) == (1, 1)
    assert "late" not in world.line.fields


def test_another_content_under_a_number_ends_the_session_and_is_told(world: World) -> None:
    world.begin()
    world.print(b"good", 0)
    world.print(b"evil", 0)
    world.look()
    session = world.session
    assert session.status in (Status.TERMINATING, Status.TERMINATED)
    assert session.end_reason == End.CONTRADICTED
    assert world.told == ["Recording Mismatch"]
    assert world.counted == ["RecordingMismatch"]
    assert any("mismatch" in chunk.note for chunk in world.chunks)  # marked, at once
    world.look()
    assert world.told == ["Recording Mismatch"]


def test_an_end_waits_until_what_was_on_its_way_is_stored(world: World) -> None:
    world.begin()
    world.print(b"a")
    world.end(SETTLE - 1)
    world.look(Why.ENDED)
    assert world.bucket.objects == {}
    assert world.looks.asked == [(Look(session_id=SESSION, why=Why.ENDED), SETTLE)]


def test_what_comes_after_the_end_is_kept_by_a_later_look(world: World) -> None:
    world.begin()
    world.print(b"a")
    world.end()
    world.look(Why.ENDED)
    assert world.looks.asked == [(Look(session_id=SESSION, why=Why.LATE), LATE)]
    world.print(b"b")
    world.look(Why.LATE)
    assert world.shown == b"ab"
    assert world.kept.final
    assert len(world.looks.asked) == 1


def test_a_session_that_never_printed_has_a_manifest(world: World) -> None:
    world.begin()
    world.end()
    world.look(Why.ENDED)
    assert world.kept.final
    assert world.chunks == []


def test_a_session_that_must_be_recorded_and_is_not_is_ended(world: World) -> None:
    world.begin({"recordingRequired": True})
    world.look(Why.FAILED)
    assert world.session.end_reason == End.UNRECORDED
    assert world.told == ["Recording Failed"]


def test_two_runs_do_not_work_on_one_session(world: World) -> None:
    world.begin()
    with world.leases.hold(SESSION, 60.0), pytest.raises(Busy):
        world.look()
    assert world.look()


def test_a_run_that_dies_is_repeated(world: World) -> None:
    world.begin()
    world.print(b"a")
    world.end()
    world.bucket.failure = InternalServerError()
    with pytest.raises(InternalServerError):
        world.look(Why.ENDED)
    world.bucket.failure = None
    world.look(Why.ENDED)
    assert world.shown == b"a"


def test_a_session_that_nobody_knows_any_more_is_done(world: World) -> None:
    assert world.look()
    assert world.line.fields["unknown"] == 1


class TestHandler:
    """Minutes and batches."""

    def test_each_minute_all_that_runs_is_looked_at_twice(self, world: World) -> None:
        world.begin()
        world.archivist.handle({"source": "aws.events"}, world.line)
        look = Look(session_id=SESSION, why=Why.RUNS)
        assert world.looks.asked == [(look, 0), (look, 30)]

    def test_what_is_not_done_comes_again_soon(self, world: World) -> None:
        world.begin()
        world.print(b"a")
        world.end()
        world.bucket.failure = InternalServerError()
        body = '{"v":1,"why":"ended","session":"' + SESSION + '"}'
        record = {"messageId": "m1", "receiptHandle": "r1", "body": body}
        answer = world.archivist.handle({"Records": [record]}, world.line)
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
        assert world.looks.later == [("r1", 60)]

    @pytest.mark.parametrize(("why", "asked"), [(Why.RUNS, 0), (Why.ENDED, 1), (Why.LATE, 1)])
    def test_another_run_at_a_session_is_no_failure_and_an_end_is_asked_for_anew(
        self, world: World, why: Why, asked: int
    ) -> None:
        world.begin()
        look = Look(session_id=SESSION, why=why)
        record = {"messageId": "m1", "receiptHandle": "r1", "body": forms.written(look)}
        with world.leases.hold(SESSION, 60.0):
            answer = world.archivist.handle({"Records": [record]}, world.line)
        assert answer == {"batchItemFailures": []}
        assert world.looks.asked == [(look, WAIT)] * asked
        assert world.looks.later == []

    @pytest.mark.parametrize("body", ["", "{}", '{"v":2}', '{"v":1,"why":"x","session":"s"}'])
    def test_a_message_that_is_none_of_ours_ends_with_the_dead_letters(
        self, world: World, body: str
    ) -> None:
        record = {"messageId": "m1", "receiptHandle": "r1", "body": body}
        answer = world.archivist.handle({"Records": [record]}, world.line)
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
