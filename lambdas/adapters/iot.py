"""IoT Core: hints and sealed data towards a node, and its connections."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from hatchway.core.errors import ClientGone, HatchwayError, PayloadTooLarge
from hatchway.core.names import Topics
from lambdas.adapters import aws

if TYPE_CHECKING:
    from mypy_boto3_iot.client import IoTClient
    from mypy_boto3_iot_data.client import IoTDataPlaneClient

PATIENCE = aws.Patience(connect=1.0, read=2.0, attempts=2)
#: IoT Core takes 128 KB.
MAX_PAYLOAD = 128 * 1024
_SERVICE = "AWS IoT Core"
_log = logging.getLogger(__name__)


class IotDownlink:
    """The port Downlink. `endpoint` is a URL; without one the Region's own data endpoint."""

    def __init__(
        self, stage: str, endpoint: str = "", client: IoTDataPlaneClient | None = None
    ) -> None:
        self._stage = stage
        self._client: IoTDataPlaneClient = client or aws.client("iot-data", PATIENCE, endpoint)

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
        with aws.calling(_SERVICE):
            self._client.publish(topic=topic, qos=1, payload=payload)


class IotPresence:
    """The port Presence. `endpoint` is as for IotDownlink."""

    def __init__(
        self,
        endpoint: str = "",
        client: IoTClient | None = None,
        data_client: IoTDataPlaneClient | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._given = client
        self._given_data = data_client

    def disconnect(self, client_id: str) -> None:
        absent: aws.Expected = {"ResourceNotFoundException": ClientGone}
        with suppress(ClientGone), aws.calling(_SERVICE, absent):
            self._data.delete_connection(clientId=client_id, cleanSession=True)

    def endpoint(self) -> str:
        return self._address

    @cached_property
    def _address(self) -> str:
        client: IoTClient = self._given or aws.client("iot", PATIENCE)
        with aws.calling(_SERVICE):
            return client.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]

    @cached_property
    def _data(self) -> IoTDataPlaneClient:
        made: IoTDataPlaneClient = self._given_data or aws.client(
            "iot-data", PATIENCE, self._endpoint
        )
        return made
