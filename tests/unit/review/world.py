"""The sessions family's world, and the review that looks at the same tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hatchway.core import wire
from hatchway.core.lifecycle import Status
from lambdas.logline import Line
from lambdas.memory.clock import CountedRandom
from lambdas.opinion import SecondOpinion
from lambdas.ports import Session
from lambdas.review.handler import Review
from lambdas.sessions.handler import make_handler
from tests.unit.sessions.world import CHANNEL_ROLE, CONNECTION, REGION, Document, Person, World


class Reviewed(World):
    """Sessions start as people start them; `review` is one run."""

    second: SecondOpinion | None = None

    def review(self) -> Line:
        line = Line("review")
        Review(
            sessions=self.sessions,
            nodes=self.nodes,
            clients=self.clients,
            downlink=self.downlink,
            instances=self.instances,
            policies=self.policies,
            clock=self.clock,
            random=CountedRandom(),
            region=REGION,
            channel_role_id=CHANNEL_ROLE,
            second=self.second,
        ).run(line)
        return line

    def rebuild(self) -> None:
        """After one of the ports was replaced: people start their sessions in it as well."""
        self.service = replace(self.service, sessions=self.sessions)
        self.handler = make_handler(self.service, self.lines)

    def again(self, person: Person, *documents: Document, **more: Any) -> None:
        """The same user with other policies from now on."""
        assert self.user(person.arn.rpartition("/")[2], *documents, **more) == person

    def attached(self, person: Person, body: object = None) -> Session:
        """A session with an agent and a client of its own."""
        session = self.started(person, body)
        connection = CONNECTION[:-4] + session.session_id[-4:]
        self.clients.open(connection)
        changed = replace(session, status=Status.CONNECTED, connection=connection, generation=1)
        return self.sessions.update(session, replace(changed, agent_instance="a1"))

    def now(self, session: Session) -> Session:
        return self.session(session.session_id)

    def notices(self, session: Session) -> list[Mapping[str, Any]]:
        sent = self.clients.sent[session.connection]
        return [json.loads(text) for text in sent if text.startswith("{")]

    def farewells(self, session: Session) -> list[str]:
        """What the client's terminal shows when the channel is closed."""
        sent = [text for text in self.clients.sent[session.connection] if text[0] != "{"]
        frames = [frame for text in sent for frame in wire.from_text(text)]
        return [json.loads(wire.parse(frame).payload)["Output"] for frame in frames]
