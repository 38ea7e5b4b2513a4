"""Messages of the queue of rechecks in, a partial batch response out.

What is not answered for comes again; what fails every time lands in the dead-letter queue, which
has an alarm. Either way the sweep of the next minute ends what is to be ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hatchway.core.errors import HatchwayError
from lambdas.logline import Line
from lambdas.ports import Disconnection
from lambdas.sweep.handler import Sweep

#: Messages in a batch; SQS's own limit for an event source mapping.
MAX_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Rechecks:
    """Looks again at nodes that went. `read` reads a message's body, or raises ValueError."""

    sweep: Sweep
    read: Callable[[str], Disconnection]

    def handle(self, event: Mapping[str, object], line: Line) -> dict[str, object]:
        records = event.get("Records")
        listed = records[:MAX_RECORDS] if isinstance(records, list) else []
        line.note(records=len(listed))
        failed = [record["messageId"] for record in listed if not self._done(record, line)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def _done(self, record: Mapping[str, object], line: Line) -> bool:
        try:
            return self.sweep.recheck(self.read(str(record["body"])), line)
        except HatchwayError as error:
            line.warning()
            line.count("failed")
            line.note(code=error.code)
        except Exception as error:
            line.count("failed")
            line.failed(error)
        return False
