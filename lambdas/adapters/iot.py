"""IoT Core's messages: hints and sealed data towards a node."""

from __future__ import annotations

import json
import logging
from urllib.parse import quote

from hatchway.core.errors import HatchwayError, PayloadTooLarge
from hatchway.core.names import Topics
from lambdas.adapters.calls import Patience
from lambdas.adapters.signed import Service, Signed

SERVICE = Service("AWS IoT Core", "iotdata", "data-ats.iot", "IOT_DATA_PLANE")
PATIENCE = Patience(connect=1.0, read=2.0, attempts=2)
#: IoT Core takes 128 KB.
MAX_PAYLOAD = 128 * 1024
_log = logging.getLogger(__name__)


class IotDownlink:
    """The port Downlink. `endpoint` is a URL; without one the Region's own data endpoint."""

    def __init__(self, stage: str, endpoint: str = "") -> None:
        self._stage = stage
        self._calls = Signed(SERVICE, PATIENCE, endpoint)

    def hint(self, node_id: str, session_id: str) -> None:
        topics = Topics(self._stage, node_id)
        payload = json.dumps({"v": 1, "session": session_id}).encode()
        try:
            self._publish(topics.control, payload)
        except HatchwayError as error:
            _log.warning("a hint was not sent", extra={"node": node_id, "code": error.code})

    def data(self, node_id: str, session_id: str, sealed: bytes) -> None:
        if len(sealed) > MAX_PAYLOAD:
            raise PayloadTooLarge()
        self._publish(Topics(self._stage, node_id).data(session_id), sealed)

    def _publish(self, topic: str, payload: bytes) -> None:
        path = f"/topics/{quote(topic, safe='')}"
        self._calls.call("POST", path, payload, query=(("qos", "1"),))
