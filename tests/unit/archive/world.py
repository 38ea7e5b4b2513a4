"""The archive in memory: sessions that are recorded, and everything that looking reaches."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from hatchway.core.lifecycle import Status
from hatchway.core.recording import Mode, Passed, dump
from hatchway.core.transcript.chunks import Chunk, Side, load
from hatchway.core.transcript.evidence import Code, read_segment
from hatchway.core.transcript.stated import Stated
from hatchway.core.wire import MessageType
from lambdas.adapters import looks as forms
from lambdas.archive.following import Following
from lambdas.archive.handler import Archivist
from lambdas.archive.looking import Looking
from lambdas.archive.telling import Telling
from lambdas.destinations import Allowed
from lambdas.ledger import Kept, Ledger
from lambdas.logline import Line
from lambdas.memory.archive import MemoryArchive, MemoryPassedLog, MemorySigner
from lambdas.memory.destinations import MemoryDestinations, MemoryLeases, MemoryLooks
from lambdas.memory.events import MemoryEventBus
from lambdas.ports import Look, Session, Why
from tests.unit.edge.frames import frame
from tests.unit.edge.world import SESSION
from tests.unit.edge.world import World as Edge
from tests.unit.transcript.frames import ANN, typed

GROUP, BUCKET = "/hatchway/local/sessions", "archive"


class World(Edge):
    """One session; `print` is what its shell prints, as the relay stores it."""

    def __init__(self) -> None:
        super().__init__()
        self.bucket, self.signer = MemoryArchive(), MemorySigner()
        self.destinations, self.looks = MemoryDestinations(), MemoryLooks()
        self.destinations.groups[GROUP] = self.destinations.buckets[BUCKET] = True
        self.leases, self.bus = MemoryLeases(self.clock), MemoryEventBus()
        self.counted: list[str] = []
        self.sequence = 0
        allowed = Allowed(own_bucket=BUCKET, own_group=GROUP, owner="123456789012")
        code = Code(function="archive", version="1", digest="c0de")
        self.ledger = Ledger(self.bucket, self.signer, self.clock, "local", code)
        self.following = Following(
            self.bucket, self.destinations, self.destinations, allowed, "us-east-1"
        )
        self.looking = Looking(
            sessions=self.sessions,
            nodes=self.nodes,
            clients=self.clients,
            downlink=self.downlink,
            log=MemoryPassedLog(self.recordings),
            ledger=self.ledger,
            following=self.following,
            telling=Telling(
                self.bus, lambda name, _: self.counted.append(name), self.clock, "local", BUCKET
            ),
            looks=self.looks,
            leases=self.leases,
            clock=self.clock,
            random=self.random,
            floor=Mode.BESIDE,
        )
        self.archivist = Archivist(self.sessions, self.looking, self.looks, forms.read)
        self.line = Line("archive")

    def begin(self, own: dict[str, Any] | None = None, **inputs: Any) -> Session:
        """A session that runs, with these inputs in its document."""
        content = {"schemaVersion": "1.0", "inputs": {**inputs, "hatchway": own or {}}}
        return self.start(
            status=Status.CONNECTED, document=json.dumps(content), agent_instance="agent-1"
        )

    def print(self, data: bytes, sequence: int | None = None) -> None:
        number = self.sequence if sequence is None else sequence
        self.sequence = max(self.sequence, number + 1)
        packed = frame(MessageType.OUTPUT, data, number)
        event = dump(Passed(side=Side.NODE, generation=1, frames=(packed,)))
        self.recordings.append(SESSION, event, int(self.clock() * 1000))
        self.clock.advance(0.01)

    def end(self, seconds: float = 10.0, stated: Stated | None = None) -> None:
        """It ends, and so many seconds pass; the node says how much there was, or nothing."""
        session = self.session
        now = self.clock()
        self.sessions.update(
            session,
            replace(session, status=Status.TERMINATED, ended=now, status_since=now, stated=stated),
        )
        self.clock.advance(seconds)

    def say(self, stated: Stated) -> None:
        """The node says it after the end."""
        self.sessions.update(self.session, replace(self.session, stated=stated))

    def type(self, data: bytes, sequence: int, who: UUID = ANN) -> None:
        """What the relay stores of the client's side, where that is recorded."""
        event = dump(Passed(side=Side.CLIENT, generation=1, frames=(typed(sequence, data, who),)))
        self.recordings.append(SESSION, event, int(self.clock() * 1000))
        self.clock.advance(0.01)

    def look(self, why: Why = Why.RUNS) -> bool:
        self.line = Line("archive")
        return self.looking.look(Look(session_id=SESSION, why=why), self.line)

    @property
    def session(self) -> Session:
        found = self.sessions.get(SESSION)
        assert found is not None
        return found

    @property
    def kept(self) -> Kept:
        return self.ledger.kept(self.session)

    @property
    def chunks(self) -> list[Chunk]:
        """What the archive has, by its manifest."""
        signed = self.kept.signed
        if signed is None:
            return []
        segments = signed.manifest.segments
        return [load(line) for segment in segments for line in self.stored(segment.name)]

    def stored(self, segment: str) -> list[bytes]:
        """A segment's, as they are stored."""
        prefix = next(iter(self.bucket.objects)).rpartition("/")[0]
        return read_segment(self.bucket.objects[f"{prefix}/{segment}"])

    @property
    def shown(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def told(self) -> list[str]:
        """Detail types of the events, in order."""
        return [kind for kind, _detail, _time in self.bus.events]
