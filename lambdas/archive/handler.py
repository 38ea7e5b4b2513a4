"""The archive: each minute all sessions that run are to be looked at, and each look is a message.

What is not done comes again, soon; what fails every time lands in the dead-letter queue, which has
an alarm. A session's recording waits in its log group meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hatchway.core.errors import HatchwayError
from lambdas.archive.looking import Looking
from lambdas.logline import Line
from lambdas.ports import Busy, Look, Looks, SessionStore, Why

#: Messages in a batch; SQS's own limit for an event source mapping.
MAX_RECORDS = 10_000
#: Pages of one minute; what lies behind them waits for those before it to end.
MAX_PAGES = 100
#: Sessions that are looked at twice a minute. Of more, each is looked at once: GetLogEvents takes
#: 25 calls a second of an account.
TWICE = 500
HALF_A_MINUTE = 30
#: Seconds until what was not done is tried again, and until another run is done with it.
AGAIN, WAIT = 60, 10


@dataclass(frozen=True, slots=True)
class Archivist:
    """`read` reads a message's body, or raises ValueError."""

    sessions: SessionStore
    looking: Looking
    looks: Looks
    read: Callable[[str], Look]

    def handle(self, event: Mapping[str, object], line: Line) -> dict[str, object]:
        """A minute, or a batch of looks; then what is not done, as SQS wants it."""
        if "Records" not in event:
            self._minute(line)
            return {}
        records = event["Records"]
        listed = records[:MAX_RECORDS] if isinstance(records, list) else []
        line.note(records=len(listed))
        failed = [record["messageId"] for record in listed if not self._done(record, line)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def _minute(self, line: Line) -> None:
        running = self._running(line)
        self.looks.ask(running)
        if len(running) <= TWICE:
            self.looks.ask(running, HALF_A_MINUTE)
        line.note(sessions=len(running))

    def _running(self, line: Line) -> list[Look]:
        found, token = list[Look](), ""
        for _ in range(MAX_PAGES):
            page = self.sessions.active(token)
            found += [Look(session_id=s.session_id, why=Why.RUNS) for s in page.sessions]
            token = page.next_token
            if not token:
                return found
        line.warning()
        line.note(truncated=True)
        return found

    def _done(self, record: Mapping[str, object], line: Line) -> bool:
        try:
            if self._looked(self.read(str(record["body"])), line):
                return True
        except HatchwayError as error:
            line.warning()
            line.count("failed")
            line.note(code=error.code, detail=error.message)
        except Exception as error:
            line.count("failed")
            line.failed(error)
        self._again(record, line)
        return False

    def _looked(self, look: Look, line: Line) -> bool:
        """Where another run is at the session, that is no failure: of one that runs it does what
        there is to do, and an end is asked for anew."""
        try:
            return self.looking.look(look, line)
        except Busy:
            line.count("busy")
        if look.why in (Why.ENDED, Why.LATE):
            self.looks.ask([look], WAIT)
        return True

    def _again(self, record: Mapping[str, object], line: Line) -> None:
        try:
            self.looks.again(str(record["receiptHandle"]), AGAIN)
        except HatchwayError as error:  # then it comes when its time is over
            line.note(again=error.code)
