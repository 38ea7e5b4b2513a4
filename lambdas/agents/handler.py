"""The agent API's session routes: who calls, which route it is, and the listing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.errors import ValidationException
from hatchway.core.recording import Mode
from hatchway.core.tokens import token_digest
from lambdas.agents.ending import Ending
from lambdas.agents.opening import Opening
from lambdas.agents.passes import Passes
from lambdas.agents.renewal import Renewal
from lambdas.edge import Call
from lambdas.identity import channel_node
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Looks, NodeStore, Random, Secrets, SessionStore

_SESSIONS = "/agent/{nodeId}/sessions"
_ONE = _SESSIONS + "/{sessionId}"


@dataclass(frozen=True, slots=True)
class Agents:
    """Calls of agents that hold channel credentials."""

    sessions: SessionStore
    opening: Opening
    renewal: Renewal
    ending: Ending
    channel_role_id: str
    clock: Clock

    def handle(self, call: Call, line: Line) -> Mapping[str, object]:
        """The answer to one call, which is the node's own or NodeRefused."""
        node = channel_node(call, self.channel_role_id)
        line.note(node=node)
        if call.route == f"GET {_SESSIONS}":
            return self._list(node)
        line.note(session=call.session_id)
        if call.route == f"POST {_ONE}/open":
            return self.opening.open(node, call, line)
        if call.route == f"POST {_ONE}/ticket":
            return self.renewal.renew(node, call, line)
        if call.route == f"POST {_ONE}/end":
            return self.ending.end(node, call, line)
        raise ValidationException("There is no such route.")

    def _list(self, node: str) -> Mapping[str, object]:
        """All sessions of the node that are not ended, as many as the store has. The process that
        runs one is told as a digest: its id is what `ticket` asks for, and a reset node's earlier
        credentials still list."""
        listed = [
            {
                "SessionId": session.session_id,
                "Status": session.status.value,
                "Generation": session.generation,
                "AgentInstanceDigest": _digest(session.agent_instance),
            }
            for session in self.sessions.active_on(node)
        ]
        return {"Sessions": listed, "ServerTime": self.clock()}


def _digest(agent_instance: str) -> str:
    return token_digest(agent_instance) if agent_instance else ""


def assemble(
    *,
    sessions: SessionStore,
    nodes: NodeStore,
    clients: Clients,
    looks: Looks,
    seal: Secrets,
    ticket: Secrets,
    channel_role_id: str,
    clock: Clock,
    random: Random,
    stage: str,
    floor: Mode = Mode.BESIDE,
) -> Agents:
    passes = Passes(seal, ticket, clock, floor)
    return Agents(
        sessions=sessions,
        opening=Opening(sessions, nodes, clients, passes, clock, random, stage),
        renewal=Renewal(sessions, clients, passes, clock),
        ending=Ending(sessions, clients, looks, clock, random),
        channel_role_id=channel_role_id,
        clock=clock,
    )
