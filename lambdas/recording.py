"""Records what passes while it is delivered, or before, as the session's terms say.

A recording that is wanted and fails never keeps anything from being delivered: it is counted, and
the archive shows the numbers that are missing. One that is required and fails keeps it back, and
has the session ended.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Protocol, TypeVar

from hatchway.core.errors import HatchwayError, RecordingUnavailable, ThrottlingException
from hatchway.core.recording import Mode, Passed, Terms
from lambdas.logline import Line
from lambdas.ports import Clock, Recordings, Troubles
from lambdas.recent import keep

#: Seconds for which nothing more is tried after the log did not answer: what is typed must not
#: wait for it again and again.
HELD = 5.0
#: Seconds in which this instance asks once for the end of a session that cannot be recorded.
TOLD = 10.0
#: Sessions remembered, for their bytes and for their ends.
MAX_SESSIONS = 1024
MINUTE = 60.0
#: What a line counts where a message was not recorded; a metric, which has an alarm.
UNRECORDED = "unrecorded"

T = TypeVar("T")
Wait = Callable[[], None]
#: The text of a log event, of a session and what passed: `Sealing`.
Seal = Callable[[str, Passed], str]


class Beside(Protocol):
    """Runs something while the caller goes on; what it gives waits for the end."""

    def __call__(self, act: Callable[[], None], /) -> Wait: ...


class Worker:
    """A thread that is kept, for what is done beside: to start one for each message costs more
    than the message. An invocation of Lambda ends when both are done, so it is idle then."""

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work] = SimpleQueue()
        self._starting = Lock()
        self._thread: Thread | None = None

    def __call__(self, act: Callable[[], None], /) -> Wait:
        work = _Work(act)
        self._started()
        self._work.put(work)
        return work.wait

    def _started(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._work.get().perform()


class _Work:
    """Something to do, and what came of it."""

    __slots__ = ("_act", "_done", "_error")

    def __init__(self, act: Callable[[], None]) -> None:
        self._act, self._done = act, Lock()
        self._error: Exception | None = None
        self._done.acquire()

    def perform(self) -> None:
        try:
            self._act()
        except Exception as error:  # the thread is for the next one, too
            self._error = error
        finally:
            self._done.release()

    def wait(self) -> None:
        """Returns when it was done; raises what it raised. To be called once."""
        self._done.acquire()
        if self._error is not None:
            raise self._error


@dataclass(slots=True)
class _Memory:
    """What this instance remembers of the sessions seen last."""

    held_until: float = 0.0
    told: OrderedDict[str, float] = field(default_factory=OrderedDict)
    #: Minute, bytes recorded in it, and whether the cap was reached.
    sizes: OrderedDict[str, tuple[int, int, bool]] = field(default_factory=OrderedDict)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Carries one call: what it delivers, and what is recorded of it."""

    recordings: Recordings
    troubles: Troubles
    clock: Clock
    seal: Seal
    beside: Beside = field(default_factory=Worker)
    memory: _Memory = field(default_factory=_Memory)

    def carry(
        self,
        session: str,
        terms: Terms,
        passed: Passed,
        deliver: Callable[[], T],
        line: Line,
    ) -> T:
        """What `deliver` gives. RecordingUnavailable where the terms require a recording that
        cannot be stored, ThrottlingException where they leave no room for it: in both cases
        nothing was delivered."""
        if terms.mode is Mode.OFF or not passed.frames:
            return deliver()
        # Before anything that takes its time: calls at once keep their order in the log.
        at = int(self.clock() * 1000)
        if terms.mode is Mode.REQUIRED:
            self._required(session, terms, passed, at, line)
            return deliver()
        wait = self.beside(lambda: self._wanted(session, terms, passed, at, line))
        try:
            return deliver()
        finally:
            wait()

    # --- required -------------------------------------------------------------------------------

    def _required(self, session: str, terms: Terms, passed: Passed, at: int, line: Line) -> None:
        if self._room(session, terms, passed) is not None:
            line.count("capped")
            raise ThrottlingException("The session's recording has no room for more this minute.")
        try:
            self._append(session, passed, at)
        except HatchwayError as error:
            line.count(UNRECORDED)
            line.note(recording=error.code)
            self._tell(session, line)
            raise RecordingUnavailable() from error

    def _tell(self, session: str, line: Line) -> None:
        now, told = self.clock(), self.memory.told
        if now - told.get(session, 0.0) < TOLD:
            return
        try:
            self.troubles.tell(session)
        except HatchwayError as error:  # the next message tries again; nothing passes till then
            line.note(trouble=error.code)
            return
        keep(told, session, now, MAX_SESSIONS)

    # --- wanted ---------------------------------------------------------------------------------

    def _wanted(self, session: str, terms: Terms, passed: Passed, at: int, line: Line) -> None:
        if self.clock() < self.memory.held_until:
            line.count(UNRECORDED)
            return
        found = self._room(session, terms, passed)
        if found is not None:
            line.count("capped")
            if not found.note:
                return
            passed = found
        try:
            self._append(session, passed, at)
        except ThrottlingException as error:  # a quick answer: nobody has waited long
            line.count(UNRECORDED)
            line.note(recording=error.code)
        except HatchwayError as error:
            line.count(UNRECORDED)
            line.note(recording=error.code)
            self.memory.held_until = self.clock() + HELD
        except Exception as error:  # in a thread, where nobody would see it
            line.count(UNRECORDED)
            line.failed(error)

    def _append(self, session: str, passed: Passed, at: int) -> None:
        self.recordings.append(session, self.seal(session, passed), at)

    def _room(self, session: str, terms: Terms, passed: Passed) -> Passed | None:
        """None where this still has room in the minute. Else what is recorded in its place: a
        marker for the first of a minute, nothing (no note) for those after it."""
        if not terms.cap:
            return None
        now, sizes = int(self.clock() // MINUTE), self.memory.sizes
        minute, size, marked = sizes.get(session, (now, 0, False))
        if minute != now:
            size, marked = 0, False
        full = size >= terms.cap
        size += 0 if full else sum(map(len, passed.frames))
        keep(sizes, session, (now, size, full), MAX_SESSIONS)
        if not full:
            return None
        note = f"no more than {terms.cap} bytes a minute are recorded: what follows is not"
        return Passed(
            side=passed.side,
            generation=passed.generation,
            note="" if marked else note,
            mark=f"cap/{now}/{passed.side}",
        )
