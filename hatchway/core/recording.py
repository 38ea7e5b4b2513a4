"""What passes the relay and is recorded: the terms of a session, and the log event of one call.

Pure. Who stores an event is `lambdas/recording.py`; what becomes of it is `transcript`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hatchway.core.errors import MalformedMessage, MalformedRecording
from hatchway.core.transcript.chunks import Side
from hatchway.core.wire import AgentMessage, MessageType, PayloadType, from_text, to_text

if TYPE_CHECKING:  # what carries messages reads no documents, and starts the faster
    from hatchway.core.documents import Document

VERSION = 1
#: Bytes of a log event: 128 KB of text, and what is around it. CloudWatch Logs takes 1 MB.
MAX_EVENT = 160 * 1024
#: Characters of a marker's id and of what it says.
MAX_MARK = 64
MAX_NOTE = 512


class Mode(StrEnum):
    """OFF: nothing is recorded. BESIDE: while it is delivered; a failure is a gap in the record.
    REQUIRED: before it is delivered; what cannot be stored is not delivered."""

    OFF = "off"
    BESIDE = "beside"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a session is recorded. `typed` says that what is typed is recorded as well; `cap` is
    the most bytes a minute, 0 for no cap."""

    mode: Mode = Mode.BESIDE
    typed: bool = False
    cap: int = 0


#: Of a session whose connection or ticket says nothing of its recording.
DEFAULT = Terms()


def terms(document: Document, floor: Mode) -> Terms:
    """The terms of a session with this resolved document. `floor` is the deployment's: OFF is for
    all sessions, and REQUIRED for all as well; with BESIDE a document may require it."""
    asked = document.inputs.hatchway
    mode = floor
    if floor is Mode.BESIDE and asked.recording_required:
        mode = Mode.REQUIRED
    return Terms(mode, asked.record_input, asked.max_recorded_bytes_a_minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One log event: the frames that one call carried, as they passed, or a marker of the
    service's own (`note`), which `mark` identifies among repeats."""

    side: Side
    generation: int
    frames: Sequence[bytes] = ()
    note: str = ""
    mark: str = ""


_OF_NODE = frozenset({MessageType.OUTPUT, MessageType.AGENT_SESSION_STATE})


def from_node(passed: Iterable[tuple[bytes, AgentMessage]]) -> list[bytes]:
    """What of an upload is recorded: everything with a number of its own, and the node's reports
    of its terminal; no acknowledgements, which say nothing of what was shown."""
    return [frame for frame, message in passed if message.message_type in _OF_NODE]


def from_client(passed: Iterable[tuple[bytes, AgentMessage]], *, typed: bool) -> list[bytes]:
    """What of a client's message is recorded: the same; where typing is not, sizes of the
    terminal alone, without which what was shown could not be read."""
    return [
        frame
        for frame, message in passed
        if message.message_type is MessageType.INPUT
        and (typed or message.payload_type == PayloadType.SIZE)
    ]


def dump(passed: Passed) -> str:
    """The log event's text."""
    members: dict[str, object] = {
        "v": VERSION,
        "side": passed.side.value,
        "gen": passed.generation,
        "frames": to_text(passed.frames),
    }
    if passed.note:
        members |= {"note": passed.note[:MAX_NOTE], "mark": passed.mark[:MAX_MARK]}
    return json.dumps(members, separators=(",", ":"))


def load(text: str) -> Passed:
    """What `dump` wrote; MalformedRecording for anything else."""
    if len(text) > MAX_EVENT:
        raise MalformedRecording("A recorded event is too long.")
    try:
        members = json.loads(text)
        if not isinstance(members, dict) or members["v"] != VERSION:
            raise MalformedRecording("A recorded event is of another version.")
        return Passed(
            side=Side(members["side"]),
            generation=int(members["gen"]),
            frames=tuple(from_text(_text(members["frames"]))),
            note=_text(members.get("note", "")),
            mark=_text(members.get("mark", "")),
        )
    except (KeyError, TypeError, ValueError, RecursionError, MalformedMessage):
        raise MalformedRecording("A recorded event cannot be read.") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
