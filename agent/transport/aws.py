"""The transport over AWS: API Gateway by HTTPS, IoT Core by MQTT over WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.clock import ServiceClock
from agent.config import Address, Config, address
from agent.ports import Answer, Credentials, Listener, Request, Unreachable
from agent.transport.crt import Crt
from agent.transport.http import Pool
from agent.transport.metadata import instance_id
from agent.transport.mqtt import MqttListening

#: Seconds for the instance metadata to answer with credentials, a credential process included.
CREDENTIALS_DEADLINE = 20.0


class AwsTransport:
    """Whether over PrivateLink, the internet or on one machine: only host names differ."""

    def __init__(self, config: Config, clock: ServiceClock) -> None:
        self._crt = Crt(config.region, config.ca_bundle, clock.unix)
        self._pool = Pool(self._crt, config.agent_api_url)
        self._dial: Address | None = config.iot_connect

    async def instance_id(self) -> str:
        """This machine's instance id, as the instance metadata service (v2) has it."""
        return await instance_id(self._crt)

    async def send(
        self, request: Request, credentials: Credentials | None, deadline: float
    ) -> Answer:
        if credentials is None:
            credentials = await self._instance_credentials()
        return await self._pool.send(request, credentials, deadline)

    def listen(
        self,
        endpoint: str,
        client_id: str,
        topic: str,
        credentials: Callable[[], Credentials],
        listener: Listener,
    ) -> MqttListening:
        dial = self._dial or address(endpoint)
        return MqttListening(self._crt, dial, endpoint, client_id, topic, credentials, listener)

    async def close(self) -> None:
        self._pool.close()

    async def _instance_credentials(self) -> Credentials:
        try:
            async with asyncio.timeout(CREDENTIALS_DEADLINE):
                return await self._crt.instance_credentials()
        except TimeoutError:
            raise Unreachable() from None
