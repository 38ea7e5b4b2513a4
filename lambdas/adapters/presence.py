"""IoT Core's connections: whose data endpoint nodes connect to, and throwing one of them out."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from hatchway.core.errors import ClientGone
from lambdas.adapters import aws

if TYPE_CHECKING:
    from mypy_boto3_iot.client import IoTClient
    from mypy_boto3_iot_data.client import IoTDataPlaneClient

PATIENCE = aws.Patience(connect=1.0, read=2.0, attempts=2)
_SERVICE = "AWS IoT Core"


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
