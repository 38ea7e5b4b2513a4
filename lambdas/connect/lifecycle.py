"""Lifecycle connections that come and go: a caller's own, opened with a token of their own kind."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.errors import HatchwayError, LimitExceededException, TokenInvalid
from lambdas import lifecycle_stream, stream
from lambdas.logline import Line
from lambdas.ports import Clock, LifecycleConnection, LifecycleConnections, LifecycleToken

Response = dict[str, object]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Admits, opens and closes them."""

    visitors: LifecycleConnections
    clock: Clock

    def admit(self, digest: str, connection: str, source_ip: str) -> LifecycleToken | None:
        """The token, used for this connection; None where there is none such. It opens one from
        the address that asked for it, and from no other."""
        token = self.visitors.use(digest, connection, self.clock())
        if token is None or not hmac.compare_digest(token.digest, digest):
            return None
        if not token.about.source_ip or token.about.source_ip != source_ip:
            raise TokenInvalid("The token is for another address.")
        return token

    def context(self, token: LifecycleToken) -> dict[str, str]:
        """What API Gateway hands to each message of the connection."""
        return lifecycle_stream.context(token, self.clock())

    def connect(self, event: Mapping[str, object], line: Line) -> Response:
        """Registers the connection, so that changes are pushed to it."""
        try:
            visitor = lifecycle_stream.visitor(event)
            line.note(owner=visitor.owner.key)
            self._open(
                LifecycleConnection(
                    connection=visitor.connection,
                    owner=visitor.owner,
                    expires=float(visitor.expires),
                )
            )
        except HatchwayError as error:
            line.refused(error)
            return {"statusCode": error.status}
        except Exception as error:  # API Gateway would answer alike, but with no line in the log
            line.failed(error)
            return {"statusCode": 500}
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": stream.PROTOCOL}}

    def disconnect(self, event: Mapping[str, object], line: Line) -> Response:
        """Forgets it. Where this never comes, the sweep does the same."""
        self.visitors.close(stream.connection(event))
        line.note(side=lifecycle_stream.SIDE)
        return {"statusCode": 200}

    def _open(self, connection: LifecycleConnection) -> None:
        most = lifecycle_stream.MOST
        others = self.visitors.of(connection.owner, self.clock(), most + 1)
        if len([one for one in others if one.connection != connection.connection]) >= most:
            raise LimitExceededException(f"A caller has at most {most} lifecycle connections.")
        self.visitors.open(connection)
