"""An event of the bus in, a text to a topic out.

EventBridge can send a text to SNS by itself, but only between quotes, and without a subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.errors import ValidationException
from lambdas.details import NODE_REFUSED, RECORDING_FAILED, RECORDING_MISMATCH
from lambdas.details.text import plain
from lambdas.logline import Line
from lambdas.ports import Notices

#: What goes to those who are woken, too.
URGENT = frozenset({NODE_REFUSED, RECORDING_FAILED, RECORDING_MISMATCH, "Evidence Changed"})
#: Characters of a subject: SNS takes ASCII, 100 at most. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_SUBJECT = 99
MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Notify:
    """`people` are told of sessions, `watch` of what is urgent."""

    people: Notices
    watch: Notices

    def handle(self, event: Mapping[str, object], line: Line) -> None:
        """Raises what SNS refuses: the event comes again, and in the end is kept."""
        kind, detail = event.get("detail-type"), event.get("detail")
        summary = detail.get("summary") if isinstance(detail, Mapping) else None
        if not isinstance(summary, str) or not summary:
            raise ValidationException("The event has no summary.")
        line.note(event=str(kind), id=str(event.get("id", "")))
        topic = self.watch if kind in URGENT else self.people
        text = plain(summary)  # rules of the deployment's own put other people's words in, too
        topic.publish(subject(text), text[:MAX_TEXT])


def subject(summary: str) -> str:
    """The summary's beginning, to where its first sentence ends, in ASCII."""
    first = summary.split(". ", 1)[0].strip()
    short = first.encode("ascii", "replace").decode()
    return short if len(short) <= MAX_SUBJECT else short[: MAX_SUBJECT - 3] + "..."
