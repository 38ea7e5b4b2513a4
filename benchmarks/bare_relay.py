"""What the stream is compared to: a WebSocket API with one echo function and nothing else."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from hatchway.core.wire import MAX_TEXT_MESSAGE
from hatchway.net.tls import client_context
from local.emulator import ACCOUNT, REGION, Emulator

NAME = "hatchway-benchmark-echo"
_STAGE = "bench"
_SOURCE = Path(__file__).with_name("echo_function.py")
#: Characters of a full message, and messages on their way at once.
MESSAGE = 30_000
BURST = 8


@contextmanager
def deployed(emulator: Emulator) -> Iterator[str]:
    """The wss:// address of the API; taken away afterwards."""
    iam, functions = emulator.client("iam"), emulator.client("lambda")
    apis = emulator.client("apigatewayv2")
    api = apis.create_api(
        Name=NAME, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    place = f"127.0.0.1:{emulator.port}/_aws/execute-api/{api}/{_STAGE}"
    try:
        role = _make_role(iam, api)
        function = functions.create_function(
            FunctionName=NAME,
            Runtime="python3.13",
            Handler="echo_function.handler",
            Role=role,
            Code={"ZipFile": _zip()},
            MemorySize=256,
            Timeout=10,
            Environment={"Variables": {"STREAM_MANAGEMENT_URL": f"https://{place}"}},
        )["FunctionArn"]
        _connect(apis, functions, api, function)
        yield f"wss://{place}"
    finally:
        apis.delete_api(ApiId=api)
        functions.delete_function(FunctionName=NAME)
        iam.delete_role_policy(RoleName=NAME, PolicyName=NAME)
        iam.delete_role(RoleName=NAME)


def _make_role(iam: Any, api: str) -> str:
    trust = _policy("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
    arn = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    post = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/{_STAGE}/POST/@connections/*"
    document = _policy("execute-api:ManageConnections", Resource=post)
    iam.put_role_policy(RoleName=NAME, PolicyName=NAME, PolicyDocument=document)
    return str(arn)


def _policy(action: str, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _connect(apis: Any, functions: Any, api: str, function: str) -> None:
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
    target = apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri, IntegrationMethod="POST"
    )["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="$default", Target=f"integrations/{target}")
    functions.add_permission(
        FunctionName=NAME,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*",
    )
    apis.create_stage(ApiId=api, StageName=_STAGE, AutoDeploy=True)


def _zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(_SOURCE.name, _SOURCE.read_bytes())
    return data.getvalue()


@dataclass(frozen=True, slots=True)
class BareRelay:
    """A connection to it."""

    socket: ClientConnection

    async def round_trip(self) -> float:
        """Seconds of a keystroke's round trip: one short message there and back."""
        begun = time.perf_counter()
        await self.socket.send("x" * 200)  # as long as a key in its message
        await self.socket.recv()
        return time.perf_counter() - begun

    async def rate(self, size: int) -> float:
        """Characters a second that come back in full messages, some of them on their way."""
        count = -(-size // MESSAGE)
        text = "x" * MESSAGE
        begun = time.perf_counter()
        for number in range(count + BURST):
            if number < count:
                await self.socket.send(text)
            if number >= BURST:
                await self.socket.recv()
        return count * MESSAGE / (time.perf_counter() - begun)


@asynccontextmanager
async def connected(emulator: Emulator, url: str) -> AsyncIterator[BareRelay]:
    tls = client_context(emulator.places.ca_bundle)
    async with connect(url, ssl=tls, compression=None, max_size=MAX_TEXT_MESSAGE) as socket:
        yield BareRelay(socket)
