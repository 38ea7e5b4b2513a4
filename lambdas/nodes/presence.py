"""Presence: IoT Core says which control channels come and go. It grants nothing.

Lifecycle events may be late, twice and out of order. Source: AWS IoT developer guide, "Lifecycle
events": both events of a connection carry the same versionNumber, which grows per client id and
starts at 0 again when the client has been away for about an hour; timestamps are right within
two minutes.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hatchway.core.errors import HatchwayError
from hatchway.core.names import Topics
from lambdas.logline import Line
from lambdas.nodes.enrolment import NodeUnknown, change_node
from lambdas.ports import Clients, Clock, Disconnection, Later, Node, NodeStore, SessionStore

#: Seconds that a node may be away before its sessions are given up. A silent node is noticed by IoT
#: Core after 45 s (1.5 keep-alives of 30 s): 45 + 55, and SQS and the sweep, make less than 120.
#: An outage of 45 s and the agent's longest wait before it dials again fit in.
GRACE = 55
#: Seconds by which an event with a lower version must be younger to count as one after a reset.
RESET_MARGIN = 240.0
MAX_TEXT = 128


@dataclass(frozen=True, slots=True)
class Event:
    """One presence event of a control channel; `at` in unix seconds."""

    node: str
    online: bool
    session: str
    version: int
    principal: str
    at: float


@dataclass(frozen=True, slots=True)
class PresenceEvents:
    """Keeps `online` of the nodes, tells clients of it, and has those that went looked at again."""

    nodes: NodeStore
    sessions: SessionStore
    clients: Clients
    later: Later
    stage: str
    channel_role_id: str
    clock: Clock

    def handle(self, event: Mapping[str, object], line: Line) -> None:
        """Applies one event, or ignores it and says why in the log."""
        found = self._read(event)
        line.note(event="PRESENCE", applied=False)
        if found is None:
            return
        line.note(node=found.node, online=found.online, presenceVersion=found.version)
        expected = f"{self.channel_role_id}:{found.node}"
        if not hmac.compare_digest(found.principal.encode(), expected.encode()):
            line.warning()
            line.note(code="ForeignPrincipal", principal=found.principal)
            return
        self._apply(found, line)

    def _apply(self, found: Event, line: Line) -> None:
        seen: list[Node] = []

        def plan(node: Node) -> Node:
            seen.append(node)
            return applied(node, found)

        try:
            after = change_node(self.nodes, found.node, plan)
        except NodeUnknown as error:
            line.refused(error)
            return
        line.note(applied=after is not seen[-1])
        try:
            self._look_again(found, after, line)
        finally:
            if after.online != seen[-1].online:
                self._tell(after, line)

    def _look_again(self, found: Event, after: Node, line: Line) -> None:
        """Also where the end was known already: then this is Lambda's retry, perhaps of a send
        that failed. A second look too many ends nothing twice."""
        if found.online or after.online or after.presence_session != found.session:
            return
        gone = Disconnection(
            node_id=after.node_id,
            presence_session=after.presence_session,
            presence_version=after.presence_version,
        )
        self.later.look_again(gone, GRACE)
        line.note(lookAgain=GRACE)

    def _tell(self, node: Node, line: Line) -> None:
        notice = {"notice": "nodeOnline" if node.online else "nodeOffline", "Target": node.node_id}
        for session in self.sessions.active_on(node.node_id):
            if session.connection:
                text = json.dumps({**notice, "SessionId": session.session_id})
                try:
                    self.clients.post(session.connection, text)
                    line.count("told")
                except HatchwayError as error:  # a notice is a courtesy
                    line.note(notice=error.code)

    def _read(self, event: Mapping[str, object]) -> Event | None:
        """The event, if it is one of a control channel of this stage."""
        client, kind = _text(event, "clientId"), event.get("eventType")
        topics = Topics.of_control_client(client)
        if topics is None or topics.stage != self.stage or kind not in _KINDS:
            return None
        version, stamp = event.get("versionNumber"), event.get("timestamp")
        if not isinstance(version, int) or not isinstance(stamp, int | float):
            return None
        return Event(
            node=topics.node,
            online=kind == "connected",
            session=_text(event, "sessionIdentifier"),
            version=version,
            principal=_text(event, "principalIdentifier"),
            at=min(stamp / 1000, self.clock()),
        )


_KINDS = ("connected", "disconnected")


def applied(node: Node, event: Event) -> Node:
    """The node after `event`; the same object where it is late or known already."""
    if event.session == node.presence_session:
        # Of the connection we know last only its end can be news.
        if event.online or not node.online:
            return node
    elif not _newer(node, event):
        return node
    return replace(
        node,
        online=event.online,
        last_seen=event.at,
        online_since=event.at if event.online else node.online_since,
        presence_session=event.session,
        presence_version=event.version,
    )


def _newer(node: Node, event: Event) -> bool:
    """Whether the event is of a later connection than the one known last.

    A lower version is later only after a reset, which begins with version 0 or shows by its time;
    an end that comes with a lower version is always an older connection's.
    """
    if event.version > node.presence_version:
        return True
    margin = 0.0 if event.version == 0 else RESET_MARGIN
    return event.online and event.at > node.last_seen + margin


def _text(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""
