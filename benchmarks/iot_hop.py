"""The bare IoT hop: from a publish with the SDK to the agent's own MQTT connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agent.config import Address
from agent.ports import Credentials
from agent.transport.crt import Crt
from agent.transport.mqtt import MqttListening
from benchmarks.terminals import PATIENCE
from local.emulator import REGION, Emulator

TOPIC = CLIENT_ID = "hatchway-benchmark"
PAYLOAD = b"x" * 300  # as long as a sealed key


class IotHop:
    """A Listener that says when a message came."""

    def __init__(self, publisher: Any) -> None:
        self._publisher = publisher
        self._ready = asyncio.Event()
        self._came: asyncio.Future[float] | None = None

    async def one_way(self) -> float:
        """Seconds from the publish to the subscriber; the publish's own answer not awaited."""
        self._came = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()
        published = asyncio.create_task(asyncio.to_thread(self._publish))
        async with asyncio.timeout(PATIENCE):
            arrived = await self._came
        await published
        return arrived - begun

    async def ready(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._ready.wait()

    def _publish(self) -> None:
        self._publisher.publish(topic=TOPIC, qos=1, payload=PAYLOAD)

    def up(self) -> None:
        self._ready.set()

    def down(self, code: str) -> None:
        print(f"the IoT connection is down: {code}")

    def message(self, payload: bytes) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_result(time.perf_counter())

    def overflow(self) -> None:
        return


@asynccontextmanager
async def listening(emulator: Emulator) -> AsyncIterator[IotHop]:
    crt = Crt(REGION, str(emulator.places.ca_bundle), time.time)
    endpoint = emulator.client("iot").describe_endpoint(endpointType="iot:Data-ATS")
    credentials = Credentials(emulator.access_key_id, emulator.secret_access_key)
    hop = IotHop(emulator.client("iot-data"))
    connection = MqttListening(
        crt,
        Address("127.0.0.1", emulator.port),
        endpoint["endpointAddress"],
        CLIENT_ID,
        TOPIC,
        lambda: credentials,
        hop,
    )
    try:
        await hop.ready()
        yield hop
    finally:
        await connection.close()
