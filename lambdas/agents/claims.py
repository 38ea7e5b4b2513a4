"""Which session a call means, and whether this agent process is the one that runs it."""

from __future__ import annotations

from hatchway.core.errors import DoesNotExistException, SessionEnded
from hatchway.core.lifecycle import ENDED
from lambdas.edge import Members
from lambdas.ports import Session

#: Characters of an agent process's id, and of its enrolment secret.
MAX_INSTANCE = 64
MAX_SECRET = 64


def instance(members: Members) -> str:
    return members.text("AgentInstanceId", MAX_INSTANCE)


def on_node(session: Session | None, node: str) -> Session:
    """The session, if it is this node's: another node's does not exist for it."""
    if session is None or session.target != node:
        raise DoesNotExistException()
    return session


def run_by(session: Session, agent_instance: str) -> Session:
    """The session, if it goes on and this process runs it; SessionEnded otherwise."""
    if session.status in ENDED or session.agent_instance != agent_instance:
        raise SessionEnded()
    return session
