"""A node for benchmarks, as a process of its own: the agent's session and shell behind a WebSocket.

In the service's place stands the least that can: what a client sends is sealed and handed to the
agent's transport, what the agent uploads is sent to the client. Prints its port; ends with stdin.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pwd
import ssl
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from agent.api import AgentApi, Opened, Pass
from agent.clock import ServiceClock
from agent.drops import Drops
from agent.facilities import Facilities, Reason
from agent.log import Level, Log
from agent.ports import Answer, Credentials, Request
from agent.runners.choosing import Runners
from agent.session import Session
from agent.transport.memory import MemoryTransport
from hatchway.client.notices import is_json
from hatchway.core.names import Topics
from hatchway.core.sealing import Cipher, SealHeader, seal
from hatchway.core.wire import MAX_TEXT_FRAME, MAX_TEXT_MESSAGE, from_text

NODE = "i-0123456789abcdef0"
SESSION = "john-0123456789abcdef0"
TICKET_LIFE = 60
_KEY_ID = "bench-k1"
#: Bytes that fill a text frame as base64.
BLOCK = MAX_TEXT_FRAME // 4 * 3


class Relayed:
    """One client's connection and the agent's session behind it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.key = os.urandom(32)
        self.cipher: Cipher = AESGCM(self.key)
        self.topics = Topics("bench", NODE)
        self.transport = MemoryTransport(self.answer)

    async def down(self) -> None:
        """Hands what the client sends to the agent, until the client leaves."""
        async for text in self.socket:
            if is_json(str(text)):
                continue  # asked of the service
            header = SealHeader(_KEY_ID, 1, int(time.time()) + 30)
            sealed = seal(
                self.cipher,
                header,
                from_text(str(text)),
                node=NODE,
                session=SESSION,
                nonce=os.urandom(12),
            )
            self.transport.publish(self.topics.data(SESSION), sealed)

    async def answer(self, request: Request, _credentials: Credentials | None) -> Answer:
        """The agent API."""
        if request.path.endswith("/frames"):
            await self.socket.send(request.body, text=True)
            return Answer(200)
        if request.path.endswith("/ticket"):
            return Answer(200, json.dumps(self._pass()).encode())
        return Answer(200)

    def first(self) -> Pass:
        return Pass("ticket", time.time() + TICKET_LIFE, 1, True, _KEY_ID, self.key)

    def _pass(self) -> dict[str, object]:
        return {
            "Status": "Connected",
            "Ticket": "ticket",
            "TicketExpires": time.time() + TICKET_LIFE,
            "Generation": 1,
            "Connected": True,
            "SealKeyId": _KEY_ID,
            "SealKey": base64.b64encode(self.key).decode(),
            "ServerTime": time.time(),
        }


async def session(socket: ServerConnection) -> None:
    """A whole session of the agent's, ended when the client leaves."""
    relayed = Relayed(socket)
    running = Session(SESSION, Opened("{}", relayed.first()), _facilities(relayed))
    task = asyncio.create_task(running.run())
    try:
        await relayed.down()
    finally:
        running.stop(Reason.STOPPING)
        await task


def _facilities(relayed: Relayed) -> Facilities:
    clock = ServiceClock(asyncio.get_running_loop().time, time.time)
    log = Log(Level.WARNING)
    api = AgentApi(relayed.transport, clock, NODE, "bench", "secret")
    api.credentials = Credentials("key", "secret")
    user = pwd.getpwuid(os.geteuid()).pw_name
    return Facilities(
        api=api,
        transport=relayed.transport,
        clock=clock,
        topics=relayed.topics,
        endpoint="bench",
        credentials=lambda: Credentials("key", "secret"),
        random=os.urandom,
        cipher_of=AESGCM,
        make_runner=Runners(user, None, log).make,
        drops=Drops(api.report, log),
        log=log,
    )


async def echo(socket: ServerConnection) -> None:
    """Each message back."""
    async for text in socket:
        await socket.send(text)


async def pour(socket: ServerConnection) -> None:
    """For each number that many bytes, as full text frames of base64."""
    block = base64.b64encode(os.urandom(BLOCK)).decode()
    async for text in socket:
        for _ in range(-(-int(text) // BLOCK)):
            await socket.send(block)


async def _attend(socket: ServerConnection) -> None:
    assert socket.request is not None
    work = {"/session": session, "/echo": echo, "/pour": pour}[socket.request.path]
    try:
        await work(socket)
    except ConnectionClosed:
        return


async def _serve(certificate: Path, key: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with serve(
        _attend,
        "127.0.0.1",
        0,
        ssl=tls,
        compression=None,
        max_size=MAX_TEXT_MESSAGE,
        subprotocols=[Subprotocol("hatchway.v1")],
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), Path(sys.argv[2])))
