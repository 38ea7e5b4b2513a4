"""What an event says: the change from one record to the next, and nothing secret.

Consumers see the same change again now and then; `id` is the same each time.
"""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.lifecycle import ENDED
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
    }
    return Told(NODE_CHANGE, detail, new.last_seen)


def _head(stage: str, identity: str, time: float) -> Detail:
    return {"version": VERSION, "stage": stage, "time": time, "id": identity}
