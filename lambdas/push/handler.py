"""One event of the bus in, a notice on each lifecycle connection of the session's owner out.

A notice is news, not a record: one that cannot be delivered is counted and forgotten, and the
owner's next `describeSessions` shows the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hatchway.core.errors import HatchwayError
from hatchway.core.names import Owner
from lambdas import lifecycle_stream
from lambdas.logline import Line
from lambdas.ports import Clients, Clock, LifecycleConnection, LifecycleConnections

NOTICE = "sessionStateChange"
#: The event's members that the notice has, by the people API's names.
_MEMBERS = {
    "sessionId": "SessionId",
    "target": "Target",
    "status": "Status",
    "previousStatus": "PreviousStatus",
    "endReason": "EndReason",
    "exitCode": "ExitCode",
}


@dataclass(frozen=True, slots=True)
class Push:
    """Delivers notices."""

    visitors: LifecycleConnections
    clients: Clients
    clock: Clock

    def handle(self, event: Mapping[str, object], line: Line) -> None:
        """Posts to each connection; one that is gone is forgotten."""
        detail = event.get("detail")
        if not isinstance(detail, dict):
            line.warning()
            return
        account, userid = event.get("account"), detail.get("ownerUserId")
        if not isinstance(account, str) or not isinstance(userid, str):
            line.warning()
            return
        text = notice(detail)
        for connection in self._connections(Owner(account, userid)):
            self._post(connection, text, line)

    def _connections(self, owner: Owner) -> Sequence[LifecycleConnection]:
        return self.visitors.of(owner, self.clock(), lifecycle_stream.MOST)

    def _post(self, connection: LifecycleConnection, text: str, line: Line) -> None:
        try:
            there = self.clients.post(connection.connection, text)
        except HatchwayError as error:
            line.count("lost")
            line.refused(error)
            return
        line.count("posted" if there else "gone")
        if not there:
            self.visitors.close(connection.connection)


def notice(detail: Mapping[str, object]) -> str:
    """The frame that tells of one event's detail."""
    members = {name: detail[key] for key, name in _MEMBERS.items() if key in detail}
    return json.dumps({"notice": NOTICE, **members}, separators=(",", ":"))
