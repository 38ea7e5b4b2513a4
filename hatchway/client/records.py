"""What the people API answers, as typed records; `members` gives back its stable names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hatchway.core.errors import InternalServerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A session, what it runs, and the one-time token that opens its stream."""

    session_id: str
    stream_url: str
    token: str = field(repr=False)
    session_type: str = "Standard_Stream"

    @classmethod
    def of(cls, members: Mapping[str, object]) -> Started:
        return cls(
            session_id=_needed(members, "SessionId"),
            stream_url=_needed(members, "StreamUrl"),
            token=_needed(members, "TokenValue"),
            session_type=_text(members, "SessionType") or "Standard_Stream",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One session as DescribeSessions shows it."""

    session_id: str
    target: str
    status: str
    owner: str
    document_name: str
    reason: str
    start_date: datetime | None
    end_date: datetime | None
    end_reason: str
    exit_code: int | None
    max_session_duration: str
    access_type: str

    @classmethod
    def of(cls, members: Mapping[str, object]) -> SessionRecord:
        return cls(
            session_id=_needed(members, "SessionId"),
            target=_text(members, "Target"),
            status=_text(members, "Status"),
            owner=_text(members, "Owner"),
            document_name=_text(members, "DocumentName"),
            reason=_text(members, "Reason"),
            start_date=_moment(members, "StartDate"),
            end_date=_moment(members, "EndDate"),
            end_reason=_text(members, "EndReason"),
            exit_code=_number(members, "ExitCode"),
            max_session_duration=_text(members, "MaxSessionDuration"),
            access_type=_text(members, "AccessType"),
        )

    def members(self) -> dict[str, object]:
        """For programs: the API's member names; what is not there is null."""
        return {
            "SessionId": self.session_id,
            "Target": self.target,
            "Status": self.status,
            "Owner": self.owner,
            "DocumentName": self.document_name or None,
            "Reason": self.reason or None,
            "StartDate": iso(self.start_date),
            "EndDate": iso(self.end_date),
            "EndReason": self.end_reason or None,
            "ExitCode": self.exit_code,
            "MaxSessionDuration": self.max_session_duration or None,
            "AccessType": self.access_type or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminations:
    """What became of many sessions: ended, not the caller's to end, not ended for now."""

    terminated: int = 0
    refused: int = 0
    failed: int = 0

    def and_(self, members: Mapping[str, object]) -> Terminations:
        """With the counts of one more answer."""
        return Terminations(
            terminated=self.terminated + _count(members, "Terminated"),
            refused=self.refused + _count(members, "Refused"),
            failed=self.failed + _count(members, "Failed"),
        )

    def members(self) -> dict[str, object]:
        """As the API names them."""
        return {"Terminated": self.terminated, "Refused": self.refused, "Failed": self.failed}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node as DescribeNodes shows it; Name and tags come from EC2."""

    node_id: str
    name: str
    ping_status: str
    agent_version: str
    last_ping: datetime | None
    tags: Mapping[str, str]

    @classmethod
    def of(cls, members: Mapping[str, object]) -> Node:
        tags = members.get("Tags")
        return cls(
            node_id=_needed(members, "NodeId"),
            name=_text(members, "Name"),
            ping_status=_text(members, "PingStatus"),
            agent_version=_text(members, "AgentVersion"),
            last_ping=_moment(members, "LastPingDateTime"),
            tags={str(k): str(v) for k, v in tags.items()} if isinstance(tags, Mapping) else {},
        )

    def members(self) -> dict[str, object]:
        """For programs: the API's member names; what is not there is null."""
        return {
            "NodeId": self.node_id,
            "Name": self.name or None,
            "PingStatus": self.ping_status,
            "AgentVersion": self.agent_version or None,
            "LastPingDateTime": iso(self.last_ping),
            "Tags": dict(self.tags),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRole:
    """A role whose instances may enrol as nodes."""

    role_id: str
    role_arn: str

    @classmethod
    def of(cls, members: Mapping[str, object]) -> NodeRole:
        return cls(role_id=_needed(members, "RoleId"), role_arn=_text(members, "RoleArn"))

    def members(self) -> dict[str, object]:
        return {"RoleId": self.role_id, "RoleArn": self.role_arn}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReset:
    """What a reset did. `closed` is false where a connection of the node is still open; `failed`
    counts sessions that go on: both are worth another try."""

    node_id: str
    closed: bool
    terminated: int
    failed: int

    @classmethod
    def of(cls, members: Mapping[str, object]) -> NodeReset:
        return cls(
            node_id=_needed(members, "NodeId"),
            closed=members.get("Connections") != "open",
            terminated=_count(members, "Terminated"),
            failed=_count(members, "Failed"),
        )

    def members(self) -> dict[str, object]:
        return {
            "NodeId": self.node_id,
            "Connections": "closed" if self.closed else "open",
            "Terminated": self.terminated,
            "Failed": self.failed,
        }


def iso(moment: datetime | None) -> str | None:
    """A time in UTC as ISO 8601 with seconds, or None."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def _needed(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise InternalServerError(f"The service's answer has no {name}.")
    return value


def _text(members: Mapping[str, object], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _number(members: Mapping[str, object], name: str) -> int | None:
    value = members.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _moment(members: Mapping[str, object], name: str) -> datetime | None:
    value = members.get(name)
    return value if isinstance(value, datetime) else None


def _count(members: Mapping[str, object], name: str) -> int:
    value = members.get(name)
    return value if isinstance(value, int) else 0
