"""API Gateway's @connections: sending to a client and closing its connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

from hatchway.core.errors import ClientGone, PayloadTooLarge
from lambdas.adapters.calls import Expected, Patience
from lambdas.adapters.signed import Service, Signed

SERVICE = Service("The stream API", "execute-api", "execute-api", "APIGATEWAYMANAGEMENTAPI")
#: One attempt, and a short one: who is told of an end or a change learns of it otherwise as well,
#: and others may be waiting to be told.
PATIENCE = Patience(connect=1.0, read=2.0, attempts=1)
#: For output. A second attempt only: the channel's own retransmission knows better when to try
#: again.
UPLOAD_PATIENCE = Patience(connect=1.0, read=3.0, attempts=2)
#: API Gateway answers 410 until `$connect` has returned: seconds between attempts to close then.
YOUNG_PAUSES = (0.1, 0.2, 0.4, 0.6, 0.7)
#: API Gateway takes 128 KB.
MAX_MESSAGE = 128 * 1024
_EXPECTED: Expected = {410: ClientGone, 413: PayloadTooLarge}


class ApiClients:
    """The port Clients. `url` is STREAM_MANAGEMENT_URL, https://{api}.execute-api…/{stage}."""

    def __init__(
        self,
        url: str,
        patience: Patience = PATIENCE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = Signed(SERVICE, patience, url, pause=pause)
        self._pause = pause

    def post(self, connection: str, text: str) -> bool:
        data = text.encode()
        if len(data) > MAX_MESSAGE:
            raise PayloadTooLarge()
        try:
            self._calls.call("POST", _path(connection), data, expected=_EXPECTED)
        except ClientGone:
            return False
        return True

    def close(self, connection: str, young: bool = False) -> None:
        pauses = iter(YOUNG_PAUSES if young else ())
        while not self._closed(connection):
            pause = next(pauses, None)
            if pause is None:
                return
            self._pause(pause)

    def _closed(self, connection: str) -> bool:
        """Whether there was one to close."""
        try:
            self._calls.call("DELETE", _path(connection), expected=_EXPECTED)
        except ClientGone:
            return False
        return True


def _path(connection: str) -> str:
    return f"/@connections/{quote(connection, safe='')}"
