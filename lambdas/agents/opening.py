"""`open`: an agent process takes a session on, once; a session of a dead process is over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hatchway.core.errors import NodeRefused, SessionEnded
from hatchway.core.lifecycle import ENDED, Event, Status
from lambdas.agents.claims import MAX_SECRET, instance, on_node
from lambdas.agents.passes import Passes
from lambdas.edge import Call
from lambdas.endings import End, last_word
from lambdas.identity import proves
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, NodeStore, Random, Session, SessionStore
from lambdas.transitions import change, farewell, moved


@dataclass(frozen=True, slots=True)
class Opening:
    """Attaches agents."""

    sessions: SessionStore
    nodes: NodeStore
    clients: Clients
    passes: Passes
    clock: Clock
    random: Random
    stage: str

    def open(self, node: str, call: Call, line: Line) -> Mapping[str, object]:
        """What the agent needs to run the session; the same again for the same process.

        SessionEnded where it is over, is about to be, or belonged to another process: what that
        one ran has died with it, and a second shell must not pass for the first.
        """
        members = call.members({"EnrolmentSecret", "AgentInstanceId"})
        if not proves(self.nodes.get(node), members.text("EnrolmentSecret", MAX_SECRET)):
            line.warning()
            raise NodeRefused()
        agent = instance(members)
        done = change(
            self.sessions, call.session_id, lambda session: self._taken(session, node, agent)
        )
        session = done.after
        line.note(status=session.status.value, generation=session.generation)
        if session.status in ENDED:
            farewell(self.clients, session, last_word(session), self.clock(), self.random)
            raise SessionEnded()
        return {
            "SessionId": session.session_id,
            "Document": json.loads(session.document),
            "Owner": session.owner_arn,
            "Reason": session.reason,
            "RunAs": session.run_as,
            "NodeName": session.node_name,
            "Stage": self.stage,
            "StartedAt": session.started,
            "Recorded": self.passes.recorded(session),
            **self.passes.of(session),
        }

    def _taken(self, session: Session, node: str, agent: str) -> Session:
        on_node(session, node)
        now = self.clock()
        if session.status in ENDED:
            raise SessionEnded()
        if session.agent_instance not in ("", agent):
            return moved(session, Event.NODE_LOST, now, reason=End.AGENT_RESTARTED)
        if session.status is Status.TERMINATING:
            if session.agent_instance == agent:
                raise SessionEnded()
            # It was ended before anything ran for it: nobody else will say that it is over.
            return moved(session, Event.EXITED, now)
        if session.agent_instance == agent:
            return session
        event = Event.BOTH_SIDES if session.connection else Event.ONE_SIDE
        return replace(moved(session, event, now), agent_instance=agent)
