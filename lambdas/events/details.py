"""What an event says: the change from one record to the next, and nothing secret.

Consumers see the same change again now and then; `id` is the same each time. `summary` is the
change as a person reads it on a phone: no template of EventBridge can write a time or a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hatchway.core.lifecycle import ENDED, Status
from lambdas.ports import Node, Session

VERSION = "1"
SESSION_CHANGE = "Session State Change"
NODE_CHANGE = "Node State Change"

Detail = dict[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """One event to put on the bus; `time` in unix seconds."""

    detail_type: str
    detail: Detail
    time: float


def session_change(stage: str, old: Session | None, new: Session) -> Told | None:
    """The event of a session's change of status; None where it has none."""
    if old is not None and old.status is new.status:
        return None
    time = new.status_since or new.started
    detail: Detail = {
        **_head(stage, f"{new.session_id}/{new.version}", time),
        "sessionId": new.session_id,
        "target": new.target,
        "owner": new.owner_arn,
        "ownerUserId": new.owner.userid,
        "status": new.status.value,
        "previousStatus": old.status.value if old is not None else "",
        "documentName": new.document_name,
        "reason": new.reason,
        "startDate": new.started,
        "summary": plain(_session_summary(stage, old, new)),
    }
    if new.status in ENDED:
        detail["endDate"] = new.ended
        detail["durationSeconds"] = int(max(0.0, new.ended - new.started))
        detail["endReason"] = new.end_reason
        if new.exit_code is not None:
            detail["exitCode"] = new.exit_code
    return Told(SESSION_CHANGE, detail, time)


def node_change(stage: str, old: Node | None, new: Node) -> Told | None:
    """The event of a node that came or went; None for any other change."""
    if new.online == (old is not None and old.online):
        return None
    detail: Detail = {
        **_head(stage, f"{new.node_id}/{new.version}", new.last_seen),
        "nodeId": new.node_id,
        "name": new.name,
        "status": "online" if new.online else "offline",
        "agentVersion": new.agent_version,
        "summary": plain(_node_summary(stage, new)),
    }
    return Told(NODE_CHANGE, detail, new.last_seen)


_VERBS = {
    Status.CONNECTING: "is opening a session on",
    Status.CONNECTED: "opened a session on",
    Status.DISCONNECTED: "lost the connection to",
    Status.TERMINATING: "is being disconnected from",
    Status.TERMINATED: "left",
    Status.FAILED: "could not open a session on",
}


def _session_summary(stage: str, old: Session | None, new: Session) -> str:
    """One or two sentences, the session id last. The reason is in quotes: its owner wrote it."""
    came_back = old is not None and old.status is Status.DISCONNECTED
    verb = "came back to" if came_back and new.status is Status.CONNECTED else _VERBS[new.status]
    text = f"{who(new.owner_arn)} {verb} {new.target}"
    if new.status in ENDED:
        text += f" after {timedelta(seconds=int(max(0.0, new.ended - new.started)))}"
        text += f" ({new.end_reason}" if new.end_reason else " (no reason given"
        text += f", exit code {new.exit_code})" if new.exit_code is not None else ")"
    # Nobody closes the quotes around their own words.
    reason = f" Reason: “{new.reason.translate(_QUOTES)}”." if new.reason else ""
    at = _moment(new.status_since or new.started)
    return f"Hatchway {stage}: {text}, {at}.{reason} Session {new.session_id}."


def _node_summary(stage: str, new: Node) -> str:
    name = f" ({new.name})" if new.name else ""
    state = "online" if new.online else "offline"
    return f"Hatchway {stage}: node {new.node_id}{name} is {state}, {_moment(new.last_seen)}."


_QUOTES = str.maketrans("“”", "''")
#: EventBridge puts the summary between quotes, in JSON, as it is.
_OF_JSON = str.maketrans('"\\', "'/")


def plain(summary: str) -> str:
    """The summary as EventBridge's template takes it: without quotes, backslashes and controls.

    People, nodes and tags have their words in it. What is not printable (line ends, marks that
    turn the direction of writing, halves of characters) becomes a space.
    """
    summary = summary.translate(_OF_JSON)
    return "".join(each if each.isprintable() else " " for each in summary)


def who(arn: str) -> str:
    """The name a person knows: `john` of a user's ARN, `ops/alice` of a role session's."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return name if kind == "assumed-role" else name.rpartition("/")[2] or arn


def _moment(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _head(stage: str, identity: str, time: float) -> Detail:
    return {"version": VERSION, "stage": stage, "time": time, "id": identity}
