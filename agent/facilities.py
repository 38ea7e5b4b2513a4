"""What all sessions of an agent share, and why one of them ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.api import AgentApi
from agent.clock import ServiceClock
from agent.drops import Drops
from agent.log import Log
from agent.order import Order
from agent.ports import CipherOf, Credentials, Random, Runner, Transport
from hatchway.core.names import Topics


class Reason(StrEnum):
    """Why a session ended, as the agent reports it."""

    EXITED = "exited"
    TERMINATED = "terminated"
    BY_CLIENT = "terminated by the client"
    STOPPING = "agent stopped"
    NOT_STARTED = "could not be started"
    CHANNEL = "data channel failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facilities:
    """What all sessions of an agent share."""

    api: AgentApi
    transport: Transport
    clock: ServiceClock
    topics: Topics
    endpoint: str
    credentials: Callable[[], Credentials]
    random: Random
    cipher_of: CipherOf
    make_runner: Callable[[Order], Awaitable[Runner]]
    drops: Drops
    log: Log
