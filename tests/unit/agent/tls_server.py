"""A tiny TLS server on loopback whose answers a test writes by hand.

Its connections are plain sockets in threads, for those are closed when they are said to be: asyncio
leaves a connection that breaks off in its handshake to the garbage collector of some later test.
"""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: What a connection does with one request: its head and body in, raw bytes out, None hangs up.
Respond = Callable[[bytes, bytes], Coroutine[Any, Any, bytes | None]]


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def certificate(directory: Path, address: str = "127.0.0.1") -> Path:
    """A self-signed certificate, its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / f"{address}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


class Server:
    """Counts connections and requests; `respond` is the test's, and runs in its event loop."""

    def __init__(self, respond: Respond, context: ssl.SSLContext | None = None) -> None:
        self._respond, self._context = respond, context
        self.connections = self.requests = self.now = self.most = 0
        self.port = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._waiting: set[Future[bytes | None]] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listening.getsockname()[1]
        self._run(self._accept)

    async def close(self) -> None:
        """Ends every connection, and waits until each is closed."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                _cut(connection)
            for waiting in self._waiting:
                waiting.cancel()
        _cut(self._listening)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)
        self._listening.close()

    def _run(self, act: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=act, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with self._lock:
                    if self._closed:
                        connection.close()
                        return
                    if self._context is not None:
                        connection = self._context.wrap_socket(
                            connection, server_side=True, do_handshake_on_connect=False
                        )
                    self._open.add(connection)
                    self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError, EOFError, CancelledError):
                if isinstance(connection, ssl.SSLSocket):
                    connection.do_handshake()
                with self._lock:
                    self.connections += 1
                with connection.makefile("rb") as incoming:
                    while (reply := self._request(incoming)) is not None:
                        connection.sendall(reply)
        finally:
            with self._lock:
                self._open.remove(connection)
            connection.close()

    def _request(self, incoming: BinaryIO) -> bytes | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += (line := incoming.readline())
            if not line:
                raise EOFError
        body = incoming.read(_length(head))
        with self._lock:
            if self._closed:
                raise EOFError
            self.requests += 1
            self.now += 1
            self.most = max(self.most, self.now)
            waiting = asyncio.run_coroutine_threadsafe(self._respond(head, body), self._loop)
            self._waiting.add(waiting)
        try:
            return waiting.result()
        finally:
            with self._lock:
                self.now -= 1
                self._waiting.remove(waiting)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _cut(connection: socket.socket) -> None:
    """Wakes whoever reads, writes or accepts; a TLS socket's own shutdown is its thread's."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


@asynccontextmanager
async def serving(
    respond: Respond, pem: Path | None, newest: ssl.TLSVersion | None = None
) -> AsyncIterator[Server]:
    """Without `pem` it speaks plain HTTP; `newest` caps its TLS version."""
    context = None
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, pem.with_suffix(".key"))
        if newest is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.maximum_version = newest
    server = Server(respond, context)
    server.start()
    try:
        yield server
    finally:
        await server.close()
