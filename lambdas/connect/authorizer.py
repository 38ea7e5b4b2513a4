"""The Lambda authorizer of `$connect`: a one-time token in, the connection's context out.

Whatever is wrong, the answer is the same Deny; the reason is in the log only.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hatchway.core.errors import HatchwayError, TokenInvalid
from hatchway.core.lifecycle import ENDED, Status
from hatchway.core.recording import Mode
from hatchway.core.tokens import is_token, token_digest
from lambdas import stream
from lambdas.connect.lifecycle import Lifecycle
from lambdas.logline import Line
from lambdas.ports import Circumstances, Clock, Connection, Session, SessionStore, Token
from lambdas.principal import circumstances
from lambdas.terms import terms_of

#: AccessDeniedException unless the session's owner may resume it now, from where it is asked.
Permission = Callable[[Session, Circumstances], None]
#: Nobody may attach to these any more.
CLOSED = ENDED | {Status.TERMINATING}


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Decides on new connections."""

    sessions: SessionStore
    clock: Clock
    permission: Permission
    floor: Mode = Mode.BESIDE
    lifecycle: Lifecycle | None = None  # where the deployment has lifecycle connections

    def decide(self, event: Mapping[str, object], line: Line) -> dict[str, object]:
        """An IAM policy for exactly the method asked for, with the context when it allows."""
        arn = event.get("methodArn")
        method = arn if isinstance(arn, str) and arn else "*"
        try:
            if method == "*":
                raise TokenInvalid()
            owner, context = self._admitted(event, line)
        except HatchwayError as error:
            line.refused(error)
            return _policy("nobody", "Deny", method)
        except Exception as error:  # deny on doubt, and say nothing
            line.failed(error)
            return _policy("nobody", "Deny", method)
        return {**_policy(owner, "Allow", method), "context": context}

    def _admitted(self, event: Mapping[str, object], line: Line) -> tuple[str, dict[str, str]]:
        """The owner's key and the context; most tokens by far are a session's."""
        connection, digest = stream.connection(event), token_digest(_token(event))
        token = self.sessions.use_token(digest, connection, self.clock())
        if token is None and self.lifecycle is not None:
            visitor = self.lifecycle.admit(digest, connection, _source_ip(event))
            if visitor is not None:
                line.note(owner=visitor.owner.key)
                return visitor.owner.key, self.lifecycle.context(visitor)
        if token is None or not hmac.compare_digest(token.digest, digest):
            raise TokenInvalid()
        session, admitted = self._admit(event, connection, token)
        generation, reconnects = admitted.generation, admitted.reconnects
        terms = terms_of(session, self.floor)
        line.note(session=session.session_id, node=session.target, generation=generation)
        context = stream.context(session, generation, terms, reconnects=reconnects)
        return session.owner.key, context

    def _admit(
        self, event: Mapping[str, object], connection: str, token: Token
    ) -> tuple[Session, Connection]:
        if token.source_ip and token.source_ip != _source_ip(event):
            raise TokenInvalid("The token is for another address.")
        known = self.sessions.connection(connection)
        if known is not None and known.session_id == token.session_id:
            # Lambda tries again what it thinks has failed: the same connection, the same answer.
            return _open(self.sessions.get(token.session_id)), known
        session = _open(self.sessions.get(token.session_id))
        if session.generation > token.generation:
            # Most often an attempt that its own client gave up, and that arrives behind the next.
            raise TokenInvalid("Another connection was attached since the token was made.")
        if token.spare:
            self._check_spare(event, session, token)
        # A proposal: the session's own number moves when this client is attached, in `$connect`.
        # If that never comes about, the client that is attached stays the one that is heard.
        proposed = Connection(
            connection=connection,
            session_id=session.session_id,
            generation=session.generation + 1,
            reconnects=token.reconnects,
        )
        self.sessions.add_connection(proposed)
        return session, proposed

    def _check_spare(self, event: Mapping[str, object], session: Session, token: Token) -> None:
        """A spare may be 40 minutes old: what was true when it was given out is asked again."""
        if not hmac.compare_digest(session.spare, token.digest):
            raise TokenInvalid("A later spare was given out.")
        self.permission(session, circumstances(_identity(event)))


def _open(session: Session | None) -> Session:
    if session is None or session.status in CLOSED:
        raise TokenInvalid("The session is over.")
    return session


def _identity(event: Mapping[str, object]) -> Mapping[str, object]:
    return stream.mapping(stream.mapping(event.get("requestContext")).get("identity"))


def _source_ip(event: Mapping[str, object]) -> str:
    address = _identity(event).get("sourceIp")
    return address if isinstance(address, str) else ""


def _token(event: Mapping[str, object]) -> str:
    """The token of `Sec-WebSocket-Protocol: hatchway.v1, <token>`: exactly these two, once."""
    offered = stream.header_values(event, "sec-websocket-protocol")
    parts = [part.strip() for part in offered[0].split(",")] if len(offered) == 1 else []
    if len(parts) != 2 or parts[0] != stream.PROTOCOL or not is_token(parts[1]):
        raise TokenInvalid()
    return parts[1]


def _policy(principal: str, effect: str, method: str) -> dict[str, object]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": method}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
