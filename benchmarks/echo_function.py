"""The bare relay's Lambda function: each message back to where it came from. Packed by itself."""

from __future__ import annotations

import os
from typing import Any

import botocore.session

_CLIENT: Any = botocore.session.get_session().create_client(
    "apigatewaymanagementapi", endpoint_url=os.environ["STREAM_MANAGEMENT_URL"]
)


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    context = event["requestContext"]
    # One line for each invocation, as Hatchway's own functions write one.
    print('{"level":"INFO"}', flush=True)
    if context["eventType"] == "MESSAGE":
        data = event["body"].encode()
        _CLIENT.post_to_connection(ConnectionId=context["connectionId"], Data=data)
    return {"statusCode": 200}
