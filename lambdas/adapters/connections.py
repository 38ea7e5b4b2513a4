"""API Gateway's @connections: sending to a client and closing its connection."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hatchway.core.errors import ClientGone, PayloadTooLarge
from lambdas.adapters import aws

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi.client import ApiGatewayManagementApiClient

#: A second attempt only: the channel's own retransmission knows better when to try again.
PATIENCE = aws.Patience(connect=1.0, read=3.0, attempts=2)
#: API Gateway takes 128 KB.
MAX_MESSAGE = 128 * 1024
_SERVICE = "The stream API"
_EXPECTED: aws.Expected = {410: ClientGone, 413: PayloadTooLarge}


class ApiClients:
    """The port Clients. `url` is STREAM_MANAGEMENT_URL, https://{api}.execute-api…/{stage}."""

    def __init__(self, url: str, client: ApiGatewayManagementApiClient | None = None) -> None:
        self._client: ApiGatewayManagementApiClient = client or aws.client(
            "apigatewaymanagementapi", PATIENCE, url
        )

    def post(self, connection: str, text: str) -> bool:
        data = text.encode()
        if len(data) > MAX_MESSAGE:
            raise PayloadTooLarge()
        try:
            with aws.calling(_SERVICE, _EXPECTED):
                self._client.post_to_connection(ConnectionId=connection, Data=data)
        except ClientGone:
            return False
        return True

    def close(self, connection: str) -> None:
        with suppress(ClientGone), aws.calling(_SERVICE, _EXPECTED):
            self._client.delete_connection(ConnectionId=connection)
