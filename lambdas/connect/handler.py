"""`$connect` and `$disconnect`: which client a session has, and what the node is told of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hatchway.core.errors import DoesNotExistException, HatchwayError, TokenInvalid
from hatchway.core.lifecycle import ENDED, Event
from lambdas import stream
from lambdas.connect.authorizer import CLOSED
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, Downlink, Session, SessionStore
from lambdas.stream import Attached
from lambdas.transitions import change, moved

Response = dict[str, object]


@dataclass(frozen=True, slots=True)
class Connections:
    """Clients that come and go."""

    sessions: SessionStore
    clients: Clients
    downlink: Downlink
    clock: Clock

    def connect(self, event: Mapping[str, object], line: Line) -> Response:
        """Attaches the client, which takes the session over from the one before. Of two that were
        let in at once, the second to come is refused, and tries again with a new token."""
        try:
            client = stream.attached(event)
            line.note(session=client.session_id, node=client.node, generation=client.generation)
            done = change(self.sessions, client.session_id, lambda s: self._attach(s, client))
        except HatchwayError as error:
            line.refused(error)
            return {"statusCode": error.status}
        except Exception as error:  # API Gateway would answer alike, but with no line in the log
            line.failed(error)
            return {"statusCode": 500}
        if done.before.connection not in ("", client.connection):
            self._take_over(done.before, line)
        self.downlink.hint(client.node, client.session_id)
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": stream.PROTOCOL}}

    def disconnect(self, event: Mapping[str, object], line: Line) -> Response:
        """The session is Disconnected, if this was its client: it may be late, or come twice."""
        connection = stream.connection(event)
        known = self.sessions.connection(connection)
        line.note(known=known is not None)
        if known is None:
            return {"statusCode": 200}
        line.note(session=known.session_id, generation=known.generation)
        self._lose(known.session_id, connection, line)
        self.sessions.remove_connection(connection)
        return {"statusCode": 200}

    def _attach(self, session: Session, client: Attached) -> Session:
        if session.status in CLOSED or session.target != client.node:
            raise TokenInvalid("The session is over.")
        if (session.connection, session.generation) == (client.connection, client.generation):
            return session
        if client.generation != session.generation + 1:
            raise TokenInvalid("Another connection has been attached meanwhile.")
        now = self.clock()
        event = Event.BOTH_SIDES if session.agent_instance else Event.ONE_SIDE
        attached = replace(
            moved(session, event, now),
            connection=client.connection,
            generation=client.generation,
            attached=now,
            spare="",  # whichever token opened this, the one for the next is asked for on it
            idle_ends=0.0,  # whoever attaches is warned anew
            duration_ends=0.0,
        )
        if client.reconnects:
            return attached  # a program's doing: what a person did last stays what it was
        return replace(
            attached,
            activity=max(session.activity, now),
            marked=-1,
            takeovers=session.takeovers + bool(session.connection),
        )

    def _take_over(self, before: Session, line: Line) -> None:
        """The older client is told, so that it does not fight back by reconnecting."""
        notice = json.dumps({"notice": "takenOver", "SessionId": before.session_id})
        for act in (
            lambda: self.clients.post(before.connection, notice),
            lambda: self.clients.close(before.connection),
        ):
            try:
                act()
            except HatchwayError as error:
                line.note(takeover=error.code)
        line.count("takenOver")

    def _lose(self, session_id: str, connection: str, line: Line) -> None:
        try:
            done = change(self.sessions, session_id, lambda s: self._detach(s, connection))
        except DoesNotExistException as error:  # forgotten already
            line.refused(error)
            return
        line.note(detached=done.written)
        if done.written and done.after.status not in ENDED:
            self.downlink.hint(done.after.target, session_id)

    def _detach(self, session: Session, connection: str) -> Session:
        if session.connection != connection:
            return session
        return replace(moved(session, Event.CLIENT_LOST, self.clock()), connection="")
