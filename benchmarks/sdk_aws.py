"""The two ports of the data path by the SDK: what signed HTTPS over a kept connection is held
against."""

from __future__ import annotations

from hatchway.core.names import Topics
from lambdas.adapters import aws, connections, iot


class SdkDownlink:
    """The port Downlink, as far as `relay` uses it."""

    def __init__(self, stage: str, url: str) -> None:
        self._stage = stage
        self._client = aws.client("iot-data", iot.PATIENCE, url)

    def hint(self, node_id: str, session_id: str) -> None:
        raise NotImplementedError("relay sends no hints")

    def data(self, node_id: str, session_id: str, sealed: bytes) -> None:
        topic = Topics(self._stage, node_id).data(session_id)
        with aws.calling("AWS IoT Core"):
            self._client.publish(topic=topic, qos=1, payload=sealed)


class SdkClients:
    """The port Clients, as far as `uplink` uses it."""

    def __init__(self, url: str) -> None:
        self._client = aws.client("apigatewaymanagementapi", connections.UPLOAD_PATIENCE, url)

    def post(self, connection: str, text: str) -> bool:
        with aws.calling("The stream API"):
            self._client.post_to_connection(ConnectionId=connection, Data=text.encode())
        return True

    def close(self, connection: str, young: bool = False) -> None:
        raise NotImplementedError("uplink closes nothing")
