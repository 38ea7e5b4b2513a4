"""A small world in memory for the families' tests: one node, its sessions, clients and clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from hatchway.core.recording import Passed, dump
from hatchway.core.tokens import token_digest
from lambdas.logline import Field
from lambdas.memory.clock import CountedRandom, ManualClock
from lambdas.memory.connections import MemoryClients
from lambdas.memory.iot import MemoryDownlink
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.recordings import MemoryRecordings, MemoryTroubles
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Connection, Node, Session, Token
from lambdas.recording import Recorder

NOW = 1_800_000_000.0
NODE = "i-0123456789abcdef0"
OTHER_NODE = "i-0fedcba9876543210"
SESSION = "john-0123456789abcdef0"
CHANNEL_ROLE = "AROACHANNELROLEEXAMPL"
CONNECTION = "L0SM9cOFvHcCIhw="
EVENTS = Path(__file__).parents[2] / "events"


def recorded(name: str) -> dict[str, Any]:
    """A trigger event as AWS documents it."""
    event: dict[str, Any] = json.loads((EVENTS / name).read_text())
    return event


@dataclass
class Lines:
    """The log, in memory."""

    written: list[tuple[str, Mapping[str, Field]]] = field(default_factory=list)

    def __call__(self, level: str, fields: Mapping[str, Field]) -> None:
        self.written.append((level, dict(fields)))

    @property
    def last(self) -> Mapping[str, Field]:
        return self.written[-1][1]


def at_once(act: Callable[[], None]) -> Callable[[], None]:
    """What runs beside a delivery, before it."""
    act()
    return lambda: None


def in_clear(session: str, passed: Passed) -> str:
    """Seals nothing: `tests/unit/recording/test_sealing.py` does."""
    return dump(passed)


class World:
    """Everything the families share, in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.random = CountedRandom()
        self.sessions = MemorySessions(self.clock)
        self.nodes = MemoryNodes()
        self.clients = MemoryClients()
        self.downlink = MemoryDownlink()
        self.recordings = MemoryRecordings()
        self.troubles = MemoryTroubles()
        self.recorder = Recorder(self.recordings, self.troubles, self.clock, in_clear, at_once)
        self.lines = Lines()

    def start(self, session_id: str = SESSION, token: str = "", **changes: Any) -> Session:
        """A session as `StartSession` leaves it, with whatever else is wanted of it."""
        made = Session(
            session_id=session_id,
            target=NODE,
            owner=Owner("123456789012", "AIDAJOHN"),
            owner_arn="arn:aws:iam::123456789012:user/john",
            status=Status.CONNECTING,
            started=self.clock(),
            status_since=self.clock(),
            document_name="SSM-SessionManagerRunShell",
            document='{"schemaVersion":"1.0","inputs":{}}',
        )
        digest = token_digest(token) if token else f"none/{session_id}"
        one = Token(digest=digest, session_id=session_id, expires=self.clock() + 60)
        return self.sessions.create(replace(made, **changes), one, None)

    def client(self, session_id: str = SESSION, connection: str = CONNECTION) -> Session:
        """Attaches a client to a session, as authorizer and `$connect` do."""
        read = self.get(session_id)
        generation = read.generation + 1
        self.clients.open(connection)
        self.sessions.add_connection(
            Connection(connection=connection, session_id=session_id, generation=generation)
        )
        return self.sessions.update(
            read, replace(read, connection=connection, generation=generation)
        )

    def change(self, session_id: str = SESSION, **changes: Any) -> Session:
        read = self.get(session_id)
        return self.sessions.update(read, replace(read, **changes))

    def get(self, session_id: str = SESSION) -> Session:
        session = self.sessions.get(session_id)
        assert session is not None
        return session

    def enrol(self, node_id: str = NODE, **changes: Any) -> Node:
        return self.nodes.create(replace(Node(node_id=node_id), **changes))

    def node(self, node_id: str = NODE) -> Node:
        node = self.nodes.get(node_id)
        assert node is not None
        return node
