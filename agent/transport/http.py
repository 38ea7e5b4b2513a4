"""HTTPS calls over a bounded pool of kept connections; uploads never take all of it."""

from __future__ import annotations

import asyncio
import hashlib
from io import BytesIO
from urllib.parse import urlsplit

from awscrt import http, io

from agent.config import Address, address
from agent.ports import Answer, BadAnswer, Credentials, Request, Unreachable
from agent.transport.crt import FAILURES, Crt, code_of, settled

#: Uploads, and other calls, at once: their sum bounds the connections.
MAX_UPLOADS = 24
MAX_CALLS = 8
#: Connections kept while nothing uses them, and for how many seconds.
MAX_IDLE = 8
IDLE_TIME = 45.0
#: Bytes of an answer.
MAX_ANSWER = 512 * 1024
#: The longest Retry-After that is believed, in seconds.
MAX_RETRY_AFTER = 300


class Lost(Unreachable):
    """The connection was lost before the answer was complete."""

    code = "ConnectionLost"


class _Exchange:
    """One answer as it arrives, on the runtime's thread; read after its end only."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.retry_after = 0.0
        self.too_large = False

    def on_response(
        self, http_stream: object, status_code: int, headers: list[tuple[str, str]], **_: object
    ) -> None:
        for name, value in headers:
            if name.lower() == "retry-after" and value.isascii() and value.isdigit():
                self.retry_after = float(min(int(value[:6]), MAX_RETRY_AFTER))

    def on_body(self, http_stream: http.HttpClientStream, chunk: bytes, **_: object) -> None:
        if len(self.body) + len(chunk) > MAX_ANSWER:
            self.too_large = True
            http_stream.connection.close()
        else:
            self.body += chunk


class Pool:
    """Connections to the agent API."""

    def __init__(self, crt: Crt, url: str) -> None:
        parts = urlsplit(url)
        self._crt = crt
        self._to: Address = address(parts.netloc)
        self._host, self._base = parts.netloc, parts.path.rstrip("/")
        self._uploads = asyncio.Semaphore(MAX_UPLOADS)
        self._calls = asyncio.Semaphore(MAX_CALLS)
        self._idle: list[tuple[float, http.HttpClientConnection]] = []
        self._sweep: asyncio.TimerHandle | None = None

    async def send(self, request: Request, credentials: Credentials, deadline: float) -> Answer:
        """The answer within `deadline` seconds, waiting for a turn included."""
        try:
            async with asyncio.timeout(deadline):
                async with self._uploads if request.upload else self._calls:
                    return await self._attempts(request, credentials)
        except TimeoutError:
            self._forget()
            raise Unreachable() from None

    def close(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        self._forget()

    def _forget(self) -> None:
        """Connections that were kept may be as dead as the one that did not answer."""
        while self._idle:
            self._idle.pop()[1].close()

    async def _attempts(self, request: Request, credentials: Credentials) -> Answer:
        """A kept connection may have been closed by the other side meanwhile; a new one not."""
        while (kept := self._kept()) is not None:
            try:
                return await self._exchange(kept, request, credentials)
            except Lost:
                continue
        return await self._exchange(await self._connect(), request, credentials)

    async def _connect(self) -> http.HttpClientConnection:
        try:
            return await settled(
                http.HttpClientConnection.new(
                    self._to.host,
                    self._to.port,
                    self._crt.bootstrap,
                    self._crt.socket,
                    self._crt.tls_for(self._to.host),
                )
            )
        except FAILURES as error:
            raise _named(code_of(error)) from None

    async def _exchange(
        self, connection: http.HttpClientConnection, request: Request, credentials: Credentials
    ) -> Answer:
        signed = await self._signed(request, credentials)
        exchange = _Exchange()
        done = False
        try:
            stream = connection.request(signed, exchange.on_response, exchange.on_body)
            stream.activate()
            status = await settled(stream.completion_future)
            done = not exchange.too_large
        except FAILURES as error:
            if exchange.too_large:
                raise BadAnswer("The answer is too large.") from None
            raise Lost(code_of(error)) from None
        finally:
            if done:
                self._keep(connection)
            else:
                connection.close()
        if exchange.too_large:
            raise BadAnswer("The answer is too large.")
        return Answer(status, bytes(exchange.body), exchange.retry_after)

    async def _signed(self, request: Request, credentials: Credentials) -> http.HttpRequest:
        headers = http.HttpHeaders([("Host", self._host), *request.headers])
        stream = None
        if request.method != "GET":
            headers.set("Content-Length", str(len(request.body)))
            stream = io.InputStream(BytesIO(request.body))
        made = http.HttpRequest(request.method, self._base + request.path, headers, stream)
        digest = hashlib.sha256(request.body).hexdigest()
        try:
            return await settled(self._crt.sign_call(made, credentials, digest))
        except FAILURES as error:
            raise _named(code_of(error)) from None

    # --- kept connections -----------------------------------------------------------------------

    def _kept(self) -> http.HttpClientConnection | None:
        while self._idle:
            connection = self._idle.pop()[1]
            if connection.is_open():
                return connection
        return None

    def _keep(self, connection: http.HttpClientConnection) -> None:
        if not connection.is_open() or len(self._idle) >= MAX_IDLE:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        self._idle.append((loop.time() + IDLE_TIME, connection))
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_TIME, self._expire)

    def _expire(self) -> None:
        """Closes what was not used for long; sleeps while nothing is kept."""
        loop = asyncio.get_running_loop()
        now, self._sweep = loop.time(), None
        for _, connection in [one for one in self._idle if one[0] <= now]:
            connection.close()
        self._idle = [one for one in self._idle if one[0] > now]
        if self._idle:
            self._sweep = loop.call_at(self._idle[0][0], self._expire)


def _named(code: str) -> Unreachable:
    error = Unreachable()
    error.code = code
    return error
