"""The service for tests, over real sockets: a people API and a stream API with TLS on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from hatchway.net.settings import Settings
from tests.unit.client.node import FakeNode, LittleShell
from tests.unit.net.authority import Authority

NODE = "i-0123456789abcdef0"
SESSION = "john-0123456789abcdef0"
Answer = tuple[int, Mapping[str, object]]
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """One request that the people API got."""

    method: str
    path: str
    query: str
    body: dict[str, object]
    authorization: str


@dataclass
class World:
    """Starts and stops both servers; a session's node is in here too."""

    folder: Path
    shell: LittleShell = field(default_factory=LittleShell)
    asked: list[Asked] = field(default_factory=list)
    #: What to answer in place of the ordinary answer: "METHOD path" to status and members.
    answers: dict[str, Answer] = field(default_factory=dict)
    #: What the stream API chooses: a protocol, or None for no header.
    chooses: str | None = "hatchway.v1"
    offered: list[list[str]] = field(default_factory=list)
    node: FakeNode | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> World:
        self.authority = Authority(self.folder)
        self._tokens = {"token-1"}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._stream: Server = self._call(self._open())
        self.stream_port = int(next(iter(self._stream.sockets)).getsockname()[1])
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.socket = self.authority.server().wrap_socket(self._http.socket, server_side=True)
        self._http_thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._http_thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._http_thread.join()
        self._http.server_close()
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def settings(self) -> Settings:
        return Settings(
            api_url=f"https://127.0.0.1:{self._http.server_port}/local",
            region="us-east-1",
            ca_bundle=self.authority.bundle,
        )

    def configuration(self) -> Path:
        """The settings as a file."""
        path = self.folder / "config.toml"
        path.write_text(
            f'api_url = "{self.settings.api_url}"\nregion = "us-east-1"\n'
            f'ca_bundle = "{self.authority.bundle}"\n'
        )
        return path

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something that either server was told makes `holds` true."""
        with self.changed:
            assert self.changed.wait_for(holds, 20)

    def tell(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def cut(self) -> None:
        """Drops the stream's TCP connection, without a word."""
        for connection in self._stream.connections:
            self._loop.call_soon_threadsafe(connection.transport.abort)

    # --- the people API -------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        self.tell()
        known = f"{asked.method} {asked.path}"
        if known in self.answers:
            return self.answers[known]
        if asked.method == "POST" and asked.path.endswith(("/sessions", "/resume")):
            return 200, self._token()
        if asked.method == "DELETE":
            return 200, {"SessionId": SESSION}
        return 404, {"__type": "DoesNotExistException", "message": f"no {known}"}

    def _token(self) -> dict[str, object]:
        token = f"token-{len(self.asked)}-{len(self.offered)}"
        self._tokens.add(token)
        url = f"wss://127.0.0.1:{self.stream_port}/local"
        return {"SessionId": SESSION, "TokenValue": token, "StreamUrl": url}

    # --- the stream API -------------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _open(self) -> Server:
        return await serve(
            self._attend,
            "127.0.0.1",
            0,
            ssl=self.authority.server(),
            process_request=self._admit,
            select_subprotocol=self._choose,
            compression=None,
        )

    async def _close(self) -> None:
        self._stream.close()
        await self._stream.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        offered = [p.strip() for p in request.headers["Sec-WebSocket-Protocol"].split(",")]
        self.offered.append(offered)
        if offered[-1] not in self._tokens:
            return Response(HTTPStatus.UNAUTHORIZED, "Unauthorized", Headers(), b"")
        self._tokens.discard(offered[-1])
        return None

    def _choose(
        self, connection: ServerConnection, offered: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        if self.chooses == "the token":
            return offered[-1]
        return Subprotocol(self.chooses) if self.chooses else None

    async def _attend(self, connection: ServerConnection) -> None:
        if self.node is None:
            self.node = FakeNode(SESSION, self.shell)

        async def receive() -> str | None:
            self.tell()
            try:
                return str(await connection.recv())
            except ConnectionClosed:
                return None

        async def send(text: str) -> None:
            try:
                await connection.send(text)
            except ConnectionClosed:
                return

        await self.node.serve(receive, send)


def _handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(size)
            parts = urlsplit(self.path)
            status, members = world.answer(
                Asked(
                    self.command,
                    unquote(parts.path.removeprefix("/local")),
                    unquote(parts.query),
                    json.loads(body) if body else {},
                    self.headers.get("Authorization", ""),
                )
            )
            text = json.dumps(members).encode()
            self.send_response(status)
            self.send_header("x-amzn-requestid", "request-1")
            if "__type" in members:
                self.send_header("x-amzn-errortype", str(members["__type"]))
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler
