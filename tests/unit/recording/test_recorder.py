"""Recording beside a delivery, and before it: nothing that is wanted holds anything up."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from hatchway.core.errors import (
    HatchwayError,
    InternalServerError,
    RecordingUnavailable,
    ThrottlingException,
)
from hatchway.core.recording import Mode, Passed, Terms, dump
from hatchway.core.transcript.chunks import Side
from hatchway.core.wire import MessageType
from lambdas.logline import Line
from lambdas.memory.clock import ManualClock
from lambdas.memory.recordings import MemoryRecordings, MemoryTroubles
from lambdas.recording import HELD, MAX_SESSIONS, TOLD, Recorder, Worker
from tests.unit.edge.frames import frame

SESSION = "john-0123456789abcdef0"
FRAME = frame(MessageType.OUTPUT, b"$ ")
PASSED = Passed(side=Side.NODE, generation=3, frames=(FRAME,))


class Setting:
    """A recorder, and what happened in which order."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.recordings, self.troubles = MemoryRecordings(), MemoryTroubles()
        self.line = Line("uplink")
        self.order: list[str] = []
        self.unsealed: HatchwayError | None = None
        self.recorder = self.instance()

    def instance(self) -> Recorder:
        return Recorder(self.recordings, self.troubles, self.clock, self._seal, self._beside)

    def _beside(self, act: Callable[[], None]) -> Callable[[], None]:
        """As if the log were slower than the delivery."""
        self.order.append("begun")

        def wait() -> None:
            act()
            self.order.append("recorded")

        return wait

    def _seal(self, session: str, passed: Passed) -> str:
        if self.unsealed is not None:
            raise self.unsealed
        return dump(passed)

    def carry(self, terms: Terms, passed: Passed = PASSED, session: str = SESSION) -> str:
        def deliver() -> str:
            self.order.append("delivered")
            return "delivered"

        return self.recorder.carry(session, terms, passed, deliver, self.line)

    @property
    def recorded(self) -> list[Passed]:
        return self.recordings.passed(SESSION)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_what_is_wanted_is_recorded_while_it_is_delivered(setting: Setting) -> None:
    assert setting.carry(Terms()) == "delivered"
    assert setting.order == ["begun", "delivered", "recorded"]
    assert setting.recorded == [PASSED]


def test_what_is_required_is_recorded_before_it_is_delivered(setting: Setting) -> None:
    seen: list[int] = []
    setting.recorder.carry(
        SESSION, Terms(Mode.REQUIRED), PASSED, lambda: seen.append(len(setting.recorded)), Line("x")
    )
    assert seen == [1]


def test_nothing_is_recorded_where_recording_is_off(setting: Setting) -> None:
    assert setting.carry(Terms(Mode.OFF)) == "delivered"
    assert setting.recordings.streams == {}


def test_a_call_with_nothing_to_record_costs_no_write(setting: Setting) -> None:
    nothing = Passed(side=Side.NODE, generation=1)
    for mode in Mode:
        assert setting.carry(Terms(mode), nothing) == "delivered"
    assert setting.recordings.streams == {}


@pytest.mark.parametrize("failure", [ThrottlingException(), InternalServerError()])
def test_a_wanted_recording_that_fails_is_counted_and_delivered(
    setting: Setting, failure: Exception
) -> None:
    setting.recordings.failure = failure  # type: ignore[assignment]
    assert setting.carry(Terms()) == "delivered"
    assert setting.line.fields["unrecorded"] == 1
    assert setting.troubles.told == []


def test_a_log_that_does_not_answer_is_left_alone_for_seconds(setting: Setting) -> None:
    setting.recordings.failure = InternalServerError()
    setting.carry(Terms())
    setting.recordings.failure = None
    setting.carry(Terms())
    assert setting.recorded == []
    assert setting.line.fields["unrecorded"] == 2
    setting.clock.advance(HELD)
    setting.carry(Terms())
    assert len(setting.recorded) == 1


def test_a_log_that_is_throttled_is_tried_with_the_next_call(setting: Setting) -> None:
    setting.recordings.failure = ThrottlingException()
    setting.carry(Terms())
    setting.recordings.failure = None
    setting.carry(Terms())
    assert len(setting.recorded) == 1


def test_a_required_recording_that_fails_delivers_nothing_and_asks_for_the_end(
    setting: Setting,
) -> None:
    setting.recordings.failure = InternalServerError()
    with pytest.raises(RecordingUnavailable):
        setting.carry(Terms(Mode.REQUIRED))
    assert "delivered" not in setting.order
    assert setting.troubles.told == [SESSION]


def test_what_cannot_be_sealed_is_never_stored_in_clear(setting: Setting) -> None:
    setting.unsealed = InternalServerError()
    assert setting.carry(Terms()) == "delivered"
    with pytest.raises(RecordingUnavailable):
        setting.carry(Terms(Mode.REQUIRED))
    assert setting.recordings.streams == {}
    assert setting.troubles.told == [SESSION]


@pytest.mark.parametrize("mode", [Mode.BESIDE, Mode.REQUIRED])
def test_what_passed_bears_the_time_at_which_it_came_however_long_it_is_sealed(
    setting: Setting, mode: Mode
) -> None:
    came = int(setting.clock() * 1000)

    def slow(session: str, passed: Passed) -> str:
        setting.clock.advance(5)
        return dump(passed)

    object.__setattr__(setting.recorder, "seal", slow)
    setting.carry(Terms(mode))
    [(at, _)] = setting.recordings.streams[SESSION]
    assert at == came


def test_the_end_is_asked_for_once_in_a_while(setting: Setting) -> None:
    setting.recordings.failure = InternalServerError()
    for _ in range(3):
        with pytest.raises(RecordingUnavailable):
            setting.carry(Terms(Mode.REQUIRED))
    assert setting.troubles.told == [SESSION]
    setting.clock.advance(TOLD)
    with pytest.raises(RecordingUnavailable):
        setting.carry(Terms(Mode.REQUIRED))
    assert setting.troubles.told == [SESSION, SESSION]


def test_a_queue_that_does_not_take_it_is_asked_again_by_the_next_call(setting: Setting) -> None:
    setting.recordings.failure = setting.troubles.failure = InternalServerError()
    with pytest.raises(RecordingUnavailable):
        setting.carry(Terms(Mode.REQUIRED))
    setting.troubles.failure = None
    with pytest.raises(RecordingUnavailable):
        setting.carry(Terms(Mode.REQUIRED))
    assert setting.troubles.told == [SESSION]


class TestCap:
    """Bytes a minute, of this instance."""

    def test_beyond_it_one_marker_is_recorded_and_all_is_delivered(self, setting: Setting) -> None:
        for _ in range(4):
            assert setting.carry(Terms(cap=len(FRAME) + 1)) == "delivered"
        first, second, marker = setting.recorded
        assert first.frames == second.frames == (FRAME,)  # the one that reaches it is recorded
        assert marker.frames == ()
        assert "bytes a minute" in marker.note
        assert setting.line.fields["capped"] == 2

    def test_the_next_minute_begins_anew(self, setting: Setting) -> None:
        for _ in range(2):
            setting.carry(Terms(cap=1))
        setting.clock.advance(60)
        setting.carry(Terms(cap=1))
        assert [bool(passed.frames) for passed in setting.recorded] == [True, False, True]

    def test_instances_count_by_themselves_and_pass_their_cap_by_one_upload_each(
        self, setting: Setting
    ) -> None:
        """The bound in docs/protocol.md: instances x (cap + one upload)."""
        cap, instances = 3 * len(FRAME) + 1, [setting.recorder, setting.instance()]
        for _ in range(10):
            for recorder in instances:
                recorder.carry(SESSION, Terms(cap=cap), PASSED, lambda: None, Line("uplink"))
        recorded = sum(len(frame) for passed in setting.recorded for frame in passed.frames)
        assert len(instances) * cap <= recorded <= len(instances) * (cap + len(FRAME))
        assert sum(bool(passed.note) for passed in setting.recorded) == len(instances)

    def test_each_session_has_its_own(self, setting: Setting) -> None:
        setting.carry(Terms(cap=1))
        setting.carry(Terms(cap=1), session="mary-0123456789abcdef0")
        assert all(len(each) == 1 for each in setting.recordings.streams.values())
        assert len(setting.recordings.streams) == 2

    def test_what_is_required_waits_for_room(self, setting: Setting) -> None:
        setting.carry(Terms(Mode.REQUIRED, cap=1))
        with pytest.raises(ThrottlingException):
            setting.carry(Terms(Mode.REQUIRED, cap=1))
        setting.clock.advance(60)
        assert setting.carry(Terms(Mode.REQUIRED, cap=1)) == "delivered"
        assert setting.troubles.told == []


def test_no_more_sessions_are_remembered_than_the_limit(setting: Setting) -> None:
    for number in range(MAX_SESSIONS + 1):
        setting.carry(Terms(cap=1), session=f"john-{number:017x}")
    assert len(setting.recorder.memory.sizes) == MAX_SESSIONS


def test_what_a_worker_does_is_waited_for_and_one_thread_does_it_all() -> None:
    worker, threads = Worker(), set()
    for _ in range(3):
        worker(lambda: threads.add(threading.get_ident()))()
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_a_worker_goes_on_while_its_caller_does_something_else() -> None:
    worker, entered, leave = Worker(), threading.Event(), threading.Event()
    done: list[str] = []

    def act() -> None:
        entered.set()
        leave.wait(10)
        done.append("beside")

    wait = worker(act)
    assert entered.wait(10)
    done.append("delivered")
    leave.set()
    wait()
    assert done == ["delivered", "beside"]


def test_what_fails_is_its_callers_and_the_worker_is_there_for_the_next() -> None:
    worker = Worker()
    with pytest.raises(ZeroDivisionError):
        worker(lambda: print(1 // 0))()
    done: list[str] = []
    worker(lambda: done.append("next"))()
    assert done == ["next"]
