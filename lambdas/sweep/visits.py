"""Lifecycle connections whose time is over are closed: API Gateway would keep them two hours."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.errors import HatchwayError
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, LifecycleConnections

#: Connections closed in one sweep; nothing that is asked on one that is overdue is answered.
MOST = 200


@dataclass(frozen=True, slots=True)
class Visits:
    """Closes what is overdue, and forgets it."""

    visitors: LifecycleConnections
    clients: Clients
    clock: Clock

    def close(self, until: float, line: Line) -> None:
        """Until that time at most; the next sweep goes on."""
        for connection in self.visitors.due(self.clock(), MOST):
            if self.clock() > until:
                return
            try:
                self.clients.close(connection.connection)
                self.visitors.close(connection.connection)
            except HatchwayError as error:  # again in a minute
                line.warning()
                line.note(visits=error.code)
            line.count("visits")
