"""One WebSocket connection to the stream API: opened with a token, carrying text both ways."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
)
from websockets.proxy import get_proxy
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from hatchway.client.reach import Address, reached
from hatchway.client.records import Started
from hatchway.core.errors import (
    CertificateRefused,
    HatchwayError,
    InternalServerError,
    ProtocolError,
    ServiceUnreachable,
    ThrottlingException,
    TokenInvalid,
)
from hatchway.core.names import TRACE_HEADER, trace_root
from hatchway.core.wire import MAX_TEXT_MESSAGE

SUBPROTOCOL = "hatchway.v1"
OPEN_SECONDS = 15.0
CLOSE_SECONDS = 2.0
#: A connection that answers no ping is dead within the sum of these.
PING_EVERY, PING_WITHIN = 15.0, 15.0
#: Messages that may wait unread before the socket itself is read no further.
MAX_UNREAD = 64

# The library logs request headers, the token among them, where its logger takes DEBUG.
_QUIET = logging.getLogger("hatchway.client.websocket")
_QUIET.setLevel(logging.WARNING)


class Link(Protocol):
    """An open connection. After an end `receive` answers None and `send` does nothing."""

    async def send(self, text: str) -> None: ...
    async def receive(self) -> str | None: ...
    async def answers(self, seconds: float) -> bool:
        """Whether the other end says so within `seconds`, or what it takes at least."""
        ...

    async def close(self) -> None: ...


Dial = Callable[[Started], Awaitable[Link]]


class WebSocketLink:
    """A Link over a real WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, text: str) -> None:
        """Returns when the socket took the text; the reader notices an end."""
        try:
            await self._socket.send(text)
        except ConnectionClosed:
            return

    async def receive(self) -> str | None:
        try:
            message = await self._socket.recv()
        except ConnectionClosed:
            return None
        # API Gateway carries text only; binary is nothing that the service sent.
        return message if isinstance(message, str) else ""

    async def answers(self, seconds: float) -> bool:
        """By a ping; three times what the last ones took is never too late."""
        try:
            async with asyncio.timeout(max(seconds, 3 * self._socket.latency)):
                await (await self._socket.ping())
        except (ConnectionClosed, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        await self._socket.close()


class Dialler:
    """Opens connections that trust what `context` trusts, to host and port `to` where given; the
    certificate is checked for the stream address's own host in any case."""

    def __init__(self, context: ssl.SSLContext, to: Address | None = None) -> None:
        self._context, self._to = context, to
        self._known: Address | None = None

    async def __call__(self, started: Started) -> Link:
        socket = await _connected(started, self._context, self._to)
        self._known = socket.remote_address[:2]
        return WebSocketLink(socket)

    async def reach(self, started: Started) -> None:
        """Returns when a connection could be opened, by way of a proxy where there is one."""
        await reached(self._to or _first_hop(started.stream_url), self._known)


def _first_hop(url: str) -> Address:
    parts, through = urlsplit(url), get_proxy(parse_uri(url))
    proxy = urlsplit(through) if through else parts
    port = proxy.port or (443 if proxy.scheme in ("wss", "https") else 80)
    return proxy.hostname or "", port


async def _connected(
    started: Started, context: ssl.SSLContext, to: Address | None
) -> ClientConnection:
    if urlsplit(started.stream_url).scheme != "wss":
        raise ProtocolError("The stream's address is not wss://.")
    make: Callable[..., connect] = partial(connect, host=to[0], port=to[1]) if to else connect
    try:
        socket = await make(
            started.stream_url,
            ssl=context,
            subprotocols=[Subprotocol(SUBPROTOCOL), Subprotocol(started.token)],
            additional_headers={TRACE_HEADER: f"Root={trace_root(started.session_id)}"},
            compression=None,
            max_size=MAX_TEXT_MESSAGE,
            max_queue=MAX_UNREAD,
            open_timeout=OPEN_SECONDS,
            close_timeout=CLOSE_SECONDS,
            ping_interval=PING_EVERY,
            ping_timeout=PING_WITHIN,
            logger=_QUIET,
        )
    except InvalidStatus as error:
        # No `from`: the library's error holds the response, and a traceback may print it.
        raise _refusal(error.response.status_code) from None
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "TLS failed"
        raise CertificateRefused(f"The stream's server was refused: {reason}.") from None
    except InvalidMessage:
        # Cut before it had answered, mostly: another attempt may get through.
        raise ServiceUnreachable("The stream's server hung up, or does not speak HTTP.") from None
    except InvalidHandshake:
        raise ProtocolError("The stream's server does not speak hatchway.v1.") from None
    except TimeoutError:
        raise ServiceUnreachable("The stream did not open in time.") from None
    except OSError as error:
        reason = error.strerror or "the connection failed"
        raise ServiceUnreachable(f"The stream cannot be reached: {reason}.") from None
    await _check_protocol(socket)
    return socket


async def _check_protocol(socket: ClientConnection) -> None:
    """A server that chose the token, or anything else, is not Hatchway's.

    One that names no protocol is tolerated: what the service answers to `$connect` does not reach
    the client behind every gateway.
    """
    if socket.subprotocol not in (None, SUBPROTOCOL):
        await socket.close()
        raise ProtocolError("The stream's server does not speak hatchway.v1.")


def _refusal(status: int) -> HatchwayError:
    if status in (401, 403):
        return TokenInvalid()
    if status == 429:
        return ThrottlingException()
    return InternalServerError(f"The stream's server answered {status}.")
