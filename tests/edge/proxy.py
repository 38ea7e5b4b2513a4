"""A TLS proxy that understands HTTP/1.1, the stream API's WebSocket and MQTT over WebSocket.

It admits, counts, limits, damages and cuts. It runs in a thread of its own, so that tests of any
kind can use it, and speaks to the loopback (or a test's own namespace) only.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Self

import h11

from tests.edge.faults import Faults
from tests.edge.limits import Limits
from tests.edge.tunnel import Kind, Tunnel

READ = 64 * 1024
#: (method, path without query) → may it pass?
Admit = Callable[[str, str], bool]
#: (method, path without query) → status and JSON to answer with in the service's place, or None.
Answer = Callable[[str, str], tuple[int, str] | None]


class Cut(Enum):
    """How a connection ends: politely, with a reset, or without a word."""

    FIN = "fin"
    RST = "rst"
    SILENT = "silent"


@dataclass(slots=True, kw_only=True)
class Settings:
    """Where the proxy stands and what it does."""

    upstream: tuple[str, int]
    upstream_ca: Path
    certificate: tuple[Path, Path]
    host: str = "127.0.0.1"
    port: int = 0
    #: Already listening, perhaps in another network namespace; instead of host and port.
    listener: socket.socket | None = None
    limits: Limits = field(default_factory=Limits)
    down: Faults = field(default_factory=Faults)
    up: Faults = field(default_factory=Faults)
    admit: Admit = lambda method, path: True
    answer: Answer = lambda method, path: None


class EdgeProxy:
    """`with EdgeProxy(settings) as edge:` listens on `edge.port` until the block ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.port = settings.port
        #: What passed and what was refused, by kind.
        self.counts: Counter[str] = Counter()
        self.refused: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._tunnels: set[Tunnel] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # --- what tests do to the network -----------------------------------------------------------

    def cut(self, how: Cut, kind: Kind | None = None) -> int:
        """Ends the tunnels of a kind (all kinds by default); how many they were."""
        return int(self._call(self._cut(how, kind)))

    def mute(self, muted: bool = True) -> None:
        """While muted, nothing passes in any direction and nothing is closed: a dead network."""

        async def switch() -> None:
            for tunnel in self._tunnels:
                tunnel.muted = muted
            (self._flowing.clear if muted else self._flowing.set)()

        self._call(switch())

    def say(self, text: str) -> int:
        """Sends every client a message of the proxy's own; how many there are."""

        async def tell() -> int:
            chosen = [t for t in self._tunnels if t.kind is Kind.STREAM]
            for tunnel in chosen:
                tunnel.say(text)
            return len(chosen)

        return int(self._call(tell()))

    def refuse(self, refusing: bool = True) -> None:
        """While refusing, every new connection is reset."""
        self._refusing = refusing

    def tunnels(self, kind: Kind) -> int:
        return sum(tunnel.kind is kind for tunnel in list(self._tunnels))

    async def _cut(self, how: Cut, kind: Kind | None) -> int:
        chosen = [t for t in self._tunnels if kind in (None, t.kind)]
        for tunnel in chosen:
            if how is Cut.SILENT:
                tunnel.muted = True
            else:
                tunnel.end(reset=how is Cut.RST)
        return len(chosen)

    # --- the server -----------------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.settings.certificate)
        chosen = self.settings
        if chosen.listener is not None:
            where = asyncio.start_server(self._accept, sock=chosen.listener, ssl=context)
        else:
            where = asyncio.start_server(self._accept, chosen.host, chosen.port, ssl=context)
        self._server = await where
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for tunnel in list(self._tunnels):
            tunnel.end(reset=False)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*(w.wait_closed() for w in self._writers), return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._refusing:
                writer.transport.abort()
                return
            await _Front(self, reader, writer).serve()
        except (OSError, asyncio.IncompleteReadError, h11.ProtocolError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context(cafile=str(self.settings.upstream_ca))
        context.check_hostname = False  # the address is the test's own
        host, port = self.settings.upstream
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        self._writers.add(writer)
        return reader, writer

    async def pass_tunnel(self, tunnel: Tunnel) -> None:
        self._tunnels.add(tunnel)
        self.counts[f"tunnel {tunnel.kind.value}"] += 1
        try:
            await tunnel.run()
        finally:
            self._tunnels.discard(tunnel)

    async def gate(self) -> None:
        """Holds a request while the network is dead."""
        await self._flowing.wait()


class _Front:
    """One connection from a client or agent: requests in turn, or an upgrade to a tunnel."""

    def __init__(
        self, proxy: EdgeProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._reader, self._writer = reader, writer
        self._back: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def serve(self) -> None:
        front = h11.Connection(h11.SERVER)
        try:
            while (request := await self._event(front, self._reader)) is not h11.PAUSED:
                if not isinstance(request, h11.Request):
                    return
                if not await self._request(front, request):
                    return
                front.start_next_cycle()
        finally:
            if self._back:
                self._back[1].close()

    async def _request(self, front: h11.Connection, request: h11.Request) -> bool:
        """Whether the connection goes on after this request."""
        await self._proxy.gate()
        method = request.method.decode()
        path = request.target.decode().split("?")[0]
        if not self._proxy.settings.admit(method, path):
            self._proxy.counts["not admitted"] += 1
            self._proxy.refused.append(f"{method} {path}")
            await self._refuse(front, 403)
            return False
        if dict(request.headers).get(b"upgrade", b"").lower() == b"websocket":
            await self._upgrade(front, request)
            return False
        body = await self._body(front, self._reader)
        if len(body) > self._proxy.settings.limits.body:
            await self._refuse(front, 413)
            return False
        self._proxy.counts["request"] += 1
        if (instead := self._proxy.settings.answer(method, path)) is None:
            response, answer = await self._forward(request, body)
        else:
            self._proxy.counts[f"answered {instead[0]}"] += 1
            response, answer = _json(*instead)
        await self._proxy.gate()
        # Lengths, not chunks: what API Gateway answers with.
        kept = [
            (k, v) for k, v in response.headers if k not in (b"transfer-encoding", b"connection")
        ]
        if not any(k == b"content-length" for k, _ in kept):
            kept.append((b"content-length", str(len(answer)).encode()))
        self._send(front, h11.Response(status_code=response.status_code, headers=kept))
        if answer:
            self._send(front, h11.Data(data=answer))
        self._send(front, h11.EndOfMessage())
        await self._writer.drain()
        return front.our_state is h11.DONE and front.their_state is h11.DONE

    async def _forward(self, request: h11.Request, body: bytes) -> tuple[h11.Response, bytes]:
        reader, writer = await self._upstream()
        back = h11.Connection(h11.CLIENT)
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(back.send(event) or b"")
        await writer.drain()
        response = await self._event(back, reader)
        assert isinstance(response, h11.Response)
        answer = await self._body(back, reader)
        if back.our_state is not h11.DONE or back.their_state is not h11.DONE:
            writer.close()
            self._back = None
        return response, answer

    async def _upstream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._back is None or self._back[1].is_closing() or self._back[0].at_eof():
            self._back = await self._proxy.dial()
        return self._back

    async def _upgrade(self, front: h11.Connection, request: h11.Request) -> None:
        reader, writer = await self._proxy.dial()
        back = h11.Connection(h11.CLIENT)
        kind = Kind.of(dict(request.headers))
        headers = [(k, v) for k, v in request.headers if k != b"sec-websocket-extensions"]
        plain = h11.Request(method=request.method, target=request.target, headers=headers)
        for event in (plain, h11.EndOfMessage()):
            writer.write(back.send(event) or b"")
        response = await self._event(back, reader)
        if not isinstance(response, h11.InformationalResponse):
            self._proxy.counts["upgrade refused"] += 1
            assert isinstance(response, h11.Response)
            await self._refuse(front, response.status_code)
            writer.close()
            return
        chosen = [(k, v) for k, v in response.headers]
        # API Gateway answers with the protocol that `$connect` named; the embedded AWS does not.
        if kind is Kind.STREAM and b"sec-websocket-protocol" not in dict(chosen):
            chosen.append((b"sec-websocket-protocol", b"hatchway.v1"))
        self._send(front, h11.InformationalResponse(status_code=101, headers=chosen, reason=b"OK"))
        await self._writer.drain()
        await self._proxy.pass_tunnel(
            Tunnel(
                kind,
                (self._reader, self._writer, front.trailing_data[0]),
                (reader, writer, back.trailing_data[0]),
                self._proxy.settings,
                self._proxy.counts,
            )
        )

    async def _refuse(self, front: h11.Connection, status: int) -> None:
        headers = [("content-length", "0"), ("connection", "close")]
        self._send(front, h11.Response(status_code=status, headers=headers))
        self._send(front, h11.EndOfMessage())
        await self._writer.drain()

    def _send(self, connection: h11.Connection, event: Any) -> None:
        self._writer.write(connection.send(event) or b"")

    async def _event(self, connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
        while (event := connection.next_event()) is h11.NEED_DATA:
            connection.receive_data(await reader.read(READ))
        return event

    async def _body(self, connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
        parts: list[bytes] = []
        while isinstance(event := await self._event(connection, reader), h11.Data):
            parts.append(bytes(event.data))
        return b"".join(parts)


def _json(status: int, body: str) -> tuple[h11.Response, bytes]:
    return h11.Response(
        status_code=status, headers=[("content-type", "application/json")]
    ), body.encode()
