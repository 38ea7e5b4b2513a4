"""The instance metadata service, version 2: which instance this is."""

from __future__ import annotations

import asyncio

from awscrt import http

from agent.ports import BadAnswer, Unreachable
from agent.transport.crt import FAILURES, Crt, settled
from hatchway.core.errors import HatchwayError
from hatchway.core.names import node_id

HOST, PORT = "169.254.169.254", 80
#: Seconds for both requests.
DEADLINE = 10.0
#: Characters of a token or an instance id.
MAX_TEXT = 1024


async def instance_id(crt: Crt, host: str = HOST, port: int = PORT) -> str:
    """This machine's instance id; Unreachable where there is no metadata service."""
    try:
        async with asyncio.timeout(DEADLINE):
            connection = await settled(
                http.HttpClientConnection.new(host, port, crt.bootstrap, crt.socket)
            )
            try:
                return await _ask(connection, host)
            finally:
                connection.close()
    except (TimeoutError, *FAILURES):
        raise Unreachable("The instance metadata service does not answer.") from None


async def _ask(connection: http.HttpClientConnection, host: str) -> str:
    lifetime = ("X-aws-ec2-metadata-token-ttl-seconds", "60")
    token = await _fetch(connection, host, "PUT", "/latest/api/token", lifetime)
    shown = ("X-aws-ec2-metadata-token", token)
    text = await _fetch(connection, host, "GET", "/latest/meta-data/instance-id", shown)
    try:
        return node_id(text)
    except HatchwayError:
        raise BadAnswer("The instance metadata has no instance id.") from None


async def _fetch(
    connection: http.HttpClientConnection,
    host: str,
    method: str,
    path: str,
    header: tuple[str, str],
) -> str:
    body = bytearray()

    def collect(chunk: bytes, **_: object) -> None:
        if len(body) <= MAX_TEXT:
            body.extend(chunk)

    headers = http.HttpHeaders([("Host", host), header])
    if method == "PUT":
        headers.set("Content-Length", "0")
    stream = connection.request(http.HttpRequest(method, path, headers), on_body=collect)
    stream.activate()
    status = await settled(stream.completion_future)
    if status != 200 or not 0 < len(body) <= MAX_TEXT:
        raise Unreachable("The instance metadata service refuses.")
    return body.decode("ascii", "replace").strip()
