"""The recordings family over in-memory twins, with the archive writing, and people who read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hatchway.client.recordings import Recordings
from hatchway.client.records import SessionRecord
from hatchway.core import api
from hatchway.core.errors import by_code
from hatchway.core.recording import Passed, dump
from hatchway.core.shapes import Operation, Place
from hatchway.core.transcript.chunks import Side
from hatchway.core.transcript.evidence import Code
from lambdas.ledger import Kept, Ledger, prefix_of
from lambdas.memory.archive import MemoryArchive, MemoryPassedLog, MemorySigner
from lambdas.passing import read_on, redaction_of
from lambdas.ports import Session, SessionQuery
from lambdas.recordings.handler import make_handler
from lambdas.recordings.service import Service
from tests.unit.sessions.world import ACCOUNT, CHANNEL_ROLE, EVERYTHING, REGION, Person, World
from tests.unit.transcript.frames import output

READ = "ssm:GetSessionRecording"


class Recorded:
    """`ann` may do everything; what she starts is recorded by `passed` and kept by `keep`."""

    def __init__(self) -> None:
        self.world = World()
        self.archive, self.signer = MemoryArchive(), MemorySigner()
        log = MemoryPassedLog(self.world.recordings)
        self.service = Service(
            sessions=self.world.sessions,
            nodes=self.world.nodes,
            instances=self.world.instances,
            policies=self.world.policies,
            archive=self.archive,
            passed=log,
            keys=self.signer,
            clock=self.world.clock,
            region=REGION,
            channel_role_id=CHANNEL_ROLE,
        )
        self.log = log
        self.handler = make_handler(self.service, self.world.lines)
        code = Code(function="archive", version="$LATEST", digest="sha")
        self.ledger = Ledger(self.archive, self.signer, self.world.clock, "local", code)
        self.ann = self.world.user("ann", EVERYTHING)
        self._numbers: dict[str, int] = {}

    @property
    def now(self) -> int:
        return int(self.world.clock() * 1000)

    # --- what happens ---------------------------------------------------------------------------

    def prints(self, session: Session, *texts: bytes, seconds: float = 1.0) -> None:
        """The node prints, a message each, `seconds` apart."""
        for text in [t[at : at + 20_000] for t in texts for at in range(0, len(t), 20_000)]:
            number = self._numbers.get(session.session_id, 0)
            self._numbers[session.session_id] = number + 1
            self.passes(session, output(number, text))
            self.world.clock.advance(seconds)

    def passes(self, session: Session, *frames: bytes, side: Side = Side.NODE) -> None:
        event = Passed(side=side, generation=1, frames=frames)
        self.world.recordings.append(session.session_id, dump(event), self.now)

    def keep(self, session: Session, *, final: bool = False) -> Kept:
        """The archive's checkpoint."""
        kept = self.ledger.kept(session)
        read = read_on(
            self.log,
            session.session_id,
            redaction_of(session),
            kept.progress,
            until=self.now,
            final=final,
        )
        return self.ledger.keep(session, kept, read.chunks, read.progress, final=final)

    def stored(self, session: Session) -> str:
        return prefix_of(session.session_id, session.started)

    # --- who reads ------------------------------------------------------------------------------

    def reader(self, person: Person) -> Recordings:
        """The SDK, whose calls arrive at the handler."""

        def call(name: str, **members: object) -> Mapping[str, Any]:
            return self.call(person, _operation(name), members)

        def pages(name: str, result: str, **members: object) -> Iterator[Mapping[str, Any]]:
            token = None
            while True:
                page = call(name, NextToken=token, **members)
                yield from page.get(result, ())
                if not (token := page.get("NextToken")):
                    return

        return Recordings(call, pages, self.world.clock.advance, self.world.clock)

    def call(
        self, person: Person, operation: Operation, members: Mapping[str, object]
    ) -> Mapping[str, Any]:
        """One request; its error as the SDK raises it."""
        given = {name: value for name, value in members.items() if value is not None}
        places = {m.name: m for m in operation.takes}

        def at(place: Place) -> dict[str, object]:
            return {places[n].wire_name: v for n, v in given.items() if places[n].place is place}

        query: dict[str, Sequence[str]] = {k: [str(v)] for k, v in at(Place.QUERY).items()}
        body = at(Place.BODY)
        event = {
            "resource": operation.path,
            "path": "/x",
            "httpMethod": operation.method,
            "headers": {},
            "multiValueHeaders": {},
            "multiValueQueryStringParameters": query or None,
            "pathParameters": at(Place.PATH) or None,
            "requestContext": {
                "accountId": ACCOUNT,
                "requestId": "request-1",
                "apiId": "a1b2c3d4e5",
                "stage": "local",
                "identity": person.identity(),
            },
            "body": json.dumps(body) if body else None,
            "isBase64Encoded": False,
        }
        answer: Any = self.handler(event, None)
        found: Mapping[str, Any] = json.loads(answer["body"])
        if answer["statusCode"] != 200:
            raise by_code(found["__type"])(found["message"])
        return found

    def records(self) -> list[SessionRecord]:
        """What DescribeSessions knows."""
        return [
            SessionRecord.of(
                {
                    "SessionId": session.session_id,
                    "StartDate": datetime.fromtimestamp(session.started, UTC),
                    "EndDate": datetime.fromtimestamp(session.ended, UTC)
                    if session.ended
                    else None,
                }
            )
            for active in (True, False)
            for session in self.world.sessions.query(SessionQuery(active=active)).sessions
        ]


def _operation(name: str) -> Operation:
    by_name = {o.name.lower(): o for o in api.RECORDING_OPERATIONS}
    return by_name[name.replace("_", "")]
